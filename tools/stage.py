"""Lays the two connectors out as Airbyte's monorepo has them: one folder per connector, named after it, and the docs next to them.

python tools/stage.py OUTPUT

Airbyte's tools go by the names of folders: `airbyte-cdk connector test`, `airbyte-cdk image build` and the quality checks
want OUTPUT/airbyte/airbyte-integrations/connectors/{source,destination}-mailchimp-unified, and look for pages in
OUTPUT/airbyte/docs and for the Dockerfile in OUTPUT/airbyte/docker-images.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]

CONNECTORS = {
    "source-mailchimp-unified": ROOT,
    "destination-mailchimp-unified": ROOT / "destination_mailchimp_unified",
}
"""Where the files that describe a connector stand in this repository."""

DESCRIPTION = ("metadata.yaml", "icon.svg", "acceptance-test-config.yml")
PROJECT = ("pyproject.toml", "poetry.lock", "README.md", "CHANGELOG.md", "LICENSE", "docker/requirements.txt")
PACKAGES = ("mailchimp_unified", "source_mailchimp_unified", "destination_mailchimp_unified")
LEFT_OUT = "mailchimp_workbench"
"""A package that no connector needs: the staged project does not name it."""

TESTS = ("integration_tests/airbyte",)
DOCKERFILES = {"Dockerfile": "Dockerfile.python-connector", "Dockerfile.dockerignore": "Dockerfile.python-connector.dockerignore"}
"""The files of docker/, and their names in docker-images, where `airbyte-cdk image build` looks for them."""


def stage(output: Path) -> Path:
    """Write the tree into the folder `output`, which may exist, and return its root, `output`/airbyte."""
    airbyte = output / "airbyte"
    for name, described_in in CONNECTORS.items():
        _connector(airbyte / "airbyte-integrations" / "connectors" / name, described_in)
    _copy(ROOT / "docs" / "integrations", airbyte / "docs" / "integrations")
    for ours, theirs in DOCKERFILES.items():
        _copy(ROOT / "docker" / ours, airbyte / "docker-images" / theirs)
    return airbyte


def connector(airbyte: Path, name: str) -> Path:
    """Return the folder of a connector in a staged tree."""
    return airbyte / "airbyte-integrations" / "connectors" / name


def _connector(folder: Path, described_in: Path) -> None:
    for name in (*PROJECT, *PACKAGES, *TESTS):
        _copy(ROOT / name, folder / name)
    project = folder / "pyproject.toml"
    project.write_text("".join(line for line in project.read_text().splitlines(keepends=True) if not _names_left_out(line)))
    for name in DESCRIPTION:
        _copy(described_in / name, folder / name)
    _describe_as_airbytes(folder / "metadata.yaml")
    # Airbyte's test command writes its tests into a folder named .tmp, which pytest's settings of this project cannot import.
    (folder / "pytest.ini").write_text("[pytest]\n")


def _names_left_out(line: str) -> bool:
    return f'include = "{LEFT_OUT}"' in line or f'= "{LEFT_OUT}.' in line


def _describe_as_airbytes(metadata: Path) -> None:
    """Write into a connector's metadata what only Airbyte's own connectors have, and its checks presuppose."""
    described = yaml.safe_load(metadata.read_text())
    kind = described["data"]["connectorType"]
    page = f"https://docs.airbyte.com/integrations/{kind}s/mailchimp-unified"
    described["data"] |= {"documentationUrl": page, "supportLevel": "community", "ab_internal": {"sl": 100, "ql": 100}}
    metadata.write_text(yaml.safe_dump(described, sort_keys=False))


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    else:
        shutil.copyfile(source, target)


def main() -> None:
    """Stage into the folder that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="folder in which airbyte/ is made")
    print(stage(parser.parse_args().output))


if __name__ == "__main__":
    main()
