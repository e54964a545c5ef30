"""Which column probably fills which field: by its name, and by its values. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from mailchimp_workbench.send.draft import Rule
from mailchimp_workbench.send.fields import NEEDED_PARTS, OBJECT, Target
from mailchimp_workbench.send.rows import Column
from mailchimp_workbench.send.shapes import date_format, fits, looks_like_email, number_format

NAME_SCORE = 86
"""Names that are so much alike (of 100) mean the same."""

SHORT_NAME = 5
"""Names of so few letters have to be the same: `name` is neither `fname` nor `lname`."""

VALUE_SCORE = 60
"""What the values alone say counts less than any name."""

FIT_BONUS = 10

ALIASES: dict[str, tuple[str, ...]] = {
    "email": ("email", "email address", "e mail", "mail"),
    "first_name": ("first name", "firstname", "given name", "forename", "fname"),
    "last_name": ("last name", "lastname", "surname", "family name", "lname"),
    "full_name": ("full name", "name"),
    "tags": ("tags", "tag", "labels", "ticket type", "segments"),
    "tags_to_remove": ("tags to remove", "remove tags"),
    "phones": ("phone", "phone number", "mobile", "telephone", "cell phone", "mobile phone"),
    "language": ("language", "locale"),
    "vip": ("vip",),
}
"""How people call the unified fields. Statuses are never suggested: what a status does to consent is to be chosen."""

_PART_ALIASES = {
    "addr1": ("street", "address line 1", "address 1", "street address", "address1"),
    "addr2": ("address line 2", "address 2", "address2"),
    "city": ("city", "town"),
    "state": ("state", "province", "region"),
    "zip": ("zip", "zip code", "postal code", "postcode"),
    "country": ("country",),
}

_DOTS_OF_A_PART = 2
"""A part of a postal address is named custom_fields.ADDRESS.city."""

NOISE = frozenset(
    {
        "attendee",
        "customer",
        "contact",
        "billing",
        "shipping",
        "guest",
        "subscriber",
        "buyer",
        "your",
        "the",
        "member",
        "lead",
        "person",
        "accepts",
    }
)
"""Words that say whose a column is, not what it holds."""


@dataclass(frozen=True)
class Suggestion:
    """A rule, and why."""

    rule: Rule
    reason: str
    score: float


def suggest(columns: Sequence[Column], known: Sequence[Target]) -> list[Suggestion]:
    """Return at most one suggestion per column and per field, the surest first."""
    if is_unified(columns):
        return [one for column in columns if (one := _unified(column, known))]
    found = [one for column in columns for target in known if (one := _judge(column, target))]
    taken_columns, taken_fields = set[str](), set[str]()
    kept = []
    for one in sorted(found, key=lambda one: -one.score):
        column = one.rule.column or ""
        if column not in taken_columns and one.rule.field not in taken_fields:
            kept.append(one)
            taken_columns.add(column)
            taken_fields |= _claims(one.rule.field)
    return _without_scraps(kept)


def _without_scraps(found: Sequence[Suggestion]) -> list[Suggestion]:
    """Leave out the parts of a postal address that is not whole: Mailchimp would reject each row."""
    parts: dict[str, set[str]] = {}
    for one in found:
        address, _, part = one.rule.field.rpartition(".")
        parts.setdefault(address, set()).add(part)
    whole = {address for address, known in parts.items() if known.issuperset(NEEDED_PARTS)}
    return [one for one in found if one.rule.field.count(".") < _DOTS_OF_A_PART or one.rule.field.rpartition(".")[0] in whole]


def is_unified(columns: Sequence[Column]) -> bool:
    """Return whether these are contacts as the source gives them."""
    return {"email", "list_id", "custom_fields"} <= {column.name for column in columns}


def _unified(column: Column, known: Sequence[Target]) -> Suggestion | None:
    """A column of unified contacts fills the field of its name. Names and phones are among the audience fields already."""
    if column.name not in ("email", "tags", "language", "vip", *(target.field for target in known if target.type == OBJECT)):
        return None
    return Suggestion(Rule(column.name, column=column.name), "as the source gives it", 100)


def _claims(field: str) -> set[str]:
    """A full name fills what first and last name fill."""
    names = {"first_name", "last_name", "full_name"}
    if field == "full_name":
        return names
    return {field, "full_name"} if field in names else {field}


def _judge(column: Column, target: Target) -> Suggestion | None:
    name = max((_likeness(column.name, alias) for alias in _aliases(target)), default=0.0)
    by_name = name >= NAME_SCORE
    if by_name and _acceptable(column, target):
        fit = FIT_BONUS if fits(target, column.values) else 0
        return Suggestion(_rule(column, target), "by its name", name + fit)
    if _told_by_values(column, target):
        return Suggestion(_rule(column, target), "by its values", VALUE_SCORE)
    return None


def _acceptable(column: Column, target: Target) -> bool:
    """A name is no reason when the values cannot go there."""
    return not column.values or fits(target, column.values)


def _told_by_values(column: Column, target: Target) -> bool:
    if target.field == "email":
        return looks_like_email(column.values)
    distinct = {value.casefold() for value in column.values}
    return len(target.choices) > 1 and len(distinct) > 1 and fits(target, column.values)


def _rule(column: Column, target: Target) -> Rule:
    form = date_format(column.values) if target.type in ("date", "birthday") else ""
    form = number_format(column.values) if target.type == "number" else form
    return Rule(target.field, column=column.name, format=form)


def _aliases(target: Target) -> Iterable[str]:
    yield from ALIASES.get(target.field, ())
    if target.field.startswith("custom_fields."):
        _, _, rest = target.field.partition(".")
        tag, _, part = rest.partition(".")
        if part:
            yield from _PART_ALIASES[part]
        else:
            yield from (tag, target.label)


def _likeness(column: str, alias: str) -> float:
    wanted = _words(alias)
    named = {_words(column), _without_noise(column)}
    return max(fuzz.ratio(words, wanted) if len(wanted) > SHORT_NAME else 100.0 * (words == wanted) for words in named)


def _words(name: str) -> str:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return " ".join(re.findall(r"[^\W_]+", spaced.casefold()))


def _without_noise(name: str) -> str:
    kept = [word for word in _words(name).split() if word not in NOISE]
    return " ".join(kept) or _words(name)
