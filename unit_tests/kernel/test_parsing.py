"""What is JSON, what is nearly JSON, and what is nested too deeply."""

from __future__ import annotations

import json
from typing import Any, TypedDict

import pytest

from mailchimp_unified.parsing import UnreadableError, exactly_parsed, is_too_deep, parsed, printed

LONGEST = 4_300
"""https://docs.python.org/3/library/stdtypes.html#integer-string-conversion-length-limitation."""


class Kept(TypedDict, total=False):
    """What a test keeps of an object."""

    name: str


def test_only_what_is_kept_is_read_and_the_rest_where_that_fails() -> None:
    """A value of another kind than expected brings the whole answer, and what is not asked to be cut stays whole."""
    assert parsed(b'{"name": "A", "id": 1}', Kept) == {"name": "A"}
    assert parsed(b'{"id": 1}', Kept) == {}
    assert parsed(b'{"name": 5, "id": 1}', Kept) == {"name": 5, "id": 1}
    assert parsed(b'{"name": "A", "id": 1}') == {"name": "A", "id": 1}


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"[NaN, Infinity, -Infinity, 1.5]", [None, None, None, 1.5]),
        (b"[1e999, -1e999, 2]", [None, None, 2]),
        (b'["a\\ud800b", {"\\udc00": ["\\ud801"]}]', ["a\ufffdb", {"\ufffd": ["\ufffd"]}]),
        (b'["\xff", true, null, NaN]', ["\ufffd", True, None, None]),
        (b'[1, "a\tb\x00\nc"]', [1, "a\tb\x00\nc"]),
    ],
)
def test_what_strict_parsers_refuse_is_read_with_the_odd_values_replaced(content: bytes, value: Any) -> None:
    """Numbers that are none become null, halves of characters the sign for an unknown one; all else stays, control characters too."""
    assert parsed(content) == value
    assert exactly_parsed(content) == value


@pytest.mark.parametrize(("digits", "read"), [(LONGEST - 1, True), (LONGEST, True), (LONGEST + 1, False)])
@pytest.mark.parametrize("sign", ["", "-"])
def test_a_whole_number_is_read_as_long_as_python_reads_it(digits: int, read: bool, sign: str) -> None:
    """A longer one is null, and the row around it stays; the sign is no digit."""
    number = sign + "9" * digits

    assert parsed(f"[NaN, {number}, 1]".encode()) == [None, int(number) if read else None, 1]
    assert exactly_parsed(f"[{number}, 1]".encode()) == [int(number) if read else None, 1]


@pytest.mark.parametrize("content", [b"", b"<html>", b'{"a":', b"[" * 100_000, b'{"a": 1} {}'])
def test_what_is_not_json_by_any_parser_is_said_to_be_unreadable(content: bytes) -> None:
    """Cut off, another language, or nested without end."""
    for read in (parsed, exactly_parsed):
        with pytest.raises(UnreadableError):
            read(content)


def test_a_whole_number_of_more_than_64_bits_is_printed_as_it_is() -> None:
    """An identifier is not rounded on its way through."""
    assert exactly_parsed(printed({"id": 2**70, "name": "é"})) == {"id": 2**70, "name": "é"}


def nested(levels: int, mixed: bool) -> Any:
    """Return lists, or lists and objects by turns, in each other."""
    content: Any = 1
    for level in range(levels):
        content = {"a": content} if mixed and level % 2 else [content]
    return content


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize(("levels", "deep"), [(0, False), (1, False), (99, False), (100, False), (101, True), (130, True)])
def test_content_of_more_than_a_hundred_levels_is_too_deep(levels: int, deep: bool, mixed: bool) -> None:
    """Objects and lists count alike."""
    content = nested(levels, mixed)
    text = json.dumps(content).encode()

    assert is_too_deep(content, text) is deep
    # However many shallow ones are next to them.
    assert is_too_deep([*([[]] * 200), content], text + b"[]" * 201) is (levels >= 100)


def test_many_shallow_lists_are_not_deep() -> None:
    """It is the levels that count, not the brackets; nor do brackets in a text."""
    assert not is_too_deep([[]] * 500, b"[]" * 501)
    assert not is_too_deep({"a": "[" * 500}, b"[" * 500)
