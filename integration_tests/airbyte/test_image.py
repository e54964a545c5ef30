"""`airbyte-cdk image build` on both connectors, with the install steps carried out here instead of in a container."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration_tests.airbyte.engine import instructions
from integration_tests.commands import catalog, config
from mailchimp_emulator import Emulator
from tools.stage import CONNECTORS, ROOT, connector, stage

DOCKERFILE = ROOT / "docker" / "Dockerfile"
ENGINE = Path(__file__).with_name("engine.py")
LIST = "7a3c91e0d2"

Json = dict[str, Any]


def _program(path: Path, command: str) -> None:
    path.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    path.chmod(0o755)


@dataclass(frozen=True)
class Image:
    """What `airbyte-cdk image build` made of a staged connector."""

    folder: Path
    root: Path
    output: str

    @property
    def commands(self) -> list[list[str]]:
        """The command lines that the engine got."""
        return [json.loads(line) for line in (self.root / "commands.jsonl").read_text().splitlines()]

    def run(self, arguments: Sequence[str | Path], text: str = "") -> list[Json]:
        """Run the entry point as the platform does, with nothing of this environment but the system's commands."""
        done = subprocess.run(
            [self.root / "entrypoint.sh", *arguments], input=text, env={"PATH": "/usr/bin:/bin"}, cwd=self.root,
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]


def built(name: str, folder: Path) -> Image:
    """Build the image of a connector."""
    staged, root, binaries = connector(stage(folder), name), folder / "root", folder / "bin"
    root.mkdir()
    binaries.mkdir()
    _program(binaries / "docker", f"{sys.executable} {ENGINE}")
    # The interpreter below the environment of the tests: what is installed there must not be seen.
    _program(binaries / "python", str(Path(sys.executable).resolve()))
    path = os.pathsep.join([str(binaries), "/usr/bin", "/bin"])
    # The machine's own certificates are trusted, as by make: an image has the ones of its base.
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    done = subprocess.run(
        [Path(sys.executable).with_name("airbyte-cdk"), "image", "build", staged, "--tag", "dev"],
        env={**environment, "PATH": path, "ENGINE_ROOT": str(root), "UV_SYSTEM_CERTS": "1"}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return Image(staged, root, done.stdout)


def _installed(image: Image) -> dict[str, str]:
    code = (
        "import importlib.metadata as m, json; print(json.dumps({d.name.lower().replace('_', '-'): d.version for d in m.distributions()}))"
    )
    done = subprocess.run([image.root / "opt/connector/bin/python", "-c", code], capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def _works(image: Image, name: str, mailchimp: Emulator) -> None:
    """Check the connection, then read the one contact, or write one."""
    mailchimp.seed(id=LIST, name="Customers", contacts=1)
    for file, content in (("config.json", config(mailchimp.url)), ("catalog.json", catalog(["contacts"]))):
        (image.root / file).write_text(json.dumps(content))
    files = ["--config", "config.json"]
    (status,) = [m["connectionStatus"]["status"] for m in image.run(["check", *files]) if m["type"] == "CONNECTION_STATUS"]
    assert status == "SUCCEEDED"
    files += ["--catalog", "catalog.json"]
    if name.startswith("source"):
        records = [message for message in image.run(["read", *files]) if message["type"] == "RECORD"]
        assert [record["record"]["data"]["email"] for record in records] == [mailchimp.members(LIST)[0]["email_address"]]
    else:
        record = {"stream": "contacts", "emitted_at": 1, "data": {"list_id": LIST, "email": "ada@example.org"}}
        image.run(["write", *files], json.dumps({"type": "RECORD", "record": record}) + "\n")
        assert "ada@example.org" in {member["email_address"] for member in mailchimp.members(LIST)}


@pytest.mark.image
@pytest.mark.parametrize("name", CONNECTORS)
def test_an_image_is_built_and_works(name: str, tmp_path: Path, mailchimp: Emulator) -> None:
    """The command finds our Dockerfile and the base image, the install steps bring what is locked and no more, the entry point works."""
    image = built(name, tmp_path)

    assert "Build and verification completed successfully" in image.output
    metadata = yaml.safe_load((image.folder / "metadata.yaml").read_text())["data"]
    (command,) = [command for command in image.commands if command[:2] == ["buildx", "build"]]
    assert Path(command[command.index("--file") + 1]).read_text() == DOCKERFILE.read_text()
    assert f"BASE_IMAGE={metadata['connectorBuildOptions']['baseImage']}" in command
    assert f"CONNECTOR_NAME={name}" in command
    assert f"io.airbyte.version={metadata['dockerImageTag']}" in command
    assert f"io.airbyte.name={metadata['dockerRepository']}" in command
    locked = re.findall(r"^([a-z0-9.-]+)(?:\[[^]]*\])?==", (ROOT / "docker" / "requirements.txt").read_text(), re.MULTILINE)
    assert set(_installed(image)) <= {*locked, "mailchimp-unified"}
    assert not (image.root / "opt/connector/bin/mailchimp_emulator").exists()
    _works(image, name, mailchimp)


def test_the_dockerfile_is_as_airbyte_runs_images() -> None:
    """Both stages begin with the base image, nothing runs as root, and the platform finds the entry point in the environment."""
    steps = instructions(DOCKERFILE.read_text())
    last_stage = steps[max(place for place, (keyword, _) in enumerate(steps) if keyword == "FROM") :]

    assert [rest.split()[0] for keyword, rest in steps if keyword == "FROM"] == ["${BASE_IMAGE}", "${BASE_IMAGE}"]
    assert [rest for keyword, rest in last_stage if keyword == "COPY"] == ["--from=builder /opt/connector /opt/connector"]
    assert last_stage[-3:] == [
        ("USER", "airbyte"),
        ("ENV", 'AIRBYTE_ENTRYPOINT="/entrypoint.sh"'),
        ("ENTRYPOINT", '["/entrypoint.sh"]'),
    ]


def test_the_image_is_installed_with_the_projects_uv() -> None:
    """The Dockerfile and the Makefile pin the same uv."""
    pins = [re.search(r"UV_VERSION := (\S+)", (ROOT / "Makefile").read_text()), re.search(r"uv==(\S+)", DOCKERFILE.read_text())]

    assert len({pin.group(1) for pin in pins if pin}) == 1
    assert all(pins)


@pytest.mark.parametrize("name", CONNECTORS)
def test_no_dockerfile_lies_where_airbyte_forbids_one(name: str, tmp_path: Path) -> None:
    """A connector's folder has no Dockerfile of its own, and its console script has the folder's name."""
    folder = connector(stage(tmp_path), name)

    assert not list(folder.rglob("Dockerfile*"))
    assert f'{name} = "{name.replace("-", "_")}.run:main"' in (folder / "pyproject.toml").read_text()
