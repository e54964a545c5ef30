"""Automations of the demo with their emails and who waits for the next one.

Public source: https://mailchimp.com/developer/marketing/api/automation/
"""

from __future__ import annotations

from dataclasses import dataclass

from mailchimp_emulator.account import Account
from mailchimp_emulator.audience import Audience
from mailchimp_emulator.demo.serving import DAY, HOUR, Json, Served, collection
from mailchimp_emulator.models import stable_hex
from mailchimp_emulator.times import format_second

_PATH = "/automations"
_WAITING = 6
_SENT = 120
# Title, kind of workflow, audience by name, its emails: subject and days after the one before.
_WORKFLOWS = (
    (
        "Welcome series",
        "welcomeSeries",
        "Trail Notes Newsletter",
        (("Welcome on the trail", 0), ("Our ten favorite walks", 3), ("What to pack", 7)),
    ),
    ("After the fair", "groupAdd", "Event Guests", (("Thank you for coming", 1),)),
    ("A year with us", "dateAdded", "Northwind Customers", (("A year of walks together", 0), ("Something for the second year", 5))),
)


@dataclass(frozen=True, slots=True)
class _Flow:
    """One automation: when it began, for which audience, with which emails."""

    id: str
    title: str
    kind: str
    audience: Audience
    emails: tuple[tuple[str, int], ...]
    began: int


def automations(account: Account, now: int) -> list[Served]:
    """The automations, their emails, and the queue of each email."""
    by_name = {audience.name: audience for audience in account.audiences.values()}
    began = now - 300 * DAY
    flows = [
        _Flow(stable_hex(f"automation:{title}", 10), title, kind, by_name[name], emails, began) for title, kind, name, emails in _WORKFLOWS
    ]
    below = {flow.id: [_email(flow, place) for place in range(1, len(flow.emails) + 1)] for flow in flows}
    queues = {f"{_PATH}/{flow.id}/emails/{email['id']}/queue": _queue(flow, email, now) for flow in flows for email in below[flow.id]}
    emails_path = _PATH + "/{workflow_id}/emails"
    times = {"time": "create_time", "since": "since_create_time", "before": "before_create_time"}
    return [
        collection(_PATH, "automations", {_PATH: [_automation(flow) for flow in flows]}, **times),
        collection(emails_path, "emails", {f"{_PATH}/{key}/emails": rows for key, rows in below.items()}, parent=_PATH),
        collection(emails_path + "/{workflow_email_id}/queue", "queue", queues, parent=emails_path, around=("workflow_id",)),
    ]


def _automation(flow: _Flow) -> Json:
    emails, audience = len(flow.emails), flow.audience
    return {
        "id": flow.id,
        "create_time": format_second(flow.began),
        "start_time": format_second(flow.began + HOUR),
        "status": "sending",
        "emails_sent": _SENT * emails,
        "recipients": {"list_id": audience.id, "list_is_active": True, "list_name": audience.name},
        "settings": {"title": flow.title, "from_name": "Northwind Outdoor", "reply_to": "news@northwind.example", "to_name": "*|FNAME|*"},
        "tracking": {"opens": True, "html_clicks": True, "text_clicks": False},
        "trigger_settings": _trigger(flow),
        "report_summary": _summary(emails),
    }


def _trigger(flow: _Flow) -> Json:
    return {"workflow_type": flow.kind, "workflow_title": flow.title, "workflow_emails_count": len(flow.emails)}


def _summary(emails: int) -> Json:
    shares = {"open_rate": 0.4, "click_rate": 0.075}
    return {"opens": 61 * emails, "unique_opens": 48 * emails, "clicks": 12 * emails, "subscriber_clicks": 9 * emails, **shares}


def _email(flow: _Flow, place: int) -> Json:
    (subject, days), audience = flow.emails[place - 1], flow.audience
    return {
        "id": stable_hex(f"email:{flow.id}:{place}", 10),
        "web_id": int(flow.id[:5], 16) + place,
        "workflow_id": flow.id,
        "position": place,
        "delay": {"amount": days, "type": "day", "direction": "after", "action": "previous_campaign_sent"},
        "create_time": format_second(flow.began),
        "start_time": format_second(flow.began + HOUR),
        "status": "sending",
        "emails_sent": _SENT,
        "send_time": format_second(flow.began + (days + 1) * DAY),
        "content_type": "template",
        "recipients": {"list_id": audience.id, "list_is_active": True, "list_name": audience.name, "recipient_count": _SENT},
        "settings": {"subject_line": subject, "title": subject, "from_name": "Northwind Outdoor", "reply_to": "news@northwind.example"},
        "trigger_settings": _trigger(flow),
        "report_summary": _summary(1),
    }


def _queue(flow: _Flow, email: Json, now: int) -> list[Json]:
    """The newest contacts wait for all but the first email."""
    waiting = list(flow.audience.ordered["subscribed"][-_WAITING:]) if email["position"] > 1 else []
    return [
        {
            "id": member.id,
            "workflow_id": flow.id,
            "email_id": email["id"],
            "list_id": flow.audience.id,
            "email_address": member.email,
            "next_send": format_second(now + (number + 1) * HOUR),
        }
        for number, member in enumerate(waiting)
    ]
