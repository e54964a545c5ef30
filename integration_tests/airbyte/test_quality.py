"""Airbyte's own quality checks and metadata validators, on both connectors as its monorepo would have them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
import yaml

from integration_tests.airbyte.environments import ROOT, environment
from tools.stage import CONNECTORS, connector, stage

pytestmark = pytest.mark.quality

NEEDS = "airbyte-internal-ops needs Python 3.11 or 3.12, and is set up by: make test-quality"

CHECKS = 30
"""How many checks Airbyte has for each connector."""

NOT_MEANT = {
    "source-mailchimp-unified": {"CheckManifestOnlyConnectorBaseImage"},
    "destination-mailchimp-unified": {
        "CheckManifestOnlyConnectorBaseImage",
        # Airbyte checks these of sources only.
        "CheckConnectorMaxSecondsBetweenMessagesValue",
        "CheckPublishToPyPiIsDeclared",
        "CheckDocumentationLinks",
        "CheckDocumentationHeadersOrder",
        "CheckPrerequisitesSectionDescribesRequiredFieldsFromSpec",
        "CheckSourceSectionContent",
        "CheckForAirbyteCloudSectionContent",
        "CheckForAirbyteOpenSectionContent",
        "CheckSupportedSyncModesSectionContent",
        "CheckTutorialsSectionContent",
        "CheckIpAllowListSectionContent",
        "CheckChangelogSectionContent",
    },
}
"""The checks that pass over a connector of this kind, however well it is supported."""

AS_CERTIFIED = {"supportLevel": "certified", "ab_internal": {"sl": 300, "ql": 400}}
"""Of a connector that Airbyte supports itself it checks everything that it can check."""


def _as_certified(airbyte: Path) -> None:
    for name in CONNECTORS:
        path = connector(airbyte, name) / "metadata.yaml"
        metadata = yaml.safe_load(path.read_text())
        metadata["data"].update(AS_CERTIFIED)
        path.write_text(yaml.safe_dump(metadata))


@pytest.mark.parametrize("certified", [False, True], ids=["as_it_is", "as_if_certified"])
def test_both_connectors_pass_every_check(tmp_path: Path, *, certified: bool) -> None:
    """No check fails; and as a certified connector is checked, none passes over them that looks at connectors of their kind."""
    quality = environment(".venv-quality", tmp_path, NEEDS)
    airbyte = stage(tmp_path)
    if certified:
        _as_certified(airbyte)

    done = quality.run("python", ROOT / "tools" / "quality_checks.py", airbyte)

    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [result for result in results if result["status"] == "FAILED"] == [], done.stderr
    assert done.returncode == 0, done.stderr
    assert Counter(result["connector"] for result in results) == dict.fromkeys(CONNECTORS, CHECKS)
    if certified:
        skipped = {(result["connector"], result["check"]) for result in results if result["status"] == "SKIPPED"}
        assert skipped == {(name, check) for name, checks in NOT_MEANT.items() for check in checks}


def test_a_flaw_is_found(tmp_path: Path) -> None:
    """The checks really look: a missing page, a wrong version and an unknown key of the metadata fail."""
    quality = environment(".venv-quality", tmp_path, NEEDS)
    airbyte = stage(tmp_path)
    (airbyte / "docs" / "integrations" / "destinations" / "mailchimp-unified.md").unlink()
    metadata = connector(airbyte, "source-mailchimp-unified") / "metadata.yaml"
    metadata.write_text(metadata.read_text().replace("dockerImageTag: 0.1.0", "dockerImageTag: 0.1.1").replace("alpha", "gamma"))

    done = quality.run("python", ROOT / "tools" / "quality_checks.py", airbyte)

    failed = {
        (result["connector"], result["check"]) for result in map(json.loads, done.stdout.splitlines()) if result["status"] == "FAILED"
    }
    assert done.returncode == 1
    assert failed == {
        ("source-mailchimp-unified", "ValidateMetadata"),
        ("source-mailchimp-unified", "CheckConnectorVersionMatchInPyproject"),
        ("source-mailchimp-unified", "CheckChangelogEntry"),
        ("destination-mailchimp-unified", "CheckDocumentationExists"),
        ("destination-mailchimp-unified", "CheckChangelogEntry"),
        ("destination-mailchimp-unified", "ValidateMetadata"),
    }
