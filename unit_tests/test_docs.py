"""What the pages say is what the code, the specifications and the measurements say."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from destination_mailchimp_unified.audience import listing
from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.pipeline import pacing, reject_guard
from destination_mailchimp_unified.settling import report
from docs.generator.collections import OFFICIAL
from docs.generator.pages import PAGES, SECTIONS, filled
from docs.generator.reference import rows_of
from mailchimp_unified.config import DEFAULT_WORKERS, MAX_CONNECTIONS
from mailchimp_unified.entities import ENTITIES
from mailchimp_unified.patience import Patience
from mailchimp_unified.schemas import load_schema
from source_mailchimp_unified.config import SourceConfig
from source_mailchimp_unified.source import parse_source_config
from source_mailchimp_unified.sync.progress import PROGRESS_SECONDS
from unit_tests.documents import DOCUMENTS, anchors, blocks, commands, headings, links, quoted, tables
from unit_tests.wordings import literals, reasons

ROOT = Path(__file__).resolve().parents[1]
SOURCE_PAGE = ROOT / "docs" / "integrations" / "sources" / "mailchimp-unified.md"
DESTINATION_PAGE = ROOT / "docs" / "integrations" / "destinations" / "mailchimp-unified.md"
SIGN_IN_PAGE = ROOT / "docs" / "oauth.md"
STREAMING = ROOT / "docs" / "streaming.md"
DELIVERY, MIGRATION = ROOT / "docs" / "delivery.md", ROOT / "docs" / "migrate.md"
README = ROOT / "README.md"

FIRST_LINES = 25

MESSAGE_HEADINGS = (
    "Messages",
    "Messages that end a check or a sync",
    "Reasons of rejected records",
    "Reasons of skipped records",
    "Warnings",
)

ELSEWHERE = {"docker", "kind", "meltano", "dagster", "airflow", "dbt", "pip", "python3.12", "gh"}
"""Programs that a reader has or installs; this project does not bring them."""

TEMPLATE = [
    "# Mailchimp Unified",
    "## Prerequisites",
    "## Setup guide",
    "## Set up Mailchimp Unified",
    "## Set up the Mailchimp Unified connector in Airbyte",
    "## Supported sync modes",
    "## Supported Streams",
    "## IP allow list",
    "### Performance considerations",
    "## Data type map",
    "## Limitations & Troubleshooting",
    "## Changelog",
]
"""The headings of Airbyte's template, in order: https://docs.airbyte.com/contributing-to-airbyte/resources/qa-checks."""


def name(path: Path) -> str:
    """Return a page's path from the root."""
    return str(path.relative_to(ROOT))


