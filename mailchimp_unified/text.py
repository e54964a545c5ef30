"""Text as people meant it: invisible characters, blank cells, names that differ only in how they were typed. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

NEAR_PERCENT = 75.0
"""How alike two names must be, by the share of characters in common, to be taken for a misspelling of each other."""

_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufe0e\ufeff]")
# Joiners belong to words and emoji of other scripts, not next to ASCII or at an end.
_STRAY_JOINER = re.compile("(?:(?<=[\x00-\x7f])|(?<![^\x00-\x7f]))[\u200c\u200d]+|[\u200c\u200d]+(?![^\x00-\x7f])")
_NOT_IN_EMAIL = re.compile(f"{_INVISIBLE.pattern}|[\u200c\u200d\ufe0f\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
_SPACES = re.compile(r"\s+")


def visible(text: str) -> str:
    """Return `text` without invisible characters (zero-width, byte order marks, bidirectional marks) and spaces at its ends."""
    if text.isascii():
        return text.strip()
    return _STRAY_JOINER.sub("", _INVISIBLE.sub("", text)).replace("\u00a0", " ").replace("\u202f", " ").strip()


def visible_email(text: str) -> str:
    """Return an email address without the invisible characters and special spaces that copying brings along."""
    return text.strip() if text.isascii() else _NOT_IN_EMAIL.sub("", text).strip()


def folded(name: str) -> str:
    """Return the form in which names of columns, fields and options are compared: visible, one kind of space, no case."""
    return _SPACES.sub(" ", unicodedata.normalize("NFC", visible(name))).casefold()


_SAID_TO_BE_EMPTY = frozenset({"null", "nan", "none", "n/a", "na", "-", "\\n", "[]", "{}", "[null]"})


# Some room for spaces around the words.
_LONGEST_SAID = 12


def says_nothing(value: Any) -> bool:
    """Return whether a cell is blank or only says that it is empty, as in NULL or n/a. Not for names: some people are called so."""
    if isinstance(value, str):
        return (len(value) <= _LONGEST_SAID and visible(value).casefold() in _SAID_TO_BE_EMPTY) or not visible(value)
    return is_blank(value)


def is_blank(value: Any) -> bool:
    """Return whether a person would call a cell empty: nothing, blank text, not a number, or a list or object of only such."""
    if value is None:
        return True
    if isinstance(value, str):
        # Most cells begin with a letter or a digit.
        return not value or (not value[0].isalnum() and not visible(value))
    if isinstance(value, float):
        return value != value  # noqa: PLR0124 - only NaN differs from itself
    if isinstance(value, dict):
        return all(map(is_blank, value.values()))
    return isinstance(value, list) and all(map(is_blank, value))


LARGEST_WHOLE = 2**53
"""Beyond it a floating-point number does not hold every whole number."""


def scalar_text(value: Any) -> str:
    """Return a scalar as text: 12.0 is 12, true is `true`. Raises ValueError for an object or a list."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST_WHOLE:
        return str(int(value))
    if isinstance(value, (int, float)):
        return str(value)
    raise ValueError(f"expects a string, not {'an object' if isinstance(value, dict) else 'a list'}")


def nearest(name: str, known: list[str]) -> str | None:
    """Return the known name that `name` most likely misspells, None when none is near."""
    # Loading it takes time that most runs need not spend.
    from rapidfuzz import fuzz, process

    found = process.extractOne(name, known, scorer=fuzz.ratio, processor=_letters, score_cutoff=NEAR_PERCENT)
    return found[0] if found else None


def did_you_mean(name: str, known: list[str]) -> str:
    """Return ` (did you mean X?)` for a near miss, else nothing."""
    near = nearest(name, known)
    return f" (did you mean {near}?)" if near else ""


def _letters(name: str) -> str:
    return re.sub(r"[\s_.-]", "", folded(name))
