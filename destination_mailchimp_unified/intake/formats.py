"""Dates and numbers that are not written as Mailchimp takes them: read as the rule's `format` says. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from mailchimp_unified.entities.entity import rfc3339, timestamp
from mailchimp_unified.entities.merge_field import MergeField, value_to_mailchimp
from mailchimp_unified.entities.readers import text
from mailchimp_unified.text import LARGEST_WHOLE, folded, visible

NUMBER, SECONDS, MILLISECONDS = "number", "epoch_seconds", "epoch_milliseconds"

_NAMES = {
    **dict.fromkeys(("number", "currency", "amount"), NUMBER),
    **dict.fromkeys(("epoch", "unix", "timestamp", "seconds", "epoch seconds", "unix seconds", "unix timestamp"), SECONDS),
    **dict.fromkeys(("milliseconds", "epoch milliseconds", "epoch ms", "unix milliseconds", "unix ms"), MILLISECONDS),
}

# Letters of dates as spreadsheets and most libraries write them, and what Python calls them.
_LETTERS = {
    "YYYY": "%Y", "YY": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "M": "%m", "DD": "%d", "D": "%d",
    "HH": "%H", "H": "%H", "hh": "%I", "h": "%I", "mm": "%M", "m": "%M", "ss": "%S", "s": "%S", "A": "%p", "a": "%p", "Z": "%z",
}  # fmt: skip
_TOKEN = re.compile("|".join([r"\[[^\]]*\]", *sorted(_LETTERS, key=len, reverse=True), "[A-Za-z]"]))
_LEADING_SIGN = re.compile(r"^([^\d.,]*?)[-\u2212(]\s*")
_TRAILING_SIGN = re.compile(r"[-\u2212)]$")
_A_DATE = MergeField("date", "date")

_EXPECTED = "use number, epoch_seconds, epoch_milliseconds, or a pattern with day and month such as DD/MM/YYYY"

Read = Callable[[Any], Any]


def reader_of(format_: str) -> Read:
    """Return the reader for cells in this format. Raises ValueError for an unknown format.

    Formats: `number`, `epoch_seconds`, `epoch_milliseconds`, a pattern such as `DD/MM/YYYY` or `MMM D, YYYY`, a pattern of
    Python's (`%d/%m/%Y`), or an example with the month as a word (`Jan 5, 2026`).
    """
    name = _NAMES.get(re.sub(r"[\s_-]+", " ", folded(format_)))
    if name == NUMBER:
        return number
    if name:
        return lambda value: _epoch(value, 1 if name == SECONDS else 1000)
    if re.search(r"\d", format_) and "%" not in format_:
        return _reader_like(format_)
    pattern = format_ if "%" in format_ else _pattern(format_)
    if not ({"%d", "%j"} & set(_directives(pattern)) and {"%m", "%b", "%B", "%j"} & set(_directives(pattern))):
        raise ValueError(_EXPECTED)
    return lambda value: _moment(value, pattern, format_)


def _reader_like(example: str) -> Read:
    """Return what reads dates like an example; without the month as a word nobody knows which number is the month."""
    if not re.search("[A-Za-z]{3}", example):
        raise ValueError(_EXPECTED)
    _a_date(example)
    return _a_date


def is_date(format_: str) -> bool:
    """Return whether a format is one of dates."""
    return reader_of(format_) is not number


def _pattern(format_: str) -> str:
    # dd and yyyy are days and years in any case; mm are months where nothing else is, minutes otherwise.
    letters = re.sub("[dy]", lambda match: match[0].upper(), format_)
    if "M" not in letters:
        letters = letters.replace("mm", "MM", 1) if "mm" in letters else letters.replace("m", "M", 1)
    return _TOKEN.sub(_directive, letters.replace("%", "%%"))


def _directive(match: re.Match[str]) -> str:
    token = match[0]
    if token.startswith("["):
        return token[1:-1]
    if token not in _LETTERS and token != "T":  # noqa: S105 - the letter between a day and its time
        raise ValueError(_EXPECTED)
    return _LETTERS.get(token, token)


def _directives(pattern: str) -> list[str]:
    return re.findall("%[A-Za-z]", pattern)


def _moment(value: Any, pattern: str, format_: str) -> str:
    """Return a day as 2026-01-31, a time as RFC 3339, a day without a year as 01/31. What is ISO already is taken as well."""
    words = visible(text(value))
    first = words.split(" ")[0] if " " not in pattern else words
    used = set(_directives(pattern))
    has_year = bool({"%Y", "%y"} & used)
    for written in dict.fromkeys((words, first)):
        try:
            # Without a year, one with a 29 February.
            found = datetime.strptime(written if has_year else f"2000 {written}", pattern if has_year else f"%Y {pattern}")  # noqa: DTZ007
        except ValueError:
            continue
        if not has_year:
            return found.strftime("%m/%d")
        return rfc3339(found) if used & {"%H", "%I", "%M", "%S"} else found.date().isoformat()
    if re.match(r"\d{4}-\d{1,2}-\d{1,2}", words) and timestamp(words):
        return words
    raise ValueError(f"expects a date in the form {format_}")


def _a_date(value: Any) -> str:
    try:
        return str(value_to_mailchimp(_A_DATE, text(value)))
    except ValueError:
        raise ValueError("expects a date such as Jan 5, 2026 or 2026-01-05") from None


def _epoch(value: Any, per_second: int) -> str:
    try:
        return rfc3339(datetime.fromtimestamp(float(text(value)) / per_second, tz=UTC))
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"expects {'seconds' if per_second == 1 else 'milliseconds'} since 1970") from None


def number(value: Any) -> int | float:
    """Return a number with thousands separators, a currency sign or code, or parentheses around what is negative."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    # Loading it takes time that most runs need not spend.
    from price_parser import Price

    words = re.sub(r"(?<=\d)['\u2019](?=\d)", "", visible(text(value)))
    unsigned = _TRAILING_SIGN.sub("", _LEADING_SIGN.sub(r"\1", words))
    # A lone point is a decimal point; a lone comma before three digits is not.
    lone_point = unsigned.count(".") == 1 and "," not in unsigned
    price = Price.fromstring(unsigned, decimal_separator="." if lone_point else None)
    rest = unsigned.replace(price.amount_text or "", "", 1).replace(price.currency or "", "", 1)
    if price.amount is None or re.sub(r"\b[A-Z]{3}\b", "", rest).strip(" +"):
        raise ValueError("expects a number, with or without thousands separators and a currency sign")
    is_negative = _LEADING_SIGN.match(words) or re.search(r"\d[-\u2212]$", words)
    amount = -price.amount if is_negative else price.amount
    return int(amount) if amount == amount.to_integral_value() and abs(amount) < LARGEST_WHOLE else float(amount)
