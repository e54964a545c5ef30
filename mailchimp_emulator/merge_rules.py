"""What a merge field of each type accepts, and how the value is kept.

Public source: https://mailchimp.com/developer/marketing/docs/merge-fields/
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

from mailchimp_emulator.audience import Audience
from mailchimp_emulator.models import MergeField
from mailchimp_emulator.problems import FieldErrors, merge_fields_invalid, schema_problem
from mailchimp_emulator.vendor import MAX_TEXT_BYTES

_ISO = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ].*)?$")
_DAY_FIRST = re.compile(r"(\d{1,2})-(\d{1,2})-(\d{4})$")
_MONTH_FIRST = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})$")
_BIRTHDAY = re.compile(r"(\d{1,2})/(\d{1,2})$")
_URL = re.compile(r"(?:https?|ftp)://[^\s/$.?#][^\s]*$", re.IGNORECASE)
_LEAP_YEAR = 2000
ADDRESS_PARTS = ("addr1", "addr2", "city", "state", "zip", "country")
REQUIRED_ADDRESS_PARTS = ("addr1", "city", "state", "zip")
BLANK = "Please enter a value"
INCOMPLETE = "Please enter a complete address"


class RefusedError(ValueError):
    """A value that the field does not take; the text is what Mailchimp says."""


def _text(_: MergeField, value: Any) -> str:
    return str(value).encode()[:MAX_TEXT_BYTES].decode(errors="ignore")


def _number(_: MergeField, value: Any) -> int | float:
    if isinstance(value, (int, float)):
        return value
    text = str(value).strip()
    if not re.fullmatch(r"[-+]?\d+(\.\d*)?|[-+]?\.\d+", text):
        raise RefusedError("Please enter a number")
    return float(text) if "." in text else int(text)


def _calendar_day(year: str | int, month: str, day: str, message: str) -> date:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise RefusedError(message) from None


def _date(_: MergeField, value: Any) -> str:
    message, text = "Please enter a date", str(value).strip()
    if match := _ISO.match(text):
        return _calendar_day(match[1], match[2], match[3], message).isoformat()
    if match := _DAY_FIRST.match(text):
        return _calendar_day(match[3], match[2], match[1], message).isoformat()
    if match := _MONTH_FIRST.match(text):
        return _calendar_day(match[3], match[1], match[2], message).isoformat()
    raise RefusedError(message)


def _birthday(_: MergeField, value: Any) -> str:
    message = "Please enter a month and day"
    match = _BIRTHDAY.match(str(value).strip())
    if match is None:
        raise RefusedError(message)
    return _calendar_day(_LEAP_YEAR, match[1], match[2], message).strftime("%m/%d")


def _zip(_: MergeField, value: Any) -> str:
    if not re.fullmatch(r"\d{5}", str(value)):
        raise RefusedError("Please enter a zip code")
    return str(value)


def _phone(field: MergeField, value: Any) -> str:
    text = _text(field, value)
    if field.options.get("phone_format") != "US":
        return text
    digits = re.sub(r"\D", "", text)
    if len(digits) != 10:
        raise RefusedError("Please enter a phone number in the format (###) ###-####")
    return f"({digits[:3]}) {digits[3:6]}-{digits[6:]}"


def _url(field: MergeField, value: Any) -> str:
    if not _URL.match(str(value)):
        raise RefusedError("Please enter a URL")
    return _text(field, value)


def _choice(field: MergeField, value: Any) -> str:
    if str(value) not in field.options.get("choices", []):
        raise RefusedError("Please choose one of the values in the list")
    return str(value)


def _address(_: MergeField, value: Any) -> dict[str, str]:
    if incomplete_address(value):
        raise RefusedError(INCOMPLETE)
    return {part: str(value.get(part, "US" if part == "country" else "")) for part in ADDRESS_PARTS}


_RULES: dict[str, Callable[[MergeField, Any], Any]] = {
    "text": _text,
    "number": _number,
    "address": _address,
    "phone": _phone,
    "date": _date,
    "url": _url,
    "imageurl": _url,
    "radio": _choice,
    "dropdown": _choice,
    "birthday": _birthday,
    "zip": _zip,
}


def accepted(field: MergeField, value: Any) -> Any:
    """The value as the field keeps it; raises `RefusedError`."""
    if isinstance(value, dict) and field.type != "address":
        raise RefusedError("Please enter a value")
    return _RULES[field.type](field, value)


def incomplete_address(value: Any) -> bool:
    """Whether a value is not a postal address, or is one without the parts that Mailchimp requires."""
    return not isinstance(value, dict) or any(not value.get(part) for part in REQUIRED_ADDRESS_PARTS)


def merged(
    audience: Audience,
    current: dict[str, Any],
    sent: dict[str, Any],
    *,
    check_required: bool,
    strict_address: bool,
    check_stored: bool,
) -> dict[str, Any]:
    """The merge fields after a write: sent ones replace, `""` clears, unknown tags are ignored.

    With `check_stored` an incomplete postal address that is stored already refuses the write, too.

    Raises the Mailchimp error with one entry for each field that was refused.
    """
    outcome, errors = dict(current), FieldErrors()
    for field in audience.merge_fields.values():
        if field.tag in sent:
            _merge_one(field, sent[field.tag], outcome, errors, strict_address=strict_address)
        elif check_stored and field.type == "address" and field.tag in current and incomplete_address(current[field.tag]):
            errors.append({"field": field.tag, "message": INCOMPLETE})
        if check_required and field.required and field.tag not in outcome and not _named(errors, field.tag):
            errors.append({"field": field.tag, "message": BLANK})
    if errors:
        raise merge_fields_invalid(errors)
    return outcome


def _merge_one(field: MergeField, value: Any, outcome: dict[str, Any], errors: FieldErrors, *, strict_address: bool) -> None:
    if value == "":
        outcome.pop(field.tag, None)
        return
    try:
        outcome[field.tag] = accepted(field, value)
    except RefusedError as refusal:
        if field.type == "address" and strict_address:
            message = "Data did not match any of the schemas described in anyOf."
            raise schema_problem([{"field": f"merge_fields.{field.tag}", "message": message}]) from None
        errors.append({"field": field.tag, "message": str(refusal)})


def _named(errors: FieldErrors, tag: str) -> bool:
    return any(error["field"] == tag for error in errors)
