"""What Mailchimp checks in a body before it looks at the contact: JSON types, addresses, IPs, timestamps.

Public source: https://mailchimp.com/developer/marketing/docs/errors/
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from mailchimp_emulator.problems import FieldErrors, fake_email, invalid_email, schema_problem
from mailchimp_emulator.times import parse_second
from mailchimp_emulator.vendor import FAKE_DOMAINS, FAKE_TOP_LEVELS, WRITABLE_STATUSES

_EMAIL = re.compile(r"[^@\s<>()\[\],;:\\\"]+@[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$", re.IGNORECASE)
_MEMBER_TYPES: dict[str, str] = {
    "email_address": "string",
    "email_type": "string",
    "status": "string",
    "status_if_new": "string",
    "merge_fields": "object",
    "interests": "object",
    "language": "string",
    "vip": "boolean",
    "location": "object",
    "marketing_permissions": "array",
    "ip_signup": "string",
    "timestamp_signup": "string",
    "ip_opt": "string",
    "timestamp_opt": "string",
    "tags": "array",
}
_PYTHON_TYPES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "boolean"),
    (str, "string"),
    (int, "integer"),
    (float, "number"),
    (dict, "object"),
    (list, "array"),
)
_NO_SCHEMA = "Data did not match any of the schemas described in anyOf."


def json_type(value: Any) -> str:
    """The name by which Mailchimp calls the type of a JSON value."""
    return next((name for kind, name in _PYTHON_TYPES if isinstance(value, kind)), "NULL")


def wrong_type(field: str, wanted: str, value: Any) -> dict[str, str]:
    """The error of a field of the wrong JSON type, in Mailchimp's words."""
    return {"field": field, "message": f"Schema describes {wanted}, {json_type(value)} found instead"}


def typed_fields(body: dict[str, Any], types: dict[str, str], prefix: str = "") -> FieldErrors:
    """One error for each known field of the wrong JSON type; unknown fields are ignored."""
    return [
        wrong_type(prefix + name, types[name], value) for name, value in body.items() if name in types and json_type(value) != types[name]
    ]


def check_member(body: dict[str, Any]) -> None:
    """Refuse a member body of the wrong shape."""
    errors = member_errors(body)
    if errors:
        raise schema_problem(errors)


def member_errors(body: Any, prefix: str = "") -> FieldErrors:
    """What is wrong with the shape of a member body, field by field."""
    if not isinstance(body, dict):
        return [wrong_type(prefix.rstrip("."), "object", body)]
    errors = typed_fields(body, _MEMBER_TYPES, prefix)
    if errors:
        return errors
    return [
        *_enumeration(body, prefix),
        *_merge_types(body.get("merge_fields", {}), prefix),
        *_tag_types(body.get("tags", []), prefix),
        *_moments(body, prefix),
        *_addresses(body, prefix),
    ]


def _enumeration(body: dict[str, Any], prefix: str) -> FieldErrors:
    message = f"Value must be one of: {', '.join(WRITABLE_STATUSES)}"
    return [
        {"field": prefix + name, "message": message}
        for name in ("status", "status_if_new")
        if name in body and body[name] not in WRITABLE_STATUSES
    ]


def _merge_types(merge_fields: dict[str, Any], prefix: str) -> FieldErrors:
    # A merge field is a string, a number or an object: null, true and arrays match none of these.
    return [
        {"field": f"{prefix}merge_fields.{tag}", "message": _NO_SCHEMA}
        for tag, value in merge_fields.items()
        if json_type(value) in ("NULL", "boolean", "array")
    ]


def _tag_types(tags: list[Any], prefix: str) -> FieldErrors:
    return [wrong_type(f"{prefix}tags.item:{place}", "string", tag) for place, tag in enumerate(tags) if not isinstance(tag, str)]


def _moments(body: dict[str, Any], prefix: str) -> FieldErrors:
    return [
        {"field": prefix + name, "message": "This value is not a valid datetime."}
        for name in ("timestamp_signup", "timestamp_opt")
        if parse_second(body.get(name, "")) is None
    ]


def _addresses(body: dict[str, Any], prefix: str) -> FieldErrors:
    return [
        {"field": prefix + name, "message": "This value is not a valid IP address."}
        for name in ("ip_signup", "ip_opt")
        if body.get(name) and not _is_ip(body[name])
    ]


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def check_email(email: str, *, refuse_fakes: bool) -> None:
    """Refuse what is not an address, and on request what no person has."""
    if not _EMAIL.match(email):
        raise invalid_email()
    domain = email.rsplit("@", 1)[1].lower()
    if refuse_fakes and (domain in FAKE_DOMAINS or domain.endswith(FAKE_TOP_LEVELS)):
        raise fake_email(email)
