"""What a run means for people's consent, in a sentence. Pure."""

from __future__ import annotations

from typing import Any


def consequences(options: dict[str, Any], *, double_optin: bool, has_status: bool) -> str:
    """Return what becomes of new people and of those who left."""
    return f"{_new_people(options.get('status_if_new') or 'auto', double_optin=double_optin)} {_left(options, has_status=has_status)}"


def _new_people(status: str, *, double_optin: bool) -> str:
    if status == "auto":
        status = "pending" if double_optin else "subscribed"
    return {
        "pending": "People who are new get an email and are subscribed once they confirm.",
        "subscribed": "People who are new are subscribed at once, so they need to have agreed to get campaigns.",
        "unsubscribed": "People who are new are added as unsubscribed and get no campaigns.",
        "transactional": "People who are new are added without a subscription and get no campaigns.",
    }.get(status, f"People who are new get the status {status}.")


def _left(options: dict[str, Any], *, has_status: bool) -> str:
    applied = options.get("apply_status") or "never"
    if not has_status or applied in ("never", False):
        return "Nobody who unsubscribed, bounced or was archived is subscribed again."
    if applied == "opt_outs":
        return "A row can unsubscribe somebody, and nobody is subscribed again."
    return "A row's status is applied to people who are there, and can subscribe somebody again who had left."
