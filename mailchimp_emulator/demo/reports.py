"""Reports of the demo: one for each campaign that was sent, and who opened, clicked and left.

Public source: https://mailchimp.com/developer/marketing/api/reports/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mailchimp_emulator.demo.sends import Receipt, Send
from mailchimp_emulator.demo.serving import Json, Served, alone, collection
from mailchimp_emulator.demo.tallies import rate, summary
from mailchimp_emulator.models import stable_hex
from mailchimp_emulator.times import format_second

_PATH = "/reports"
_BELOW: dict[str, Any] = {"parent": _PATH, "names": {"campaign_id": "campaign_id"}, "around": ("campaign_id",)}
INDUSTRY = {
    "type": "Sports",
    "open_rate": 0.25,
    "click_rate": 0.02,
    "bounce_rate": 0.01,
    "unopen_rate": 0.74,
    "unsub_rate": 0.002,
    "abuse_rate": 0.0,
}


def reports(sends: list[Send]) -> list[Served]:
    """The reports, each by its id too, and what stands below them."""
    items = {send.id: _report(send) for send in sends}
    times = {"time": "send_time", "since": "since_send_time", "before": "before_send_time"}

    def below(name: str, key: str, rows: Callable[[Send], list[Json]], **more: Any) -> Served:
        found = {f"{_PATH}/{send.id}/{name}": rows(send) for send in sends}
        return collection(f"{_PATH}/{{campaign_id}}/{name}", key, found, **{**_BELOW, **more})

    return [
        collection(_PATH, "reports", {_PATH: list(items.values())}, **times),
        alone(_PATH + "/{campaign_id}", {f"{_PATH}/{number}": item for number, item in items.items()}, _PATH),
        below("sent-to", "sent_to", _sent_to),
        below("email-activity", "emails", _activity, time="activity.timestamp", since="since"),
        below("open-details", "members", _opens, time="opens.timestamp", since="since"),
        below("click-details", "urls_clicked", _clicks),
        below("unsubscribed", "unsubscribes", _leavers),
        collection(
            _PATH + "/{campaign_id}/click-details/{link_id}/members",
            "members",
            {f"{_PATH}/{send.id}/click-details/{_link_id(send, url)}/members": _clickers(send, url) for send in sends for url in send.urls},
            parent=_PATH + "/{campaign_id}/click-details",
            names={"campaign_id": "campaign_id", "url_id": "link_id"},
            around=("campaign_id",),
        ),
    ]


def _report(send: Send) -> Json:
    tally, count = summary(send), len(send.receipts)
    bounced, left = sum(receipt.bounced for receipt in send.receipts), sum(bool(receipt.left_at) for receipt in send.receipts)
    return {
        "id": send.id,
        "campaign_title": send.title,
        "type": "regular",
        "list_id": send.audience.id,
        "list_is_active": True,
        "list_name": send.audience.name,
        "subject_line": send.subject,
        "preview_text": send.preview,
        "emails_sent": count,
        "abuse_reports": 0,
        "unsubscribed": left,
        "send_time": format_second(send.at),
        "bounces": {"hard_bounces": bounced, "soft_bounces": 0, "syntax_errors": 0},
        "forwards": {"forwards_count": 0, "forwards_opens": 0},
        "opens": {
            "opens_total": tally["opens"],
            "unique_opens": tally["unique_opens"],
            "open_rate": rate(tally["unique_opens"], count),
            "last_open": _latest(moment for receipt in send.receipts for moment, _ in receipt.opened),
        },
        "clicks": {
            "clicks_total": tally["clicks"],
            "unique_clicks": tally["clicks"],
            "unique_subscriber_clicks": tally["subscriber_clicks"],
            "click_rate": rate(tally["subscriber_clicks"], count),
            "last_click": _latest(moment for receipt in send.receipts for moment, _, _ in receipt.clicked),
        },
        "facebook_likes": {"recipient_likes": 0, "unique_likes": 0, "facebook_likes": 0},
        "industry_stats": dict(INDUSTRY),
        "list_stats": {"sub_rate": 0, "unsub_rate": 0, "open_rate": rate(tally["unique_opens"], count), "click_rate": 0},
        "timeseries": [],
        "ecommerce": {"total_orders": 0, "total_spent": 0, "total_revenue": 0, "currency_code": "USD"},
        "delivery_status": {"enabled": False},
    }


def _latest(moments: Any) -> str:
    return format_second(max(moments, default=0))


def _person(send: Send, receipt: Receipt) -> Json:
    """The keys that every row about a recipient has."""
    return {
        "campaign_id": send.id,
        "list_id": send.audience.id,
        "list_is_active": True,
        "email_id": receipt.member.id,
        "email_address": receipt.member.email,
    }


def _known(send: Send, receipt: Receipt) -> Json:
    tags = send.audience.merge_tags()
    values = {tag: receipt.member.merge_fields.get(tag, "") for tag in tags}
    return {**_person(send, receipt), "merge_fields": values, "vip": False}


def _sent_to(send: Send) -> list[Json]:
    return [
        {
            **_known(send, receipt),
            "status": "hard" if receipt.bounced else "sent",
            "open_count": len(receipt.opened),
            "last_open": _latest(moment for moment, _ in receipt.opened),
            "absplit_group": "",
            "gmt_offset": 0,
        }
        for receipt in send.receipts
    ]


def _activity(send: Send) -> list[Json]:
    return [{**_person(send, receipt), "activity": _entries(send, receipt)} for receipt in send.receipts]


def _entries(send: Send, receipt: Receipt) -> list[Json]:
    entries = [(moment, {"action": "open", "timestamp": format_second(moment), "ip": ip}) for moment, ip in receipt.opened]
    entries += [
        (moment, {"action": "click", "timestamp": format_second(moment), "url": url, "ip": ip}) for moment, url, ip in receipt.clicked
    ]
    if receipt.bounced:
        entries.append((send.at + 5, {"action": "bounce", "type": "hard", "timestamp": format_second(send.at + 5)}))
    return [entry for _, entry in sorted(entries, key=lambda one: one[0])]


def _opens(send: Send) -> list[Json]:
    return [
        {
            **_known(send, receipt),
            "contact_status": receipt.member.status,
            "opens_count": len(receipt.opened),
            "opens": [{"timestamp": format_second(moment)} for moment, _ in receipt.opened],
        }
        for receipt in send.receipts
        if receipt.opened
    ]


def _link_id(send: Send, url: str) -> str:
    return stable_hex(f"link:{send.id}:{url}", 10)


def _clicks(send: Send) -> list[Json]:
    moments = {url: [moment for receipt in send.receipts for moment, clicked, _ in receipt.clicked if clicked == url] for url in send.urls}
    total = sum(map(len, moments.values()))
    return [
        {
            "id": _link_id(send, url),
            "url": url,
            "total_clicks": len(found),
            "click_percentage": rate(len(found), total),
            "unique_clicks": len(found),
            "unique_click_percentage": rate(len(found), total),
            "last_click": _latest(found),
            "campaign_id": send.id,
        }
        for url, found in moments.items()
    ]


def _clickers(send: Send, url: str) -> list[Json]:
    return [
        {**_known(send, receipt), "clicks": clicks, "url_id": _link_id(send, url), "contact_status": receipt.member.status}
        for receipt in send.receipts
        if (clicks := sum(clicked == url for _, clicked, _ in receipt.clicked))
    ]


def _leavers(send: Send) -> list[Json]:
    return [
        {**_known(send, receipt), "timestamp": format_second(receipt.left_at), "reason": receipt.member.reason}
        for receipt in send.receipts
        if receipt.left_at
    ]
