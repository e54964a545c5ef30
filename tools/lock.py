"""Renews poetry.lock, and with it requirements-dev.txt and docker/requirements.txt: what `make lock` runs.

.venv-lock/bin/python tools/lock.py [--regenerate]

Poetry asks PyPI about each version at an address of its own (`/pypi/NAME/VERSION/json`), which mirrors of PyPI often do not serve.
Every index serves the simple API, so the versions are resolved through that one. What is written names no index, and is what
`poetry lock` writes where PyPI itself is reached.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from poetry.factory import Factory

ROOT = Path(__file__).resolve().parents[1]
POETRY = Path(sys.executable).with_name("poetry")
INPUTS = ("pyproject.toml", "poetry.lock", "README.md")

SIMPLE = """
[[tool.poetry.source]]
name = "simple"
url = "https://pypi.org/simple/"
priority = "primary"
"""

EXPORTS = {"requirements-dev.txt": ("--with", "dev", "--all-extras"), "docker/requirements.txt": ("--only", "main", "--extras", "s3")}


def resolve(*options: str) -> str:
    """Return the text of a lock file whose versions come from the simple API. `options` go to `poetry lock`."""
    with tempfile.TemporaryDirectory() as folder:
        for name in INPUTS:
            shutil.copyfile(ROOT / name, Path(folder, name))
        project = Path(folder, "pyproject.toml")
        project.write_text(project.read_text() + SIMPLE)
        subprocess.run([POETRY, "lock", *options], cwd=folder, check=True)
        return Path(folder, "poetry.lock").read_text()


def without_index(lock: str) -> str:
    """Return a lock file's text as if no index had been named: without sources, and with the hash of the project as it is."""
    content_hash = Factory().create_poetry(ROOT).locker._get_content_hash()  # noqa: SLF001 -- Poetry has no command that prints it
    lock = re.sub(r"\n\[package\.source\]\n(?:[^\[\n]+\n)+", "", lock)
    return re.sub(r'^content-hash = ".*"$', f'content-hash = "{content_hash}"', lock, flags=re.MULTILINE)


def main() -> None:
    """Lock, check, export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--regenerate", action="store_true", help="take the newest versions, not those that are locked already")
    options = ["--regenerate"] if parser.parse_args().regenerate else []
    (ROOT / "poetry.lock").write_text(without_index(resolve(*options)))
    subprocess.run([POETRY, "check", "--lock"], cwd=ROOT, check=True)
    for output, groups in EXPORTS.items():
        subprocess.run([POETRY, "export", *groups, "--output", output], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
