"""Merge fields: their definitions, the JSON type of their values, and the conversion of values towards Mailchimp.

Types and formats: https://mailchimp.com/developer/marketing/docs/merge-fields/.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from mailchimp_unified.entities.entity import nested, or_null
from mailchimp_unified.entities.postal_address import NO_STATE, part_names, whole_address
from mailchimp_unified.request import Json
from mailchimp_unified.text import LARGEST_WHOLE, folded, is_blank, says_nothing, scalar_text, visible

TEXT_BYTES = 255
"""Longest text value; Mailchimp cuts what is longer: https://mailchimp.com/developer/marketing/docs/merge-fields/#structure."""

_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,3})?")
_WHOLE = re.compile(r"[-+]?[0-9]+")

_WORDS = ("text", "url", "imageurl")

MOST_CHOICES_SHOWN = 20
"""A reason names at most so many choices of a field."""

US_PHONE_DIGITS = 10
"""Digits of a number in the format US, (###) ###-####: https://mailchimp.com/developer/marketing/docs/merge-fields/#structure."""

ZIP_DIGITS = 5
"""Digits of a US zip code: https://mailchimp.com/developer/marketing/docs/merge-fields/#structure."""

# A day, and perhaps a time of which only the day is kept.
_ISO_DAY = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[T ].*)?$")

_DATE_FORMATS = ("%Y/%m/%d", "%d-%m-%Y", "%m/%d/%Y")
"""Formats that Mailchimp takes for a date, apart from 2026-01-31: https://mailchimp.com/developer/marketing/docs/merge-fields/#structure."""

_MONTH_BY_NAME = ("%b %d %Y", "%B %d %Y", "%d %b %Y", "%d %B %Y")
"""Dates that can be read in one way only because the month is a word, in English, such as Jan 5, 2026."""


class InvalidValueError(ValueError):
    """A value that its field cannot take; `tag` names the field, `reason` says what is expected without quoting the value."""

    def __init__(self, tag: str, reason: str) -> None:
        super().__init__(f"{tag}: {reason}")
        self.tag = tag
        self.reason = reason


class UnknownMergeFieldError(InvalidValueError):
    """A value for a merge field that the audience does not have; Mailchimp would drop it without a word."""

    def __init__(self, tag: str) -> None:
        super().__init__(tag, "the audience has no such merge field")


@dataclass(frozen=True)
class MergeField:
    """The definition of a merge field as far as values depend on it; `default_country` is Mailchimp's number of a country."""

    tag: str
    type: str
    name: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()
    phone_format: str = ""
    default_country: int | None = None


Conversion = Callable[[MergeField, Any], Any]


def merge_field_of(definition: Mapping[str, Any]) -> MergeField:
    """Return the definition Mailchimp gives, as /lists/{list_id}/merge-fields lists it."""
    options = nested(definition, "options")
    return MergeField(
        tag=str(definition["tag"]),
        type=str(definition.get("type") or "text"),
        name=str(definition.get("name") or ""),
        required=bool(definition.get("required")),
        choices=tuple(str(choice) for choice in options.get("choices") or []),
        phone_format=str(options.get("phone_format") or ""),
        default_country=options.get("default_country"),
    )


def unified_definition(definition: Mapping[str, Any]) -> Json:
    """Return a definition in the shape of `lists.merge_fields`."""
    options = nested(definition, "options")
    return {
        "merge_id": definition.get("merge_id"),
        "tag": definition.get("tag"),
        "name": or_null(definition.get("name")),
        "type": or_null(definition.get("type")),
        "required": definition.get("required"),
        "public": definition.get("public"),
        "default_value": or_null(definition.get("default_value")),
        "help_text": or_null(definition.get("help_text")),
        "display_order": definition.get("display_order"),
        "choices": options.get("choices"),
        "date_format": or_null(options.get("date_format")),
        "phone_format": or_null(options.get("phone_format")),
        "default_country": options.get("default_country"),
        "size": options.get("size"),
    }


def value_schema(type_: str) -> Json:
    """Return the JSON schema of the values that Mailchimp gives for a merge field of this type."""
    if type_ == "number":
        return {"type": ["null", "number"]}
    if type_ == "date":
        return {"type": ["null", "string"], "format": "date"}
    if type_ == "address":
        part = {"type": ["null", "string"]}
        return {"type": ["null", "object"], "additionalProperties": True, "properties": dict.fromkeys(part_names(), part)}
    return {"type": ["null", "string"]}


def is_empty(merge_field: MergeField, value: Any) -> bool:
    """Return whether a value is none: blank, or in a field that holds no words only said to be empty, as in NULL or n/a."""
    if merge_field.type in _WORDS or (isinstance(value, str) and value in merge_field.choices):
        return is_blank(value)
    return says_nothing(value)


def value_to_mailchimp(merge_field: MergeField, value: Any) -> Any:
    """Return `value` as the merge field wants it; a blank becomes "", which clears it. Raises InvalidValueError."""
    return "" if is_empty(merge_field, value) else converted(merge_field, value)