def project() -> dict[str, dict[str, str]]:
    """Return the project's own description."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["poetry"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_generated_parts_are_fresh(page: Path) -> None:
    """`make docs` would change nothing."""
    assert filled(page.read_text()) == page.read_text(), "stale: run make docs"


def test_every_generated_part_has_its_place() -> None:
    """What can be generated stands on a page."""
    placed = {part for page in PAGES for part in re.findall("<!-- begin generated: (.+?) -->", page.read_text())}

    assert placed == set(SECTIONS)


def test_the_reference_knows_every_shape_of_a_specification() -> None:
    """Groups, options, lists of objects with options of their own, constants and hidden keys are rows of the reference."""
    option = {"title": "One", "type": "object", "required": ["kind"], "properties": {"kind": {"type": "string", "const": "one"}}}
    specification = {
        "groups": [{"id": "late", "title": "Late"}, {"id": "early", "title": "Early"}],
        "properties": {
            "ungrouped": {"type": ["null", "integer"], "minimum": 1, "maximum": 3, "default": 0},
            "rows": {"type": "array", "group": "early", "items": {"type": "object", "oneOf": [option]}},
            "names": {"type": "array", "group": "late", "items": {"type": "string", "enum": [f"n{number}" for number in range(14)]}},
            "hidden": {"type": "string", "group": "late", "order": -1, "airbyte_hidden": True, "airbyte_secret": True},
        },
    }

    rows = list(rows_of(specification))

    assert [row[0] for row in rows] == [
        "**Late**", "`hidden`", "`names`", "**Early**", "`rows`", "`rows[]`, One", "`rows[].kind`", "`ungrouped`",
    ]  # fmt: skip
    assert rows[1][2:] == ("string, secret", "", "Not shown in the form.")
    assert rows[2][4].endswith("`n11`, and 2 more.")
    assert rows[6][3] == "always `one`"
    assert rows[7][2:] == ("null/integer", "`0`", "1 to 3.")


def test_the_readme_begins_with_something_to_run() -> None:
    """A block that runs stands within the first lines."""
    beginning = "\n".join(README.read_text().splitlines()[:FIRST_LINES])

    assert "```sh\nmake demo\n```" in beginning


@pytest.mark.parametrize("page", DOCUMENTS, ids=name)
def test_every_command_exists(page: Path) -> None:
    """Targets of make, scripts of the project, modules and programs that a page names are there."""
    missing = [command for block in blocks(page, "sh") for command in commands(block) if not exists(command)]

    assert missing == []


def exists(command: list[str]) -> bool:
    """Return whether what a command names is there."""
    program = re.sub(r"^\.venv[-a-z]*/bin/", "", command[0])
    if program == "make":
        return all(re.search(rf"^{target}: ", (ROOT / "Makefile").read_text(), re.MULTILINE) for target in command[1:] if "=" not in target)
    if program == "python" and command[1] == "-m":
        return importlib.util.find_spec(command[2]) is not None
    if program == "python":
        return (ROOT / command[1]).is_file()
    if program.endswith(("-unified", "-sign-in", "-workbench")):
        return program in project()["scripts"]
    return program in ("export", "cd", *ELSEWHERE) or shutil.which(program, path=f"{Path(sys.executable).parent}:/usr/bin:/bin") is not None


def test_what_the_readme_writes_is_ignored() -> None:
    """No file that the commands of the README write, credentials among them, can be committed by mistake."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout of git")
    text = "\n".join([*blocks(README, "sh"), *blocks(ROOT / "docs" / "running.md", "sh")])
    written = set(re.findall(r"(?:> ?|--database )([\w.]+\.\w+)", text)) | {"demo_output/report.html"}
    ignored = subprocess.run(["git", "check-ignore", *written], cwd=ROOT, capture_output=True, text=True, check=True)

    assert len(written) > 8
    assert set(ignored.stdout.split()) == written


@pytest.mark.parametrize("page", DOCUMENTS, ids=name)
def test_every_block_can_be_read(page: Path) -> None:
    """JSON is JSON, Python is Python."""
    for block in blocks(page, "json"):
        json.loads(block)
    for block in blocks(page, "python"):
        compile(block, page.name, "exec")


