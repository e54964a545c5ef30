"""Builds everything that a release publishes: the project's wheel and sdist, and those of the thin distributions in packaging/.

python tools/distributions.py OUTPUT [--release v0.1.0]

OUTPUT also gets RELEASE.md, the changelog's part of this version. With --release, the tag has to be the project's version, and the
changelog may not call that version unreleased.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UV = Path(sys.executable).with_name("uv")
THIN = sorted((ROOT / "packaging").iterdir())
CHANGELOG = ROOT / "CHANGELOG.md"


def version() -> str:
    """Return the version of the project."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["poetry"]["version"])


def notes(changelog: str, version: str) -> tuple[str, str]:
    """Return what stands behind a version in its heading, its date or "unreleased", and the part below the heading."""
    found = re.search(rf"^## {re.escape(version)} - (\S+)\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    if found is None:
        raise SystemExit(f"CHANGELOG.md has no heading '## {version} - DATE'. Add it, with what changes for users.")
    return found[1], found[2].strip() + "\n"


def refusal(tag: str, version: str, date: str) -> str | None:
    """Return why a tag cannot be released, or None."""
    if tag != f"v{version}":
        return f"The tag is {tag}, and pyproject.toml says version {version}. Set the version, or tag v{version}."
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", date):
        return f"CHANGELOG.md says '{version} - {date}'. Write the date of the release, as in '{version} - 2026-12-01'."
    return None


def main() -> None:
    """Build into the folder that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="folder for the files; it is made if need be")
    parser.add_argument("--release", metavar="TAG", help="the tag of the release")
    arguments = parser.parse_args()
    date, text = notes(CHANGELOG.read_text(), version())
    if arguments.release and (reason := refusal(arguments.release, version(), date)):
        raise SystemExit(reason)
    for project in (ROOT, *THIN):
        subprocess.run([UV, "build", "--quiet", "--system-certs", "--out-dir", arguments.output, project], check=True)
    (arguments.output / "RELEASE.md").write_text(text)
    for path in sorted(arguments.output.glob("*.*")):
        print(path)


if __name__ == "__main__":
    main()
