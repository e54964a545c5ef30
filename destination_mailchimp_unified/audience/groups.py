"""The groups and marketing permissions of an audience by their names: records and mappings name them, calls want ids. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mailchimp_unified.entities.contact import OnInvalid
from mailchimp_unified.entities.merge_field import InvalidValueError
from mailchimp_unified.request import Json
from mailchimp_unified.text import did_you_mean, folded

BETWEEN = "/"
"""Between the title of a category and the name of a group in it."""


@dataclass
class Groups:
    """Names to ids: `Category/Name` of groups, and texts of marketing permissions, each with the name as Mailchimp spells it."""

    interests: dict[str, tuple[str, str]] = field(default_factory=dict)
    permissions: dict[str, tuple[str, str]] = field(default_factory=dict)

    def add_interests(self, category: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Learn the groups of a category."""
        for row in rows:
            name = f"{category}{BETWEEN}{row.get('name')}"
            self.interests[_key(name)] = (name, str(row.get("id")))

    def add_permissions(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Learn marketing permissions from a contact: Mailchimp lists them nowhere else."""
        for row in rows:
            text = str(row.get("text") or "")
            self.permissions[_key(text)] = (text, str(row.get("marketing_permission_id")))

    def interest_id(self, name: str) -> str:
        """Return the id of a group. Raises InvalidValueError for a name that the audience does not have."""
        if BETWEEN not in name:
            return name
        return _id(name, self.interests, "interests", "the audience has no group")

    def permission_id(self, text: str) -> str:
        """Return the id of a marketing permission. Raises InvalidValueError for a text that the audience does not have."""
        # Only a contact shows them: nothing is known of an audience without any.
        words = (
            "the audience has no marketing permission" if self.permissions else "no contact in the audience shows a marketing permission"
        )
        return _id(text, self.permissions, "marketing_permissions", words)


def _key(name: str) -> str:
    return BETWEEN.join(folded(part) for part in name.split(BETWEEN))


def _id(name: str, known: Mapping[str, tuple[str, str]], label: str, words: str) -> str:
    found = known.get(_key(name))
    if found is None:
        raise InvalidValueError(label, f"{words} {name}{did_you_mean(name, [spelled for spelled, _ in known.values()])}")
    return found[1]


def wants_groups(unified: Mapping[str, Any]) -> bool:
    """Return whether a contact names a group or a marketing permission by its name rather than its id."""
    permissions = unified.get("marketing_permissions") or []
    return any(BETWEEN in name for name in unified.get("interests") or {}) or any(
        "marketing_permission_id" not in row for row in permissions
    )


def with_ids(unified: Json, groups: Groups | None, on_invalid: OnInvalid) -> Json:
    """Return a contact whose groups and permissions are named by their ids; `on_invalid` is told of an unknown name."""
    if groups is None or not wants_groups(unified):
        return unified
    interests: Json = {}
    for name, chosen in (unified.get("interests") or {}).items():
        if (interest_id := _found(groups.interest_id, name, on_invalid)) is not None:
            interests[interest_id] = chosen
    permissions = []
    for row in unified.get("marketing_permissions") or []:
        named = row.get("marketing_permission_id") or _found(groups.permission_id, row["text"], on_invalid)
        if named is not None:
            permissions.append({"marketing_permission_id": named, "enabled": row["enabled"]})
    return {**unified, "interests": interests or None, "marketing_permissions": permissions or None}


def _found(find: Callable[[str], str], name: str, on_invalid: OnInvalid) -> str | None:
    try:
        return find(name)
    except InvalidValueError as error:
        on_invalid(error)
        return None
