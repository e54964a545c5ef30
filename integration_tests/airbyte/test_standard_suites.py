"""The CDK's standard suites, on the scenarios of acceptance-test-config.yml, against a local Mailchimp."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from airbyte_cdk.test.models import ConnectorTestScenario
from airbyte_cdk.test.standard_tests import DestinationTestSuiteBase, SourceTestSuiteBase
from airbyte_cdk.test.standard_tests._job_runner import run_test_job
from airbyte_cdk.test.standard_tests._spec_lint import assert_spec_is_valid, get_single_spec

from destination_mailchimp_unified.destination import DestinationMailchimpUnified
from mailchimp_emulator import Emulator
from source_mailchimp_unified import SourceMailchimpUnified
from tools.stage import CONNECTORS, connector, stage

STANDS_AT = "http://127.0.0.1:8800"
"""Where the configurations look for the emulator: the port that it takes when it is started by hand."""


class Staged:
    """A connector whose suite finds the repository while it collects, and a staged folder while it runs."""

    name: ClassVar[str]
    folder: ClassVar[Path | None] = None

    @classmethod
    def get_connector_root_dir(cls) -> Path:
        """Return the folder with the connector's description."""
        return cls.folder or CONNECTORS[cls.name]


@pytest.fixture(scope="class")
def staged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The connector laid out as Airbyte has it, configured for a local Mailchimp that holds the audiences of the demo."""
    with Emulator(demo=True) as mailchimp, pytest.MonkeyPatch.context() as patch:
        folder = connector(stage(tmp_path_factory.mktemp("staged")), request.cls.name)
        for path in (folder / "integration_tests/airbyte/configs").iterdir():
            path.write_text(path.read_text().replace(STANDS_AT, mailchimp.url))
        patch.setattr(request.cls, "folder", folder)
        yield


@pytest.mark.usefixtures("staged")
class TestSource(Staged, SourceTestSuiteBase):
    """Airbyte's standard tests of a source."""

    name = "source-mailchimp-unified"
    connector = SourceMailchimpUnified


@pytest.mark.usefixtures("staged")
class TestDestination(Staged, DestinationTestSuiteBase):
    """Airbyte's standard tests of a destination."""

    name = "destination-mailchimp-unified"
    connector = DestinationMailchimpUnified

    def test_spec(self) -> None:
        """The specification passes the lint that Airbyte has for every connector, and runs for sources only."""
        result = run_test_job(self.create_connector(None), "spec", connector_root=self.get_connector_root_dir())

        assert_spec_is_valid(get_single_spec(result, connector_name=self.name), connector_name=self.name)


def _scenarios(suite: Any) -> dict[str, ConnectorTestScenario]:
    return {scenario.id: scenario for scenario in suite.get_scenarios()}


@pytest.mark.parametrize("suite", [TestSource, TestDestination], ids=["source", "destination"])
def test_every_configuration_is_tried_at_high_strictness(suite: Any) -> None:
    """No configuration lies there unused, and the suites run as strictly as they can."""
    kind = suite.name.partition("-")[0]
    written = {path.stem for path in (Path(__file__).parent / "configs").glob(f"{kind}-*.json")}

    assert written == set(_scenarios(suite))
    assert {scenario.test_strictness_level for scenario in _scenarios(suite).values()} == {"high"}


@pytest.mark.parametrize("suite", [TestSource, TestDestination], ids=["source", "destination"])
def test_the_configuration_with_every_option_has_every_option(suite: Any) -> None:
    """A new option must come into the configuration that says what the standard tests try."""
    root = Path(__file__).parents[2]
    spec = json.loads((root / suite.name.replace("-", "_") / "spec.json").read_text())
    path = _scenarios(suite)[f"{suite.name.partition('-')[0]}-every-option"].config_path
    assert path is not None

    assert set(yaml.safe_load((root / path).read_text())) == set(spec["connectionSpecification"]["properties"])


@pytest.mark.parametrize("name", CONNECTORS)
def test_airbytes_own_command_finds_its_way_around(name: str, tmp_path: Path) -> None:
    """`airbyte-cdk connector test` on a staged folder finds the connector's class, its configurations and its suite."""
    folder = connector(stage(tmp_path), name)
    airbyte_cdk = Path(sys.executable).with_name("airbyte-cdk")

    done = subprocess.run(
        [airbyte_cdk, "connector", "test", folder, "--pytest-arg=-k=matches", "--pytest-arg=-m=not image_tests"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
