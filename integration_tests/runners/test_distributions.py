"""The thin distributions, installed as wheels alone into an environment with nothing else in it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from integration_tests.commands import config
from mailchimp_emulator import Emulator
from tools.distributions import THIN, version
from unit_tests.documents import ROOT

pytestmark = pytest.mark.runners

UV = Path(sys.executable).with_name("uv")


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with what a release publishes."""
    folder = tmp_path_factory.mktemp("wheels")
    subprocess.run([sys.executable, ROOT / "tools" / "distributions.py", folder], check=True, capture_output=True, timeout=300)
    return folder


def uv(*arguments: str | Path) -> None:
    """Run uv, which may use what it has downloaded before."""
    subprocess.run([UV, *arguments, "--quiet", "--system-certs"], check=True, timeout=300)


@pytest.mark.parametrize("distribution", [path.name for path in THIN])
def test_a_thin_distribution_brings_a_connector(distribution: str, wheels: Path, tmp_path: Path, mailchimp: Emulator) -> None:
    """Installed by its name, it brings the project in its own version, the command of the connector, and python -m."""
    mailchimp.seed(name="Customers", contacts=3)
    (tmp_path / "config.json").write_text(json.dumps(config(mailchimp.url)))
    binaries, name = tmp_path / "alone" / "bin", distribution.removeprefix("airbyte-")
    uv("venv", "--python", sys.executable, tmp_path / "alone")
    locked = ("--constraints", ROOT / "docker" / "requirements.txt")
    uv("pip", "install", "--python", binaries / "python", "--find-links", wheels, *locked, f"{distribution}=={version()}")

    for command in ([binaries / name], [binaries / "python", "-m", name.replace("-", "_")]):
        done = subprocess.run(
            [*command, "check", "--config", tmp_path / "config.json"], cwd=tmp_path, env={}, capture_output=True, text=True, timeout=120, check=True
        )  # fmt: skip
        (status,) = [m["connectionStatus"] for m in map(json.loads, done.stdout.splitlines()) if m["type"] == "CONNECTION_STATUS"]
        assert status["status"] == "SUCCEEDED"


def test_the_sdist_has_what_a_packager_needs(wheels: Path) -> None:
    """License, changelog and types are in the sdist."""
    listed = subprocess.run(["tar", "tzf", wheels / f"mailchimp_unified-{version()}.tar.gz"], capture_output=True, text=True, check=True)
    names = {name.partition("/")[2] for name in listed.stdout.splitlines()}

    assert {"LICENSE", "CHANGELOG.md", "mailchimp_unified/py.typed", "source_mailchimp_unified/py.typed"} <= names
    assert not [name for name in names if name.startswith(("mailchimp_emulator", "unit_tests", "integration_tests", "examples"))]
