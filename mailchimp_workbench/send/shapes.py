"""What values look like: whether they fit a field, and in which format they are written. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from mailchimp_workbench.send.fields import OBJECT, Target

SHARE = 0.8
"""So large a part of the values has to look alike; the others are probably mistakes."""

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
ISO_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([T ].*)?")
SLASHED = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})")
MONTH_NAMED = re.compile(r"[A-Z][a-z]{2,8}\.? \d{1,2}, \d{4}")
EPOCH = re.compile(r"\d{10}(\d{3})?")
BIRTHDAY = re.compile(r"\d{1,2}/\d{1,2}")
NUMBER = re.compile(r"-?\d+(\.\d+)?")
WRITTEN_NUMBER = re.compile(r"-?[$€£]?\s?-?\d{1,3}(,\d{3})*(\.\d+)?\s?[$€£%]?|-?[$€£]?\s?\d+(\.\d+)?\s?[$€£%]?")
PHONE = re.compile(r"\+?[\d\s().x/-]{6,25}")
WEB = re.compile(r"https?://\S+|www\.\S+")
ZIP = re.compile(r"[0-9A-Za-z][0-9A-Za-z \-]{2,9}")
YES_OR_NO = frozenset({"y", "n", "yes", "no", "true", "false", "t", "f", "on", "off", "1", "0"})
MONTHS = 12


def _most(values: Sequence[str], fit: Callable[[str], object]) -> bool:
    return bool(values) and sum(1 for value in values if fit(value)) >= SHARE * len(values)


def looks_like_email(values: Sequence[str]) -> bool:
    """Return whether most values are email addresses."""
    return _most(values, EMAIL.fullmatch)


def looks_like_date(values: Sequence[str]) -> bool:
    """Return whether most values are dates, however written."""
    return _most(values, lambda value: any(form.fullmatch(value) for form in (ISO_DATE, SLASHED, MONTH_NAMED, EPOCH)))


_BY_TYPE: dict[str, Callable[[Sequence[str]], bool]] = {
    "date": looks_like_date,
    "birthday": lambda values: _most(values, BIRTHDAY.fullmatch) or looks_like_date(values),
    "number": lambda values: _most(values, WRITTEN_NUMBER.fullmatch),
    "phone": lambda values: _most(values, PHONE.fullmatch),
    "url": lambda values: _most(values, WEB.fullmatch),
    "imageurl": lambda values: _most(values, WEB.fullmatch),
    "zip": lambda values: _most(values, ZIP.fullmatch),
    "yes or no": lambda values: _most(values, lambda value: value.casefold() in YES_OR_NO),
}


def fits(target: Target, values: Sequence[str]) -> bool:
    """Return whether most values can go into a field."""
    if target.field == "email":
        return looks_like_email(values)
    if target.choices:
        choices = {choice.casefold() for choice in target.choices}
        return _most(values, lambda value: value.casefold() in choices)
    if target.type == OBJECT:
        return False
    judge = _BY_TYPE.get(target.type)
    return judge(values) if judge else not looks_like_email(values)


def date_format(values: Sequence[str]) -> str:
    """Return the format of dates that are not ISO; "" for ISO, and where day and month cannot be told apart."""
    if _most(values, ISO_DATE.fullmatch):
        return ""
    if _most(values, MONTH_NAMED.fullmatch):
        return "MMM D, YYYY"
    parts = [found.groups() for value in values if (found := SLASHED.fullmatch(value))]
    if any(int(first) > MONTHS for first, _, _ in parts):
        return "DD/MM/YYYY"
    return "MM/DD/YYYY" if any(int(second) > MONTHS for _, second, _ in parts) else ""


def number_format(values: Sequence[str]) -> str:
    """Return "number" where numbers are written with separators or a currency."""
    return "number" if any(not NUMBER.fullmatch(value) for value in values) else ""
