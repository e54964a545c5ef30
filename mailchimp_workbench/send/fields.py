"""The fields of an audience that a column can fill, with their types and choices."""

from __future__ import annotations

import json
from dataclasses import dataclass

from mailchimp_workbench.connectors import Json
from mailchimp_workbench.database import Database

CONTACT, MERGE, ADDRESS, WHOLE = "Contact", "Audience fields", "Parts of a postal address", "Many at once, as the source gives them"

ADDRESS_PARTS = {
    "addr1": "Street",
    "addr2": "Street, second line",
    "city": "City",
    "state": "State",
    "zip": "Zip code",
    "country": "Country",
}
"""The parts of a postal address: https://mailchimp.com/developer/marketing/docs/merge-fields/."""

NEEDED_PARTS = ("addr1", "city", "state", "zip")
"""Mailchimp takes a postal address with all of these only: same page."""

_UNIFIED = {
    "email": ("Email address", "text"),
    "first_name": ("First name", "text"),
    "last_name": ("Last name", "text"),
    "full_name": ("Full name", "text"),
    "tags": ("Tags to add", "names, separated"),
    "tags_to_remove": ("Tags to remove", "names, separated"),
    "status": ("Status", "status"),
    "status_if_new": ("Status if new", "status"),
    "phones": ("Phone", "phone"),
    "language": ("Language", "such as en"),
    "vip": ("VIP", "yes or no"),
    "email_type": ("Email format", "html or text"),
    "is_deleted": ("Deleted", "yes or no"),
    "list_id": ("Audience of the row", "id of an audience"),
    "previous_email": ("Previous email address", "text"),
}
_OBJECTS = {
    "custom_fields": "All audience fields",
    "interests": "All interest groups",
    "marketing_permissions": "All marketing permissions",
}
OBJECT = "object"

UNIFIED_NAMES = frozenset(
    {*_UNIFIED, *_OBJECTS, "addresses", "location", "ip_signup", "ip_opt", "timestamp_signup", "timestamp_opt"},
)
"""Columns of these names would be taken without a rule in some streams."""

FREE_FIELDS = {
    "tag:": ("A tag, on or off", "Tag"),
    "interests.": ("An interest group, on or off", "Category/Name"),
    "marketing_permissions.": ("A marketing permission, on or off", "Text of the permission"),
    "custom_fields.": ("A new audience field", "Tag, such as COMPANY"),
}
"""Fields that are named by hand: their beginning, their label, and what is to be typed."""

_BY_NAME = {"FNAME": "first_name", "LNAME": "last_name", "PHONE": "phones"}
"""Merge fields that have a unified name."""


@dataclass(frozen=True)
class Target:
    """A field that a column can fill."""

    field: str
    label: str
    group: str
    type: str = "text"
    required: bool = False
    choices: tuple[str, ...] = ()

    @property
    def hint(self) -> str:
        """Type and choices in words."""
        words = f"{self.type}: {', '.join(self.choices)}" if self.choices else self.type
        return f"{words}, required" if self.required else words


def targets(database: Database, list_id: str) -> list[Target]:
    """Return the fields that an audience offers, in the order of a form."""
    merge_fields = database.rows("SELECT * FROM mailchimp_merge_fields WHERE list_id = ? ORDER BY position, tag", [list_id])
    named = {row["tag"] for row in merge_fields}
    unified = [
        Target(name, label, CONTACT, type_, name == "email")
        for name, (label, type_) in _UNIFIED.items()
        if name != "phones" or "PHONE" in named
    ]
    own = [_merge_target(row) for row in merge_fields if row["tag"] not in _BY_NAME]
    parts = [part for row in merge_fields if row["type"] == "address" for part in _parts(row)]
    whole = [Target(name, label, WHOLE, OBJECT) for name, label in _OBJECTS.items()]
    return [*unified, *own, *parts, *whole]


def _merge_target(row: Json) -> Target:
    choices = tuple(json.loads(row["choices"])) if row["choices"] else ()
    return Target(f"custom_fields.{row['tag']}", row["name"] or row["tag"], MERGE, row["type"] or "text", row["required"], choices)


def _parts(row: Json) -> list[Target]:
    name = row["name"] or row["tag"]
    return [Target(f"custom_fields.{row['tag']}.{part}", f"{name}: {label}", ADDRESS) for part, label in ADDRESS_PARTS.items()]


def labels(database: Database, list_id: str) -> dict[str, str]:
    """Return how people call the fields, by unified name and by the tag of a merge field."""
    named = database.rows("SELECT tag, name FROM mailchimp_merge_fields WHERE list_id = ?", [list_id])
    return {**{name: label for name, (label, _) in _UNIFIED.items()}, **{row["tag"]: row["name"] or row["tag"] for row in named}}


def grouped(found: list[Target]) -> dict[str, list[Target]]:
    """Return the fields by group."""
    groups: dict[str, list[Target]] = {}
    for target in found:
        groups.setdefault(target.group, []).append(target)
    return groups


def free_part(field: str, known: list[Target]) -> tuple[str, str] | None:
    """Return the beginning and the typed rest of a field that is named by hand; None for one of the list."""
    if not field or field in {target.field for target in known}:
        return None
    beginning = next((start for start in FREE_FIELDS if field.startswith(start)), None)
    return (beginning, field.removeprefix(beginning)) if beginning else None
