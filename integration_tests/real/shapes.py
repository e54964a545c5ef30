"""The shape of a JSON body: which keys it has, and of which types they are."""

from __future__ import annotations

from typing import Any

Shape = dict[str, frozenset[str]]
"""Types by path, such as {"members[].tags_count": {"number"}}."""

_TYPES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "boolean"),
    (str, "string"),
    # Mailchimp writes a whole number without its decimals: 0 next to 6.83 in the same field.
    ((int, float), "number"),
    (dict, "object"),
    (list, "array"),
)


def json_type(value: Any) -> str:
    """Return the JSON type of a value."""
    return next((name for kind, name in _TYPES if isinstance(value, kind)), "null")


def shape(value: Any, path: str = "") -> Shape:
    """Return the types of every key below a value; the items of an array count as one."""
    below: list[Shape] = []
    if isinstance(value, dict):
        below = [shape(item, f"{path}.{key}".lstrip(".")) for key, item in value.items()]
    elif isinstance(value, list):
        below = [shape(item, f"{path}[]") for item in value]
    found: Shape = {path: frozenset({json_type(value)})}
    for one in below:
        for name, types in one.items():
            found[name] = found.get(name, frozenset()) | types
    return found
