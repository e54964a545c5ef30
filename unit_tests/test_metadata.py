"""metadata.yaml is what Airbyte's own model accepts, and agrees with the project."""

from __future__ import annotations

import json
import sys
import tomllib
from fnmatch import fnmatch
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import yaml

from mailchimp_unified import auth
from mailchimp_unified.config import ApiKeyCredentials, ConnectionConfig
from mailchimp_unified.patience import Patience

ROOT = Path(__file__).resolve().parents[1]
METADATA = sorted([ROOT / "metadata.yaml", *ROOT.glob("destination_mailchimp_unified/metadata.yaml")])


def without_ids(schema: Any) -> Any:
    """Return a schema without its `$id`s, which keep its references from being found."""
    if isinstance(schema, dict):
        return {key: without_ids(value) for key, value in schema.items() if key != "$id"}
    return [without_ids(item) for item in schema] if isinstance(schema, list) else schema


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="airbyte-connector-models is not published for Python 3.13")
@pytest.mark.parametrize("path", METADATA, ids=lambda path: path.parent.name)
def test_metadata_fits_airbytes_model(path: Path) -> None:
    """Every key and value is one that Airbyte's registry knows."""
    model = files("airbyte_connector_models") / "metadata" / "v0" / "ConnectorMetadataDefinitionV0.json"

    jsonschema.Draft7Validator(without_ids(json.loads(model.read_text()))).validate(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize("path", METADATA, ids=lambda path: path.parent.name)
def test_metadata_agrees_with_the_project(path: Path) -> None:
    """Version and licence are those of the distribution, and the icon is there."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["poetry"]
    described = yaml.safe_load(path.read_text())["data"]

    assert described["dockerImageTag"] == project["version"]
    assert described["license"] == project["license"]
    assert (path.parent / described["icon"]).exists()
    assert described["dockerRepository"].rpartition("/")[2] in project["scripts"]


def test_the_icons_are_square_and_tell_the_connectors_apart() -> None:
    """Airbyte shows icons in a square; source and destination stand side by side in a connection."""
    icons = [ET.parse(path.with_name("icon.svg")).getroot() for path in METADATA]

    assert {(icon.get("width"), icon.get("height"), icon.get("viewBox")) for icon in icons} == {("250", "250", "0 0 250 250")}
    assert len({ET.tostring(icon) for icon in icons}) == len(METADATA)


def test_airbyte_waits_longer_than_one_request_may_take() -> None:
    """The platform ends a source that gives neither record nor state for so long; a request may be tried all that time."""
    described = yaml.safe_load((ROOT / "metadata.yaml").read_text())["data"]
    patience = Patience()

    last_try = patience.longest_back_off + patience.connect + patience.read
    assert patience.total + last_try <= described["maxSecondsBetweenMessages"]


@pytest.mark.parametrize("path", METADATA, ids=lambda path: path.parent.name)
def test_every_host_that_is_called_is_allowed(path: Path) -> None:
    """Airbyte Cloud lets a connector reach the hosts of its metadata only."""
    allowed = yaml.safe_load(path.read_text())["data"]["allowedHosts"]["hosts"]
    connection = ConnectionConfig.model_validate({"credentials": {"auth_type": "apikey", "apikey": f"{'0' * 32}-us6"}})
    assert isinstance(connection.credentials, ApiKeyCredentials)

    called = {urlsplit(auth.metadata_url(connection)).hostname, urlsplit(auth.api_url_of_key(connection, connection.credentials)).hostname}

    assert all(any(fnmatch(str(host), pattern) for pattern in allowed) for host in called)


@pytest.mark.parametrize("path", ["requirements-dev.txt", "docker/requirements.txt"])
def test_the_locked_versions_are_those_that_are_installed(path: str) -> None:
    """What is installed for development and in the images is what poetry.lock pins."""
    locked = {(package["name"], package["version"]) for package in tomllib.loads((ROOT / "poetry.lock").read_text())["package"]}
    lines = (ROOT / path).read_text().splitlines()
    pinned = [line.split(" ")[0].split("==") for line in lines if "==" in line.split(" ")[0]]

    assert pinned
    assert {(name.partition("[")[0], version) for name, version in pinned} <= locked
