"""What can stand in an event, by both ways in: one parser reads lines and bodies."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from destination_mailchimp_unified.live.events import Event, Streams, event_of_line
from destination_mailchimp_unified.live.requests import events_of
from integration_tests.streaming.simulated import CALM, LIST, Days, Live, live
from mailchimp_unified.parsing import DEEPEST, exactly_parsed, printed

STREAMS = Streams((None, "events"), ("unified", "events"))


def both_ways(line: bytes) -> list[Event]:
    """Return the event of a line, of a body, and of a list in a body."""
    return [event_of_line(line, STREAMS), events_of(line, STREAMS)[0][0], events_of(b"[" + line + b"]", STREAMS)[0][0]]


def nested(levels: int) -> str:
    """A list so many levels deep."""
    return "[" * levels + "]" * levels


VALUES = [
    ("18446744073709551616", 18446744073709551616),
    ("-9223372036854775809", -9223372036854775809),
    ("1" * 40, int("1" * 40)),
    ("1" * 4000, int("1" * 4000)),
    ("1" * 5000, None),
    ("1.5", 1.5),
    ("1e3", 1000.0),
    ("1e400", None),
    ("NaN", None),
    ("-Infinity", None),
    (r'"\ud83d"', "\N{REPLACEMENT CHARACTER}"),
    (r'"\ud83d\ude00"', "\N{GRINNING FACE}"),
    ('"\u00e9"', "\u00e9"),
    (nested(DEEPEST - 1), json.loads(nested(DEEPEST - 1))),
]


@pytest.mark.parametrize(("text", "value"), VALUES, ids=[text[:20] for text, _ in VALUES])
def test_a_value_is_the_same_by_every_way_in(text: str, value: Any) -> None:
    """Whole numbers of any size are exact; what JSON has no word for is null or U+FFFD; as an id and as a column."""
    line = f'{{"id": {text}, "column": {text}}}'.encode()

    for event in both_ways(line):
        assert (event.id, event.message.columns["column"]) == (value, value)  # type: ignore[union-attr]


@pytest.mark.parametrize("levels", [DEEPEST, 200, 500, 900])
def test_what_is_nested_too_deeply_is_answered(levels: int) -> None:
    """An event with too many levels is refused by its id, alone; what else came with it is taken."""
    for event in both_ways(f'{{"id": 7, "column": {nested(levels)}}}'.encode()):
        assert (event.id, "deeply" in event.message.reason) == (7, True)  # type: ignore[union-attr]


def test_of_two_equal_keys_the_last_counts() -> None:
    """As most parsers have it."""
    for event in both_ways(b'{"id": 1, "email": "a@contacts.example", "email": "b@contacts.example", "id": 2}'):
        assert (event.id, event.message.columns["email"]) == (2, "b@contacts.example")  # type: ignore[union-attr]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**40), 10**40) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_what_is_printed_reads_back(content: Any) -> None:
    """Any JSON value is the same after it was printed and read: an id goes back as it came."""
    if "\\ud" not in json.dumps(content):
        assert exactly_parsed(printed(content)) == content


def test_deep_and_large_values_are_written_or_answered(tmp_path: Path) -> None:
    """No value of a cell ends the process: texts that hold deep JSON, and numbers of forty digits, which reach Mailchimp digit by digit."""
    world, path = Days(41, CALM), tmp_path / "rejects.jsonl"
    deep = [nested(levels) for levels in (150, 900, 960, 1020, 3000)]

    async def story(told: Live) -> None:
        columns = ("tags", "first_name", "custom_fields", "location", "interests")
        events = [{"email": f"{name}{n}@contacts.example", "list_id": LIST, name: text} for name in columns for n, text in enumerate(deep)]
        outcomes = await told.ask(*events)
        assert len([outcome for outcome in outcomes if outcome]) == len(events)
        assert await told.kinds({"email": "n@contacts.example", "first_name": int("12345678" * 5)}) == ["created"]
        assert await told.kinds({"email": "bad", "number": int("12345678" * 5)}) == ["rejected"]
        await asyncio.sleep(0)

    live(world, story, rejected_records="file", rejected_records_file=str(path))

    assert world.values()["n@contacts.example"] == "12345678" * 5
    assert json.loads(path.read_text().splitlines()[-1])["record"]["number"] == int("12345678" * 5)
