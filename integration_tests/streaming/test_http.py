from __future__ import annotations

import json
import os
import signal
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
import requests

from integration_tests.streaming.conftest import PATIENCE, Server, until
from integration_tests.streaming.test_lines import people


def test_one_contact_and_a_list_are_answered_after_settlement(serve: Any, members: Any) -> None:
    """An object is answered by an object, a list by a list in its order; 200 where nothing was rejected."""
    server: Server = serve()

    one = server.post({"id": "a", "email": "a@contacts.example", "first_name": "Ada"})
    assert (one.status_code, one.json()) == (200, {"id": "a", "outcome": "created", "reason": None, "field": None})
    many = server.post([{"email": "b@contacts.example"}, {"id": "c", "email": "c@contacts.example"}])
    assert many.status_code == 200
    assert [(answer["id"], answer["outcome"]) for answer in many.json()] == [(1, "created"), ("c", "created")]
    assert members().keys() == {"a@contacts.example", "b@contacts.example", "c@contacts.example"}
    assert (server.post([]).status_code, server.post([]).json()) == (200, [])


def test_mixed_outcomes_are_207_and_nothing_but_rejects_is_422(serve: Any) -> None:
    """The status tells a sender that looks at nothing else whether something was rejected; the body tells what."""
    server: Server = serve()

    mixed = server.post([{"email": "a@contacts.example"}, {"email": "nonsense"}, "text"])
    assert mixed.status_code == 207
    assert [answer["outcome"] for answer in mixed.json()] == ["created", "rejected", "rejected"]
    refused = server.post({"email": "nonsense"})
    assert refused.status_code == 422
    assert (refused.json()["outcome"], refused.json()["field"]) == ("rejected", "email")


def body(size: int) -> bytes:
    """A body of so many bytes."""
    return json.dumps({"email": "a" * (size - 13)}).encode()


