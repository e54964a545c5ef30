"""What the source discovers and reads of an account of any size, and of whose states it takes."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from airbyte_cdk.models import AirbyteStateMessageSerializer, ConfiguredAirbyteCatalogSerializer, FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from integration_tests.commands import catalog
from mailchimp_unified.request import PAGE_SIZE
from unit_tests.account import CONFIG, LOGGER, Account, audiences, source

TAGS = ("ZIP", "AGE", "FNAME")


def state(stream: str, stream_state: dict[str, Any]) -> Any:
    """Return a state message."""
    found = {"type": "STREAM", "stream": {"stream_descriptor": {"name": stream}, "stream_state": stream_state}}
    return AirbyteStateMessageSerializer.load(found)


def read(account: Account, stream: str, stream_state: dict[str, Any] | None = None) -> tuple[list[Any], list[str]]:
    """Return the records of a stream, and the paths that were asked for. Raises what the source raises."""
    connector, scripted = source(account)
    configured = ConfiguredAirbyteCatalogSerializer.load(catalog([stream]))
    states = [] if stream_state is None else [state(stream, stream_state)]
    try:
        messages = list(connector.read(LOGGER, {**CONFIG, "raw_streams": ["campaigns"]}, configured, states))
    except AirbyteTracedException as error:
        error.paths = scripted.paths  # type: ignore[attr-defined]
        raise
    return [one.record.data for one in messages if one.record], scripted.paths


@pytest.mark.parametrize("order", itertools.permutations(TAGS))
def test_custom_fields_are_discovered_in_the_order_of_their_tags(order: tuple[str, ...]) -> None:
    """In any order from Mailchimp: a catalog that is discovered again is the same."""
    connector, _ = source(Account(audiences(2), [{"tag": tag, "name": tag, "type": "text"} for tag in order]))

    [contacts] = [one for one in connector.discover(LOGGER, CONFIG).streams if one.name == "contacts"]

    assert list(contacts.json_schema["properties"]["custom_fields"]["properties"]) == sorted(TAGS)


@pytest.mark.parametrize("number", [1, 999, 1_000, 1_001, 2_345])
def test_all_audiences_are_read(number: int) -> None:
    """Each is a record of lists, however many pages they fill, and a page that is not full is asked for once."""
    many = audiences(number)

    records, paths = read(Account(many), "lists")

    assert [record["id"] for record in records] == [audience["id"] for audience in many]
    assert paths.count("/3.0/lists") <= (1 if number < PAGE_SIZE else number // PAGE_SIZE + 4)


FOREIGN = {
    "of another source": ("contacts", {"updated_at": "2026-01-01T00:00:00+00:00"}),
    "of a stream of another kind": ("contacts", {"records": {}}),
    "of contacts": ("lists", {"lists": {}}),
    "of a wrong type": ("contacts", {"lists": [1, 2]}),
    "with a time that is none": ("contacts", {"lists": {"a": {"updated_at": "yesterday"}}}),
    "with a window of one end": ("contacts", {"lists": {"a": {"left": {"": [[1]]}}}}),
    "with records in a list": ("tags", {"records": ["a"]}),
    "with a key that is not JSON": ("tags", {"records": {"a": "f"}}),
    "with a key that is one text": ("users", {"records": {'"a"': "f"}}),
    "with a key that is an object": ("lists", {"records": {"{}": "f"}}),
    "of another kind for a raw stream": ("mailchimp_campaigns", {"records": {}}),
    "with a cursor that is none": ("mailchimp_campaigns", {"cursors": {"[]": "yesterday"}}),
}


@pytest.mark.parametrize(("stream", "foreign"), FOREIGN.values(), ids=FOREIGN)
def test_a_state_of_a_foreign_kind_is_refused_before_anything_is_asked(stream: str, foreign: dict[str, Any]) -> None:
    """It is a config error: a state that is read as empty, or in part, would read all again or lose something."""
    with pytest.raises(AirbyteTracedException) as refused:
        read(Account(audiences(1)), stream, foreign)

    assert refused.value.failure_type == FailureType.config_error
    assert refused.value.paths == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "ours", [{}, {"records": {}}, {"records": {}, "of a later version": 1}, {"__ab_full_refresh_sync_complete": True}], ids=str
)
def test_a_state_of_ours_is_taken(ours: dict[str, Any]) -> None:
    """An empty one, one of a later version, and the mark that Airbyte leaves after a full refresh."""
    assert len(read(Account(audiences(1)), "lists", ours)[0]) == 1
