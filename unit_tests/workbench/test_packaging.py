"""The workbench is an extra: the connectors do not know it, and what its pages load is what is locked."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENDOR = ROOT / "mailchimp_workbench" / "static" / "vendor"
EXTRA = ("mailchimp_workbench", "starlette", "uvicorn", "duckdb")


def test_importing_the_connectors_does_not_import_it() -> None:
    """Neither the workbench nor a library of its own is loaded with a connector."""
    script = (
        "import sys, source_mailchimp_unified.run, destination_mailchimp_unified.run;"
        f"print([name for name in {EXTRA} if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)

    assert done.stdout.strip() == "[]"


def test_it_is_an_extra_of_the_wheel() -> None:
    """Its libraries are optional, its command and its package are in the wheel."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["poetry"]

    assert set(project["extras"]["workbench"]) >= {"starlette", "uvicorn", "jinja2", "duckdb", "python-multipart"}
    assert all(project["dependencies"][name]["optional"] for name in project["extras"]["workbench"])
    assert {"include": "mailchimp_workbench"} in project["packages"]
    assert project["scripts"]["mailchimp-unified-workbench"] == "mailchimp_workbench.run:main"


def test_vendored_files_are_the_locked_versions() -> None:
    """What `make vendor` copied is of the versions that tools/vendor names, each with its license."""
    wanted = json.loads((ROOT / "tools" / "vendor" / "package.json").read_text())["dependencies"]
    copied = json.loads((VENDOR / "versions.json").read_text())["dependencies"]
    (htmx,) = set(re.findall(r'version:"([\d.]+)"', (VENDOR / "htmx.min.js").read_text()))

    assert copied == wanted
    assert htmx == wanted["htmx.org"]
    assert {path.name for path in VENDOR.glob("*.LICENSE")} == {f"{name.rpartition('/')[2]}.LICENSE" for name in wanted}


def test_a_page_loads_its_own_files_only() -> None:
    """No template and no style names another address."""
    sources = [*(ROOT / "mailchimp_workbench" / "templates").glob("*.html"), ROOT / "mailchimp_workbench" / "static" / "style.css"]

    assert not [path.name for path in sources if re.search(r"""(src|href|url)\s*[=(]\s*["']?(https?:)?//""", path.read_text())]
