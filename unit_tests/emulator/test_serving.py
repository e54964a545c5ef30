"""Connections, faults, journal and headers."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import sys
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from mailchimp_emulator import DEFAULT_API_KEY


def raw_request(api: Any, path: str = "/3.0/ping") -> socket.socket:
    """Send a request and do not wait for its answer."""
    place = urlsplit(api.url)
    link = socket.create_connection((place.hostname, place.port), timeout=10)
    link.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {DEFAULT_API_KEY}\r\n\r\n".encode())
    return link


def wait_until_open(mailchimp: Any, count: int) -> None:
    """Ask until that many requests are open."""
    for _ in range(2000):
        if mailchimp.stats()["open"] == count:
            return
    pytest.fail(f"never saw {count} open requests")


def test_eleventh_request_is_refused(api: Any, mailchimp: Any) -> None:
    """Ten requests may be open; one more is 429, and the slots come back when the clients go."""
    mailchimp.faults([{"kind": "hang", "path": "/ping"}])
    with contextlib.ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(raw_request(api))
        wait_until_open(mailchimp, 10)
        answer = api.call("GET", "/lists")
        assert answer.status_code == 429
        assert answer.json()["title"] == "TooManyRequests"
        assert answer.json()["detail"] == "You have exceeded the limit of 10 simultaneous connections."
    wait_until_open(mailchimp, 0)
    assert api.call("GET", "/lists").status_code == 200
    stats = mailchimp.stats()
    assert (stats["peak_open"], stats["refused_429"]) == (11, 1)
    assert max(entry["open"] for entry in mailchimp.journal()) == 11


def test_limit_can_be_set_and_lifted(api: Any, mailchimp: Any) -> None:
    """The limit is a flag; zero is none."""
    mailchimp.faults([{"kind": "hang", "path": "/ping"}])
    with raw_request(api):
        wait_until_open(mailchimp, 1)
        mailchimp.behavior(connection_limit=1)
        assert api.call("GET", "/lists").status_code == 429
        mailchimp.behavior(connection_limit=0)
        assert api.call("GET", "/lists").status_code == 200
    wait_until_open(mailchimp, 0)


@pytest.mark.parametrize(
    ("kind", "status", "content_type"),
    [
        ("429", 429, "application/problem+json; charset=utf-8"),
        ("403_html", 403, "text/html; charset=UTF-8"),
        ("403_json", 403, "application/problem+json; charset=utf-8"),
        ("500", 500, "application/problem+json; charset=utf-8"),
        ("502_html", 502, "text/html; charset=UTF-8"),
        ("503_akamai", 503, "application/json"),
        ("empty_200", 200, "application/json; charset=utf-8"),
        ("not_json_200", 200, "text/html; charset=UTF-8"),
    ],
)
def test_faulty_answers(api: Any, mailchimp: Any, kind: str, status: int, content_type: str) -> None:
    """Each kind of fault stands in for the answer; the write behind it did not happen."""
    mailchimp.faults([{"kind": kind, "method": "POST", "times": 1}])
    answer = api.post("members", {"email_address": "ada@shop.test", "status": "subscribed"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, content_type)
    assert api.members() == []
    assert mailchimp.journal()[0]["fault"] == kind


@pytest.mark.parametrize("kind", ["reset", "truncate"])
def test_broken_connections(api: Any, mailchimp: Any, kind: str) -> None:
    """A reset has no answer at all; a truncated one ends before its Content-Length."""
    api.add("ada")
    mailchimp.faults([{"kind": kind, "times": 1}])
    with pytest.raises((requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        api.get("members")
    assert api.emails() == ["ada"]


@pytest.mark.parametrize("kind", ["500", "reset", "truncate", "502_html"])
def test_fault_after_the_effect(api: Any, mailchimp: Any, kind: str) -> None:
    """With when=after the write took effect, and only its answer is lost."""
    mailchimp.faults([{"kind": kind, "method": "POST", "when": "after"}])
    with contextlib.suppress(requests.exceptions.RequestException):
        assert api.post("members", {"email_address": "ada@shop.test", "status": "subscribed"}).status_code >= 500
    assert api.emails() == ["ada"]


def test_which_requests_a_fault_hits(api: Any, mailchimp: Any) -> None:
    """A rule matches by method and path, passes over the first ones, and stops after so many hits."""
    mailchimp.faults([{"kind": "500", "method": "GET", "path": r"/members$", "after": 1, "times": 2}])
    assert [api.call("GET", "members").status_code for _ in range(5)] == [200, 500, 500, 200, 200]
    assert api.call("GET", "/lists").status_code == 200
    mailchimp.clear_faults()
    assert api.call("GET", "members").status_code == 200


def test_probability_has_a_seed(api: Any, mailchimp: Any) -> None:
    """The same seed lets the same requests fail."""
    runs = []
    for _ in range(2):
        mailchimp.faults([{"kind": "500", "probability": 0.5}], seed=3)
        runs.append([api.call("GET", "/ping").status_code for _ in range(20)])
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 500}


@pytest.mark.parametrize("rule", [{"kind": "earthquake"}, {"kind": "500", "when": "later"}, {"kind": "500", "x": 1}])
def test_unknown_faults_are_refused(mailchimp: Any, rule: dict[str, Any]) -> None:
    """A fault that does not exist is an error of the test, not a fault that never comes."""
    with pytest.raises(RuntimeError):
        mailchimp.faults([rule])


def test_journal(api: Any, mailchimp: Any) -> None:
    """The journal holds what was asked, and control calls are not in it."""
    api.session.headers["User-Agent"] = "tester/1"
    api.post("members", {"email_address": "ada@shop.test", "status": "subscribed"}, skip_merge_validation="true")
    api.get("/ping")
    first, second = mailchimp.journal()
    assert (first["method"], first["path"], first["status"]) == ("POST", "/3.0/lists/aaaaaaaaaa/members", 200)
    assert first["query"] == {"skip_merge_validation": "true"}
    assert first["body"] == {"email_address": "ada@shop.test", "status": "subscribed"}
    assert (first["open"], first["user_agent"]) == (1, "tester/1")
    assert (second["body"], second["headers"]["accept"]) == (None, "*/*")
    assert [entry["n"] for entry in mailchimp.journal(since=first["n"])] == [second["n"]]
    mailchimp.clear_journal()
    assert mailchimp.journal() == []
    mailchimp.reset_stats()
    assert mailchimp.stats()["requests"] == 0


def test_headers_as_recorded(api: Any) -> None:
    """Answers carry Mailchimp's headers, and Date comes from the virtual clock."""
    api.add("ada")
    page, missing = api.call("GET", "members"), api.call("GET", "members/nobody@shop.test")
    assert page.headers["Server"] == "openresty"
    assert page.headers["Date"] == "Mon, 04 May 2026 12:00:00 GMT"
    assert page.headers["Content-Type"] == "application/json; charset=utf-8"
    assert page.headers["Link"] == f'<{api.url}/schema/3.0/Lists/Members/Collection.json>; rel="describedBy"'
    assert missing.headers["Link"].endswith('/Definitions/ProblemDetailDocument.json>; rel="describedBy"')
    assert b'": ' not in page.content
    assert b"\\/" not in page.content


