"""What an audience is called as a destination object: its name for people, its id for the connector. Pure."""

from __future__ import annotations

import re

from mailchimp_unified.config import usable_list_id
from mailchimp_unified.text import visible

NAME_CHARACTERS = 80
"""Most characters of an audience's name in a picker; longer names are cut."""

_ELLIPSIS = "…"

_JOINERS = "\u200c\u200d"
"""Invisible, but parts of words and emoji."""

_ID_IN_BRACKETS = re.compile(r"\((?P<id>[^()]*)\)\Z")


def object_name(name: object, list_id: str) -> str:
    """Return the object of an audience, such as `Event Guests (2e6b74a9f8)`: readable, on one line, and unique by the id at its end."""
    printable = "".join(letter if letter.isprintable() or letter in _JOINERS else " " for letter in visible(str(name or "")))
    words = visible(" ".join(printable.split()))
    shown = words if len(words) <= NAME_CHARACTERS else words[: NAME_CHARACTERS - 1].rstrip() + _ELLIPSIS
    return f"{shown} ({list_id})" if shown else list_id


def list_id_of(name: str) -> str | None:
    """Return the id of the audience that an object stands for: what its last brackets hold, or all of it. None without an id.

    The name in front decides nothing: the audience may have been renamed since.
    """
    shown = visible(name)
    found = _ID_IN_BRACKETS.search(shown)
    try:
        return usable_list_id(found["id"] if found else shown)
    except ValueError:
        return None
