"""Campaigns of the demo with their contents; one is a draft.

Public source: https://mailchimp.com/developer/marketing/api/campaigns/
"""

from __future__ import annotations

from typing import Any

from mailchimp_emulator.demo.sends import Send
from mailchimp_emulator.demo.serving import DAY, Json, Served, alone, collection
from mailchimp_emulator.demo.tallies import rate, summary
from mailchimp_emulator.models import stable_hex
from mailchimp_emulator.times import format_second

_PATH = "/campaigns"


def campaigns(sends: list[Send]) -> list[Served]:
    """The campaigns, each by its id too, and their contents; the draft has none yet."""
    items = [_campaign(send) for send in sends]
    contents = {f"{_PATH}/{send.id}/content": _content(send) for send in sends}
    times = {"time": "create_time", "since": "since_create_time", "before": "before_create_time"}
    items.append(_draft(sends[-1]))
    return [
        collection(_PATH, "campaigns", {_PATH: items}, **times),
        alone(_PATH + "/{campaign_id}", {f"{_PATH}/{item['id']}": item for item in items}, _PATH),
        alone(_PATH + "/{campaign_id}/content", contents, _PATH),
    ]


def _campaign(send: Send) -> Json:
    tally = summary(send)
    return {
        "id": send.id,
        "web_id": 7_001 + send.number,
        "type": "regular",
        "create_time": format_second(send.at - 2 * DAY),
        "archive_url": f"http://eepurl.com/{stable_hex(send.id, 6)}",
        "long_archive_url": f"https://us1.campaign-archive.com/?u=8d3a3db4d97663a9074efcc16&id={send.id}",
        "status": "sent",
        "emails_sent": len(send.receipts),
        "send_time": format_second(send.at),
        "content_type": "template",
        "needs_block_refresh": False,
        "resendable": True,
        "recipients": _recipients(send),
        "settings": _settings(send.title, send.subject, send.preview),
        "tracking": {"opens": True, "html_clicks": True, "text_clicks": False, "goal_tracking": False, "ecomm360": True},
        "report_summary": {
            **tally,
            "open_rate": rate(tally["unique_opens"], len(send.receipts)),
            "click_rate": rate(tally["subscriber_clicks"], len(send.receipts)),
            "ecommerce": {"total_orders": 0, "total_spent": 0, "total_revenue": 0},
        },
        "delivery_status": {"enabled": False},
    }


def _recipients(send: Send) -> Json:
    condition = {"condition_type": "StaticSegment", "field": "static_segment", "op": "static_is", "value": str(send.tag_id)}
    return {
        "list_id": send.audience.id,
        "list_is_active": True,
        "list_name": send.audience.name,
        "segment_text": f"Tags contact is tagged {send.tag}",
        "recipient_count": len(send.receipts),
        "segment_opts": {"saved_segment_id": send.tag_id, "match": "any", "conditions": [condition]},
    }


def _settings(title: str, subject: str, preview: str) -> Json:
    return {
        "subject_line": subject,
        "preview_text": preview,
        "title": title,
        "from_name": "Northwind Outdoor",
        "reply_to": "news@northwind.example",
        "use_conversation": False,
        "to_name": "*|FNAME|*",
        "folder_id": "",
        "authenticate": True,
        "auto_footer": False,
        "inline_css": False,
        "auto_tweet": False,
        "fb_comments": False,
        "timewarp": False,
        "template_id": 10_001,
        "drag_and_drop": True,
    }


def _draft(last: Send) -> Json:
    """The next campaign, which nobody has been sent."""
    unsent: dict[str, Any] = {**_campaign(last), "status": "save", "emails_sent": 0, "send_time": "", "resendable": False}
    unsent |= {"id": stable_hex("campaign:draft", 10), "web_id": last.number + 7_002, "create_time": format_second(last.at + DAY)}
    del unsent["report_summary"]
    return {**unsent, "settings": _settings("Winter sale", "Warm things, for less", "From Friday on")}


def _content(send: Send) -> Json:
    links = "".join(f'<p><a href="{url}">{url.rsplit("/", 1)[-1]}</a></p>' for url in send.urls)
    html = f"<html><body><h1>{send.subject}</h1><p>{send.preview}</p>{links}</body></html>"
    plain = "\n\n".join((send.subject, send.preview, *send.urls))
    return {"plain_text": plain, "html": html, "archive_html": html}