def test_latency_is_waited_for(api: Any, mailchimp: Any) -> None:
    """A request takes as long as the latency says."""
    mailchimp.latency(0.05)
    assert api.call("GET", "/ping").elapsed.total_seconds() >= 0.05
    mailchimp.latency(0)


def test_outside_the_api(api: Any) -> None:
    """A path that is neither API, OAuth, control nor the page for browsers is 404."""
    assert requests.get(api.url + "/lists", timeout=10).status_code == 404
    assert requests.get(api.url + "/_control/nothing", timeout=10).status_code == 404


def test_a_browser_is_answered(api: Any, mailchimp: Any) -> None:
    """The page at the origin shows audiences and the latest requests as text, loads nothing, and leaves no trace."""
    mailchimp.rename_list(api.list_id, "<b>Shop</b>")
    api.add("ada")
    api.get("members", count=5)
    page = requests.get(api.url + "/", timeout=10)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    for seen in ("&lt;b&gt;Shop&lt;/b&gt;", api.list_id, "/3.0/lists/aaaaaaaaaa/members?count=5"):
        assert seen in page.text
    assert not re.search(r"<b>|src=|href=|url\(|<script", page.text)
    assert [entry["path"] for entry in mailchimp.journal()] == ["/3.0/lists/aaaaaaaaaa/members"] * 2


def test_a_port_in_use_is_said_in_a_line(mailchimp: Any) -> None:
    """Starting on a port that is taken ends with one line, not with a traceback."""
    port = urlsplit(mailchimp.url).port
    command = [sys.executable, "-m", "mailchimp_emulator", "--port", str(port)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"Port {port} is in use.")
    assert len(ended.stderr.splitlines()) == 1