def converted(merge_field: MergeField, value: Any) -> Any:
    """Return a value that is not empty as the merge field wants it. Raises InvalidValueError."""
    known = VALUE_TYPES.get(merge_field.type, _WORDED)
    try:
        return known.convert(merge_field, value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidValueError(merge_field.tag, str(error)) from None


def _text(_: MergeField, value: Any) -> str:
    text = scalar_text(value)
    if len(text.encode()) > TEXT_BYTES:
        raise ValueError(f"is longer than {TEXT_BYTES} bytes; Mailchimp would truncate it")
    return text


def _digits(value: Any) -> str:
    # Tables that keep identifiers as numbers may have given them a fraction.
    return re.sub(r"^([0-9]+)\.0+$", r"\1", scalar_text(value).strip())


def _number(_: MergeField, value: Any) -> float | int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = visible(scalar_text(value))
    if isinstance(value, bool) or not _NUMBER.fullmatch(text):
        raise ValueError("expects a number; for thousands separators or a currency sign, set format to number in field_mapping")
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("expects a finite number")
    # A whole number stays one, as long as JSON can carry it exactly.
    if abs(number) >= LARGEST_WHOLE:
        return number
    return int(text) if _WHOLE.fullmatch(text) else int(number) if number.is_integer() else number


def _date(_: MergeField, value: Any) -> str:
    return _day(value, "a date such as 2026-01-31; for other forms, set format in field_mapping").isoformat()


def _birthday(_: MergeField, value: Any) -> str:
    text = visible(scalar_text(value))
    if match := re.fullmatch(r"(\d{1,2})[/-](\d{1,2})", text):
        # A leap year, so that 02/29 is a birthday.
        return date(2000, int(match[1]), int(match[2])).strftime("%m/%d")
    return _day(text, "a birthday such as 01/31, or a date").strftime("%m/%d")


def _day(value: Any, wanted: str) -> date:
    text = visible(scalar_text(value))
    words = re.sub(r"[\s,.-]+", " ", text).strip()
    days = (_parsed_day(text, format_) for format_ in (None, *_DATE_FORMATS))
    named = (_parsed_day(words, format_) for format_ in _MONTH_BY_NAME)
    if (day := next((day for day in (*days, *named) if day), None)) is None:
        raise ValueError(f"expects {wanted}")
    return day


def _parsed_day(text: str, format_: str | None) -> date | None:
    try:
        if format_ is None:
            match = _ISO_DAY.match(text)
            return date(int(match[1]), int(match[2]), int(match[3])) if match else None
        return datetime.strptime(text, format_).date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return None


def _phone(merge_field: MergeField, value: Any) -> str:
    text = _text(merge_field, _digits(value))
    if merge_field.phone_format != "US":
        return text
    digits = "".join(re.findall("[0-9]", text))
    if len(digits) == US_PHONE_DIGITS + 1 and digits.startswith("1"):
        digits = digits[1:]
    if len(digits) != US_PHONE_DIGITS:
        raise ValueError(f"expects a US phone number of {US_PHONE_DIGITS} digits")
    return f"({digits[:3]}) {digits[3:6]}-{digits[6:]}"


def _zip(merge_field: MergeField, value: Any) -> str:
    # Tables that keep zip codes as numbers lose the zeros in front.
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    text = _digits(value).zfill(ZIP_DIGITS) if is_number else _digits(_text(merge_field, value))
    if not re.fullmatch(rf"[0-9]{{{ZIP_DIGITS}}}", text):
        raise ValueError(f"expects a zip code of {ZIP_DIGITS} digits")
    return text


def _choice(merge_field: MergeField, value: Any) -> str:
    text = scalar_text(value)
    if not merge_field.choices or text in merge_field.choices:
        return text
    choices = {folded(choice): choice for choice in merge_field.choices}
    if (choice := choices.get(folded(text))) is None:
        raise ValueError(f"is not one of the field's choices ({_shown(merge_field.choices)})")
    return choice


def _shown(choices: tuple[str, ...]) -> str:
    left = len(choices) - MOST_CHOICES_SHOWN
    return ", ".join(choices[:MOST_CHOICES_SHOWN]) + (f" and {left} more" if left > 0 else "")


@dataclass(frozen=True)
class ValueType:
    """What a type of merge field takes and sends, in words for the documentation, and the conversion itself."""

    convert: Conversion
    takes: str
    sends: str


_WORDED = ValueType(_text, f"text, number, boolean; at most {TEXT_BYTES} bytes", "a string; `true` or `false` for a boolean, `12` for 12.0")
_CHOSEN = ValueType(_choice, "one of the choices, in any case", "the choice as Mailchimp spells it")

VALUE_TYPES: dict[str, ValueType] = {
    "text": _WORDED,
    "url": _WORDED,
    "imageurl": _WORDED,
    "number": ValueType(_number, "a number, or a string that is one", "a number"),
    "date": ValueType(
        _date,
        "`2026-01-31`, also with a time behind it, `2026/01/31`, `31-01-2026`, `01/31/2026`, or with the month as a word: `Jan 31, 2026`",
        "`2026-01-31`",
    ),
    "birthday": ValueType(_birthday, "`01/31`, or any of the dates", "`01/31`"),
    "dropdown": _CHOSEN,
    "radio": _CHOSEN,
    "phone": ValueType(
        _phone,
        "text or number; where the field has the US format, ten digits in any form, a leading 1 allowed",
        "the text; `(404) 555-0100`",
    ),
    "zip": ValueType(_zip, f"{ZIP_DIGITS} digits, also as a number that lost its leading zeros", f"{ZIP_DIGITS} digits"),
    "address": ValueType(
        lambda _, value: whole_address(value),
        "an object, or one as JSON text, by Mailchimp's names of the parts or ours; a string with two spaces between the parts, as in"
        " Mailchimp's export; outside the United States the state may be missing",
        f"the object; `{NO_STATE}` for a missing state",
    ),
}
"""Type of merge field to its conversion: https://mailchimp.com/developer/marketing/docs/merge-fields/."""
