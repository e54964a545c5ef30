"""Answers that stand in for the real one when a fault strikes."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import orjson

from mailchimp_emulator.problems import Problem, forbidden, internal_error, not_found, too_many_requests
from mailchimp_emulator.replies import Reply
from mailchimp_emulator.vendor import SIMULTANEOUS_CONNECTIONS

_HTML = "text/html; charset=UTF-8"
_ACCESS_DENIED = b"<HTML><HEAD><TITLE>Access Denied</TITLE></HEAD><BODY><H1>Access Denied</H1></BODY></HTML>"
# The firewall's page names the refused URL and a reference number: https://github.com/mailchimp/mc-woocommerce/issues/318
_FIREWALL = (
    b"<HTML><HEAD>\n<TITLE>Access Denied</TITLE>\n</HEAD><BODY>\n<H1>Access Denied</H1>\n \n"
    b'You don\'t have permission to access "http&#58;&#47;&#47;us1&#46;api&#46;mailchimp&#46;com&#47;3&#46;0&#47;" on this server.<P>\n'
    b"Reference&#32;&#35;18&#46;4e0a1602&#46;1600000000&#46;2f6d1b\n</BODY>\n</HTML>\n"
)
_BAD_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body>"
_GATEWAY_TIMEOUT = b"<html><head><title>504 Gateway Time-out</title></head><body><center><h1>504 Gateway Time-out</h1></center></body>"
# https://github.com/drewm/mailchimp-api/issues/327
_AKAMAI = {
    "type": "akamai_error_message",
    "title": "akamai_503",
    "status": 503,
    "ref_no": "Reference Number: 00.810a1602.1600000000.2f6d1b",
}
# Statuses that Mailchimp's glossary does not list are worded here, in the words of RFC 9110.
_TITLES = {
    400: "Bad Request",
    408: "Request Timeout",
    409: "Conflict",
    410: "Gone",
    422: "Unprocessable Content",
    423: "Locked",
    425: "Too Early",
    503: "Service Unavailable",
}
_PROBLEMS: dict[str, Callable[[], Problem]] = {
    **{str(status): lambda status=status, title=title: Problem(status, title, f"{title}.") for status, title in _TITLES.items()},  # type: ignore[misc]
    "403": forbidden,
    "403_json": forbidden,
    "404": not_found,
    "429": lambda: too_many_requests(SIMULTANEOUS_CONNECTIONS),
    "500": internal_error,
}
_REPLIES = {
    "403_html": Reply(403, _ACCESS_DENIED, content_type=_HTML),
    "403_firewall": Reply(403, _FIREWALL, content_type="text/html"),
    "502_html": Reply(502, _BAD_GATEWAY, content_type=_HTML),
    "503_akamai": Reply(503, orjson.dumps(_AKAMAI), content_type="application/json"),
    "504_html": Reply(504, _GATEWAY_TIMEOUT, content_type=_HTML),
    "empty_200": Reply(200, b""),
    "empty_object_200": Reply(200, b"{}"),
    "not_json_200": Reply(200, b"<html><body>One moment, please</body></html>", content_type=_HTML),
}
CANNED_KINDS = (*_PROBLEMS, *_REPLIES)


def canned(kind: str) -> Reply:
    """The answer of that kind, one that nobody else holds."""
    if kind in _PROBLEMS:
        return Reply.of_problem(_PROBLEMS[kind]())
    kept = _REPLIES[kind]
    return Reply(kept.status, kept.body, kept.content_type)


def retry_after(wanted: Any, now: float) -> str:
    """A Retry-After header: a number is seconds, {"date": 30} the HTTP date in 30 seconds, a text stays as it is."""
    if isinstance(wanted, dict):
        return formatdate(now + float(wanted["date"]), usegmt=True)
    return str(wanted)
