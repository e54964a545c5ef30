"""The files of a release agree with each other: versions, names, addresses, and what a tag needs."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.distributions import THIN, notes, refusal, version
from unit_tests.documents import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["poetry"]
REPOSITORY = str(PROJECT["repository"])
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
DESCRIPTIONS = {"source": ROOT / "metadata.yaml", "destination": ROOT / "destination_mailchimp_unified" / "metadata.yaml"}
MATURITY = "alpha"


def thin(path: Path) -> dict[str, Any]:
    """Return the description of a thin distribution."""
    return dict(tomllib.loads((path / "pyproject.toml").read_text())["project"])


@pytest.mark.parametrize("path", THIN, ids=lambda path: path.name)
def test_a_thin_distribution_is_the_project_under_another_name(path: Path) -> None:
    """It has the version, the license and the Pythons of the project, requires exactly that version, and gives the connector's command."""
    described, command = thin(path), path.name.removeprefix("airbyte-")

    assert described["name"] == path.name
    assert described["version"] == version()
    assert described["dependencies"] == [f"mailchimp-unified=={version()}"]
    assert described["requires-python"] == PROJECT["dependencies"]["python"]
    assert described["scripts"] == {command: PROJECT["scripts"][command]}
    assert (path / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()


def test_both_connectors_have_a_thin_distribution() -> None:
    """Meltano and PyAirbyte look for the connector's name after "airbyte-"."""
    assert [path.name for path in THIN] == ["airbyte-destination-mailchimp-unified", "airbyte-source-mailchimp-unified"]


def test_one_maturity_everywhere() -> None:
    """The classifiers, both descriptions for Airbyte and the README say the same word."""
    classifiers = [*PROJECT["classifiers"], *(one for path in THIN for one in thin(path)["classifiers"])]
    stages = {yaml.safe_load(path.read_text())["data"]["releaseStage"] for path in DESCRIPTIONS.values()}

    assert {one.lower().rpartition(" - ")[2] for one in classifiers if one.startswith("Development Status")} == {MATURITY}
    assert stages == {MATURITY}
    assert f"**{MATURITY}**" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("kind", DESCRIPTIONS)
def test_no_description_claims_to_be_airbytes(kind: str) -> None:
    """Repository of images, page and support level are the project's own; Airbyte's registry is not claimed."""
    described = yaml.safe_load(DESCRIPTIONS[kind].read_text())["data"]
    owner = REPOSITORY.split("/")[-2]

    assert described["dockerRepository"] == f"ghcr.io/{owner}/{kind}-mailchimp-unified"
    assert "supportLevel" not in described
    assert not any(one["enabled"] for one in described["registryOverrides"].values())


@pytest.mark.parametrize("kind", DESCRIPTIONS)
def test_the_documentation_is_a_page_of_this_repository(kind: str) -> None:
    """The URL in the metadata and in the specification leads to a page that is here."""
    described = yaml.safe_load(DESCRIPTIONS[kind].read_text())["data"]["documentationUrl"]
    specified = json.loads((ROOT / f"{kind}_mailchimp_unified" / "spec.json").read_text())["documentationUrl"]

    assert described == specified
    assert described.startswith(f"{REPOSITORY}/blob/main/")
    assert (ROOT / described.removeprefix(f"{REPOSITORY}/blob/main/")).is_file()


def test_every_address_of_the_repository_is_the_same_and_exists() -> None:
    """Files, folders and pages of GitHub that any file names are in the one repository that pyproject.toml names."""
    paths = [
        *ROOT.glob("*.md"),
        *ROOT.glob("*.toml"),
        *(ROOT / ".github").rglob("*.*"),
        *(ROOT / "packaging").rglob("*.*"),
        ROOT / "docker" / "Dockerfile",
    ]
    named = {address for path in paths for address in re.findall(r"https://github\.com/mailchimp-unified/[^\s\"')>\]]+", path.read_text())}

    assert named
    for address in named:
        assert address == REPOSITORY or address.startswith(f"{REPOSITORY}/")
        place = re.search(r"/(?:blob|tree)/main/([^#]+)", address)
        assert place is None or (ROOT / place[1]).exists()


def test_actions_are_pinned_by_commit() -> None:
    """Every action is named by its commit, with the version in a comment, and in one version everywhere."""
    uses = [line.strip("- ") for path in WORKFLOWS for line in path.read_text().splitlines() if "uses:" in line]
    pins = {re.sub(r"^uses: ", "", line).split("@")[0]: line for line in uses}

    assert uses
    assert [line for line in uses if not re.fullmatch(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)] == []
    assert {pins[re.sub(r"^uses: ", "", line).split("@")[0]] for line in uses} == set(uses)


def test_the_workflows_run_what_developers_run() -> None:
    """Both workflows call .ci/run, for every Python that the project supports."""
    matrix = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]["ci"]["strategy"]["matrix"]["python"]
    lowest, highest = (int(number) for number in re.findall(r"3\.(\d+)", PROJECT["dependencies"]["python"]))

    assert [int(one.removeprefix("3.")) for one in matrix] == list(range(lowest, highest))
    assert all(".ci/run" in (ROOT / ".github" / "workflows" / name).read_text() for name in ("ci.yml", "release.yml"))


def test_the_base_image_is_the_same_everywhere() -> None:
    """The Dockerfile's default is the base image that the metadata names."""
    (default,) = re.findall(r"^ARG BASE_IMAGE=(\S+)$", (ROOT / "docker" / "Dockerfile").read_text(), re.MULTILINE)

    assert {yaml.safe_load(path.read_text())["data"]["connectorBuildOptions"]["baseImage"] for path in DESCRIPTIONS.values()} == {default}


@pytest.mark.parametrize("package", PROJECT["packages"], ids=lambda package: package["include"])
def test_packages_are_typed_and_run_as_modules(package: dict[str, str]) -> None:
    """Type checkers use the types of every package, and both connectors start with python -m."""
    folder = ROOT / package["include"]

    assert (folder / "py.typed").exists()
    assert (folder / "__main__.py").exists() or folder.name == "mailchimp_unified"


@pytest.mark.parametrize(
    ("tag", "date", "words"),
    [
        ("v1.2.3", "2026-12-01", None),
        ("1.2.3", "2026-12-01", "tag v1.2.3"),
        ("v1.2.4", "2026-12-01", "tag v1.2.3"),
        ("v1.2.3", "unreleased", "date of the release"),
    ],
)
def test_a_tag_is_refused_until_everything_agrees(tag: str, date: str, words: str | None) -> None:
    """A release needs the version in the project, and a date in the changelog."""
    reason = refusal(tag, "1.2.3", date)

    assert (reason is None) if words is None else (reason is not None and words in reason)


def test_the_notes_of_a_release_are_its_part_of_the_changelog() -> None:
    """The part ends where the next version begins; a version that has none is refused."""
    changelog = "# Changelog\n\n## 1.1.0 - 2026-12-02\n\n- New.\n\n## 1.0.1 - 2026-12-01\n\n- Old.\n"

    assert notes(changelog, "1.1.0") == ("2026-12-02", "- New.\n")
    assert notes(changelog, "1.0.1") == ("2026-12-01", "- Old.\n")
    with pytest.raises(SystemExit, match="has no heading"):
        notes(changelog, "1.0")
    assert notes((ROOT / "CHANGELOG.md").read_text(), version())[1]