@pytest.mark.parametrize("page", DOCUMENTS, ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """A relative link leads to a file that is there, and to a heading in it where it names one."""
    broken = []
    for _, target in links(page):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(target)

    assert broken == []


@pytest.mark.parametrize("page", DOCUMENTS, ids=name)
def test_every_named_test_is_there(page: Path) -> None:
    """A test that a page calls a promise's proof is in the file that the link leads to."""
    for text, target in links(page):
        if text.startswith("test_"):
            assert f"def {text}(" in (page.parent / target).read_text()


def test_every_promise_names_its_test() -> None:
    """No row of the promises is without a link to a test."""
    promises = [row for table in tables(DELIVERY) for row in table.rows]

    assert promises
    assert [row for row in promises if "[test_" not in row[1]] == []


def messages() -> list[str]:
    """Return the messages that the troubleshooting tables explain."""
    found = [
        table.column(0)
        for page in (SOURCE_PAGE, DESTINATION_PAGE, STREAMING, SIGN_IN_PAGE)
        for table in tables(page)
        if table.heading in MESSAGE_HEADINGS
    ]
    return [message for cells in found for cell in cells for message in quoted(cell)]


def test_every_quoted_message_is_one_of_the_code() -> None:
    """A message that is explained is a text of the code, with … exactly where the code fills something in."""
    assert len(messages()) > 50
    assert [message for message in messages() if not any(message in text for text in literals())] == []


def test_every_reason_of_the_code_is_explained() -> None:
    """A sentence with which the code lets a check, a sync, a sign-in or a record fail has a row: what it means and what to do."""
    explained = messages()

    assert len(reasons()) > 30
    assert {text: module for text, module in reasons().items() if not any(message in text for message in explained)} == {}


def test_every_unified_column_of_the_migration_exists() -> None:
    """What a column becomes is a field of the stream it becomes."""
    for stream, heading in (("contacts", "Columns of list_members"), ("lists", "Columns of lists"), ("tags", "Columns of tags")):
        (table,) = [one for one in tables(MIGRATION) if one.heading == heading]
        named = {column for cell in table.column(1) for column in quoted(cell)} - {"include_remote_data"}
        assert named
        assert named <= set(load_schema(stream)["properties"])


def test_every_stream_of_airbytes_source_has_its_place() -> None:
    """Each of its streams has a row; each unified name is a stream or a field of one, each raw name follows the rule."""
    (theirs,) = [table for table in tables(MIGRATION) if table.heading == "Streams of Airbyte's source"]
    (singers,) = [table for table in tables(MIGRATION) if table.heading == "Streams of the tap"]
    unified = {name for row in theirs.rows + singers.rows for name in quoted(row[1])}

    assert {name for row in theirs.rows for name in quoted(row[0])} == set(OFFICIAL)
    assert {name for row in theirs.rows for name in quoted(row[2])} == {f"mailchimp_{stream}" for stream in OFFICIAL}
    assert {name for row in singers.rows for name in quoted(row[2])} <= {f"mailchimp_{stream}" for stream in OFFICIAL}
    for stream, _, column in (text.partition(".") for text in unified):
        assert stream in ENTITIES
        assert not column or column in load_schema(stream)["properties"]


@pytest.mark.parametrize(
    "credentials",
    [
        {"auth_type": "apikey", "apikey": "0123456789abcdef0123456789abcdef-us6"},
        {"auth_type": "oauth2.0", "client_id": "1", "client_secret": "2", "access_token": "3"},
    ],
    ids=["key", "token"],
)
def test_a_configuration_of_airbytes_source_is_accepted_as_it_is(credentials: dict[str, str]) -> None:
    """Its credentials, its way to write a date and its number of workers mean the same here."""
    config = parse_source_config({"credentials": credentials, "start_date": "2024-01-31T00:00:00.000Z", "num_workers": 2})

    assert config.start_date == "2024-01-31T00:00:00+00:00"
    assert config.num_workers == 2


@pytest.mark.parametrize("page", [SOURCE_PAGE, DESTINATION_PAGE], ids=name)
def test_a_connector_page_is_laid_out_as_airbytes_template(page: Path) -> None:
    """The headings of the template are there, once and in order."""
    assert [heading for heading in headings(page) if heading in TEMPLATE] == TEMPLATE


@pytest.mark.parametrize("page", [SOURCE_PAGE, DESTINATION_PAGE, ROOT / "CHANGELOG.md"], ids=name)
def test_the_version_is_in_every_changelog(page: Path) -> None:
    """Each changelog has an entry for the current version."""
    version = project()["version"]

    assert re.search(rf"^(\| {re.escape(str(version))} \||## {re.escape(str(version))} )", page.read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    ("model", "package"), [(SourceConfig, "source_mailchimp_unified"), (DestinationConfig, "destination_mailchimp_unified")]
)
def test_the_specification_has_every_key(model: type[SourceConfig | DestinationConfig], package: str) -> None:
    """The reference is made of the specification: no key of the configuration is missing there, and every default is the same."""
    properties = json.loads((ROOT / package / "spec.json").read_text())["connectionSpecification"]["properties"]

    assert properties.keys() == model.model_fields.keys()
    for key, value in properties.items():
        assert "default" not in value or value["default"] == model.model_fields[key].get_default(call_default_factory=True)


@pytest.mark.parametrize(
    ("page", "words", "value", "expected"),
    [
        (DELIVERY, "**Sixty seconds and one call.**", listing.FRESH_SECONDS, 60),
        (DELIVERY, "one second without input, or thirty seconds", (pacing.IDLE_SECONDS, pacing.AGE_SECONDS), (1, 30)),
        (DELIVERY, "once 100 records have come", reject_guard.MIN_RECORDS_TO_JUDGE, 100),
        (DELIVERY, "once a thousand have come", reject_guard.MIN_RECORDS_ALL_REJECTED, 1000),
        (DELIVERY, "for up to fifteen minutes", Patience.total, 900),
        (SOURCE_PAGE, "Fifteen minutes of throttling", Patience.total, 900),
        (SOURCE_PAGE, "logged every quarter of a minute", PROGRESS_SECONDS, 15),
        (SOURCE_PAGE, "six unless **Simultaneous Requests** says otherwise", DEFAULT_WORKERS, 6),
        (DESTINATION_PAGE, "five for each reason, a hundred in all", (report.SHOWN_ALIKE, report.SHOWN_REJECTS), (5, 100)),
        (ROOT / "docs" / "scale.md", "Mailchimp serves ten requests of a user at a time", MAX_CONNECTIONS, 10),
    ],
)
def test_numbers_in_words_are_those_of_the_code(page: Path, words: str, value: object, expected: object) -> None:
    """A number that a page spells out is the constant that it speaks of."""
    assert words in page.read_text()
    assert value == expected