REFUSED = [
    (b"{", {}, 400),
    (b"", {}, 400),
    (b"12", {}, 422),
    (b'"text"', {}, 422),
    (b"null", {}, 422),
    (b"{}", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
    (b"{}", {"Content-Type": "text/plain"}, 415),
    (b"{}", {"Content-Type": ""}, 415),
    (b"{}", {"Content-Encoding": "gzip"}, 415),
    (body((8 << 20) + 1), {}, 413),
    (json.dumps([{}] * 5001).encode(), {}, 413),
]


def test_what_is_refused_is_refused_in_words(serve: Any, writes: Any) -> None:
    """A body that is not JSON, too large, of another kind or holds no contacts: the status says which, the words what to do."""
    server: Server = serve()
    for content, headers, status in REFUSED:
        answer = server.session.post(
            f"{server.url}/contacts", data=content, headers={"Content-Type": "application/json", **headers}, timeout=PATIENCE
        )
        assert answer.status_code == status, (content[:20], headers)
        assert len(answer.json()["error"].split()) > 3
    assert server.get("/contacts").status_code == 405
    assert server.get("/nothing").status_code == 404
    assert writes() == []


def test_a_body_without_a_length_is_cut_off_where_it_is_too_large(serve: Any) -> None:
    """A body in chunks is read no further than it may be long."""
    server: Server = serve()
    chunks = (b" " * (1 << 20) for _ in range(12))

    answer = server.session.post(f"{server.url}/contacts", data=chunks, headers={"Content-Type": "application/json"}, timeout=PATIENCE)

    assert answer.status_code == 413


def test_a_token_is_required_by_default(serve: Any, writes: Any) -> None:
    """Without the token that was made and shown, neither contacts nor metrics are to be had; health says nothing worth hiding."""
    server: Server = serve()
    for header in (None, "", "Bearer", "Bearer wrong", f"Basic {server.token}", f"Bearer {server.token}x"):
        headers = {} if header is None else {"Authorization": header}
        answer = requests.post(f"{server.url}/contacts", json={"email": "a@contacts.example"}, headers=headers, timeout=PATIENCE)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert requests.get(f"{server.url}/metrics", headers=headers, timeout=PATIENCE).status_code == 401
    assert requests.get(f"{server.url}/healthz", timeout=PATIENCE).status_code == 200
    assert writes() == []
    assert server.stream.log.count(server.token) == 1


def test_a_token_of_ones_own(start: Any, tmp_path: Path) -> None:
    """The token may come from a file or from the environment; then it is shown nowhere."""
    token = "a-token-of-our-own-0123456789"
    (tmp_path / "token").write_text(f"{token}\n")
    by_file = start("--listen", "127.0.0.1:0", "--token-file", str(tmp_path / "token"))
    by_environment = start("--listen", "[::1]:0" if socket.has_ipv6 else "127.0.0.1:0", environment={"MAILCHIMP_UNIFIED_TOKEN": token})
    for stream in (by_file, by_environment):
        server = Server(stream, token=token)
        stream.logged("Ready")
        assert server.post({"email": "a@contacts.example"}).status_code == 200
        assert token not in stream.log


@pytest.mark.parametrize(
    "arguments",
    [
        ["--listen", "0.0.0.0:0", "--without-token"],
        ["--listen", "example.org:0", "--without-token"],
        ["--listen", "127.0.0.1"],
        ["--listen", "127.0.0.1:http"],
        ["--listen", "127.0.0.1:70000"],
        ["--listen", "127.0.0.1:0", "--token-file", "/nonexistent"],
    ],
)
def test_options_that_cannot_be_meant_end_the_process(start: Any, arguments: list[str]) -> None:
    """A port that others reach without a token, and anything but HOST:PORT, is refused with a message before anything is read."""
    stream = start(*arguments)

    assert stream.wait() == 1
    assert "Traceback" not in stream.log
    assert len(stream.log.split()) > 5


def test_without_a_token_only_this_machine_is_answered(serve: Any) -> None:
    """Where no token is asked for, a request under a foreign host name is refused: a web page cannot reach the port that way."""
    server: Server = serve("--without-token")

    assert server.post({"email": "a@contacts.example"}).status_code == 200
    assert server.post({"email": "b@contacts.example"}, headers={"Host": "attacker.example"}).status_code == 400


def test_who_finds_no_room_is_told_when_to_come_again(serve: Any, mailchimp: Any, members: Any) -> None:
    """When more waits than may be held, a request is answered 503 with Retry-After, and what was taken is written."""
    server: Server = serve()
    mailchimp.faults([{"kind": "429", "times": 12}])
    answers: list[int] = []
    threads = [threading.Thread(target=lambda n=n: answers.append(server.post(batch(n)).status_code)) for n in range(2)]  # type: ignore[misc]
    for thread in threads:
        thread.start()
    until(lambda: "mailchimp_unified_waiting 10000.0" in server.get("/metrics").text)

    full = requests.post(
        f"{server.url}/contacts", json={"email": "x@contacts.example"}, headers=dict(server.session.headers), timeout=PATIENCE
    )
    for thread in threads:
        thread.join(PATIENCE)

    assert (full.status_code, full.headers["Retry-After"].isdecimal()) == (503, True)
    assert answers == [200, 200]
    assert len(members()) == 10_000


def batch(number: int) -> list[Any]:
    """As many contacts as a request may hold."""
    return [{"email": f"c{number}.{n}@contacts.example"} for n in range(5000)]


def test_a_sender_that_hangs_up_loses_nothing_that_was_taken(serve: Any, mailchimp: Any, members: Any) -> None:
    """What was read of a request is written although nobody waits for the answer."""
    server: Server = serve()
    mailchimp.latency(0.2)
    host, port = server.url.removeprefix("http://").split(":")
    content = json.dumps(people(20)).encode()
    with socket.create_connection((host, int(port))) as connection:
        head = f"POST /contacts HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {server.token}\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        until(lambda: mailchimp.stats()["open"])
    server.stream.signal()

    assert server.stream.wait() == 143
    assert len(members()) == 20


def test_a_signal_answers_what_was_taken(serve: Any, mailchimp: Any, members: Any) -> None:
    """SIGTERM takes no more requests, answers those under way, and ends with 143."""
    server: Server = serve()
    mailchimp.latency(0.3)
    answers: list[requests.Response] = []
    asking = threading.Thread(target=lambda: answers.append(server.post(people(3))))
    asking.start()
    until(lambda: mailchimp.stats()["open"])
    server.stream.signal(signal.SIGTERM)
    asking.join(PATIENCE)

    assert server.stream.wait() == 143
    assert [answer.status_code for answer in answers] == [200]
    assert len(members()) == 3


def test_a_revoked_key_is_told_to_who_waits_and_ends_the_process(serve: Any, mailchimp: Any) -> None:
    """What somebody has to correct ends the process; waiting senders are told that the outcome is unknown."""
    server: Server = serve()
    mailchimp.role("viewer")

    answer = server.post({"email": "a@contacts.example"})

    assert answer.status_code == 503
    assert server.stream.wait() == 1


def test_health_and_metrics_say_how_it_goes(serve: Any, mailchimp: Any) -> None:
    """Outcomes, requests and what waits are counted, under names and in the format that Prometheus reads."""
    from prometheus_client.parser import text_string_to_metric_families

    server: Server = serve()
    server.post([*people(3), {"email": "nonsense"}])
    server.post({"email": "p0@contacts.example", "first_name": "Other"})

    assert server.get("/healthz").json() == {"status": "ok"}
    samples = [sample for family in text_string_to_metric_families(server.get("/metrics").text) for sample in family.samples]
    values = {(sample.name, *sample.labels.values()): sample.value for sample in samples}
    assert values["mailchimp_unified_contacts_total", "created"] == 3
    assert values["mailchimp_unified_contacts_total", "updated"] == 1
    assert values["mailchimp_unified_contacts_total", "rejected"] == 1
    assert values["mailchimp_unified_requests_total", "207"] == 1
    assert values["mailchimp_unified_waiting",] == 0
    assert values["mailchimp_unified_ready",] == 1
    assert values["mailchimp_unified_mailchimp_requests_total",] == len(mailchimp.journal())


def test_a_port_that_is_taken_is_named(start: Any) -> None:
    """A port in use ends the process with its number."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        stream = start("--listen", f"127.0.0.1:{taken.getsockname()[1]}")

        assert stream.wait() == 1
        assert str(taken.getsockname()[1]) in stream.log


def test_lines_need_no_server(tmp_path: Path) -> None:
    """Without --listen neither the server nor its metrics are imported, and Airbyte's CDK never: the process starts at once."""
    import subprocess
    import sys

    code = "import sys, destination_mailchimp_unified.live.run as r; print([m for m in ('starlette', 'uvicorn', 'prometheus_client', 'airbyte_cdk') if m in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ))

    assert printed.stdout.strip() == "[]"
