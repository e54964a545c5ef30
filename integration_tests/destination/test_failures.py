from __future__ import annotations

import random
from typing import Any

import pytest

from mailchimp_unified.patience import Patience

BRIEF = Patience(connect=1, read=0.3, rest_after_timeout=0.01, first_back_off=0.005, longest_back_off=0.02, total=20)


def people(record: Any, count: int, **more: Any) -> list[Any]:
    """Records of new contacts."""
    return [record({"email": f"p{n}@contacts.example", "first_name": f"N{n}", **more}) for n in range(count)]


def test_refused_rows_leave_the_others_alone(make_runner: Any, record: Any, state: Any) -> None:
    """Bulk answers 200 with errors: each refused row is a reject with its field and Mailchimp's words, the others land."""
    runner = make_runner(merge_fields=[{"tag": "COMPANY", "required": True}])
    messages = people(record, 40, custom_fields={"COMPANY": "Acme"})
    messages[7] = record({"email": "p7@contacts.example"})
    messages[9] = record({"email": "p9@nodomain", "custom_fields": {"COMPANY": "Acme"}})
    result = runner.write([*messages, state(1)], write_mode="bulk")
    assert result.counts()["created"] == 38
    assert result.counts()["rejected"] == 2
    assert result.statistics == [{"recordCount": 38.0, "rejectedRecordCount": 2.0}]
    assert "COMPANY" in result.text
    assert "Please provide a valid email address" in result.text
    assert len(runner.writes()) == 1 + 2


@pytest.mark.parametrize("place", [0, 3, 39])
def test_one_malformed_row_refuses_a_whole_call(runner: Any, record: Any, place: int) -> None:
    """A whole-request 400 names the row: it alone is rejected, the rest lands with one more call."""
    messages = people(record, 40)
    messages[place] = record({"email": f"p{place}@contacts.example", "ip_signup": "not an ip"})
    result = runner.write(messages, write_mode="bulk")
    assert result.counts()["created"] == 39
    assert result.counts()["rejected"] == 1
    assert len(runner.writes()) == 3


def test_whole_refusal_without_a_name_is_halved(runner: Any, record: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """When Mailchimp does not say which row it means, halves find it."""
    import re

    monkeypatch.setattr("destination_mailchimp_unified.sending.bulk._ROW", re.compile("(never)"))
    messages = people(record, 40)
    messages[11] = record({"email": "p11@contacts.example", "ip_signup": "not an ip"})
    result = runner.write(messages, write_mode="bulk")
    assert (result.counts()["created"], result.counts()["rejected"]) == (39, 1)


@pytest.mark.parametrize("take_effect", [False, True])
def test_rows_missing_from_the_answer_are_settled_singly(runner: Any, record: Any, take_effect: bool) -> None:
    """A row that is in none of the three lists is written by a call of its own."""
    runner.mailchimp.behavior(bulk_drop_rows=5, bulk_dropped_rows_take_effect=take_effect)
    result = runner.write(people(record, 20), write_mode="bulk")
    assert sum(result.counts().values()) == 20
    assert result.counts()["rejected"] == 0
    assert len(runner.members()) == 20


def test_several_records_of_one_contact(runner: Any, record: Any, state: Any) -> None:
    """Same contact in other spellings, in one stream or two: one row, the later value wins, every record has its outcome."""
    messages = [
        record({"email": "Ada@contacts.example", "first_name": "1", "last_name": "L", "tags": ["a", "b"]}),
        record({"email": "ada@contacts.example", "first_name": "2", "tags_to_remove": ["A"]}),
        record({"email": " ADA@contacts.example", "first_name": "3", "tags": ["c"]}),
        state(1),
    ]
    result = runner.write(messages)
    member = runner.members()["ada@contacts.example"]
    assert member["merge_fields"] == {"FNAME": "3", "LNAME": "L"}
    assert member["tags"] == ["b", "c"]
    assert sum(result.counts().values()) == 3
    assert result.statistics == [{"recordCount": 3.0}]


@pytest.mark.parametrize("write_mode", ["auto", "bulk", "single"])
def test_last_value_wins_over_many_batches(runner: Any, record: Any, state: Any, catalog: Any, write_mode: str) -> None:
    """Two streams that write the same contacts over and over, with states in between: the last value is the one that stays."""
    chance, last, messages = random.Random(4), {}, []
    runner.mailchimp.latency(0.001, 0.001)
    for number in range(1500):
        email = f"p{chance.randrange(60)}@contacts.example"
        messages.append(record({"email": email, "first_name": str(number)}, chance.choice(["one", "two"])))
        last[email] = str(number)
        if number % 50 == 0:
            messages.append(state(number, "one"))
    result = runner.write(messages, catalog("one", "two"), write_mode=write_mode)
    assert result.error is None
    assert {email: member["merge_fields"]["FNAME"] for email, member in runner.members().items()} == last
    assert result.ids == sorted(result.ids)
    assert len(result.ids) == 30


FAULTS = ["429", "500", "502_html", "503_akamai", "403_html", "reset", "truncate", "hang", "empty_200", "not_json_200"]


@pytest.mark.parametrize("write_mode", ["bulk", "single"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", FAULTS)
def test_disturbances(make_runner: Any, record: Any, state: Any, kind: str, when: str, write_mode: str) -> None:
    """No matter what goes wrong, before or after it took effect: every record has its outcome and lands."""
    runner = make_runner(contacts=6, tags=["old"], tags_per_contact=1)
    known = list(runner.members())
    messages = [
        *people(record, 6, tags=["new"]),
        *(record({"email": e, "last_name": "L", "tags_to_remove": ["old"]}) for e in known),
        state(1),
    ]
    runner.mailchimp.faults([{"kind": kind, "when": when, "probability": 0.3, "times": 6}], seed=5)
    result = runner.write(messages, patience=BRIEF, write_mode=write_mode)
    assert result.error is None, result.error.message
    assert sum(result.counts().values()) == 12
    assert result.counts()["rejected"] == 0
    after = runner.members()
    assert all(after[f"p{n}@contacts.example"]["tags"] == ["new"] for n in range(6))
    assert all((after[e]["merge_fields"]["LNAME"], after[e]["tags"]) == ("L", []) for e in known)
    assert result.ids == [1]


def test_list_that_does_not_exist(runner: Any, record: Any, state: Any) -> None:
    """Records for an audience that is not there are rejects, looked up once in all; the others land."""
    messages = [record({"email": f"a{n}@contacts.example", "list_id": "ffffffffff"}) for n in range(5)]
    messages += [record({"email": "b@contacts.example"}), record({"email": "c@contacts.example", "list_id": "../x"}), state(1)]
    result = runner.write(messages)
    assert (result.counts()["rejected"], result.counts()["created"]) == (6, 1)
    assert "ffffffffff" in result.text
    asked = [(e["path"], *sorted(e["query"].items())) for e in runner.mailchimp.journal() if "ffffffffff" in e["path"]]
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize("write_mode", ["bulk", "single"])
def test_list_deleted_in_the_middle(runner: Any, record: Any, state: Any, write_mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records for an audience that is deleted meanwhile are rejects; nothing was written, so the sync does not end well."""
    from destination_mailchimp_unified.pipeline import lane

    original = lane.Lane._send

    def delete_then_send(self: Any, tasks: Any) -> None:
        if runner.mailchimp.lists():
            runner.mailchimp.delete_list(runner.list_id)
        original(self, tasks)

    monkeypatch.setattr(lane.Lane, "_send", delete_then_send)
    result = runner.write([*people(record, 5), state(1)], write_mode=write_mode, max_rejected_percent=None)
    assert result.error is not None
    assert result.error.failure_type.value == "config_error"
    assert result.counts()["rejected"] == 5
    assert result.ids == [1]


def test_too_many_rejects_stop_the_sync(runner: Any, record: Any, state: Any) -> None:
    """A wrong mapping is not sent through the whole audience, and what did not settle is not acknowledged."""
    messages = [*people(record, 10), state(1), *(record({"email": f"nobody {n}"}) for n in range(500)), state(2)]
    result = runner.write(messages, max_rejected_percent=20)
    assert result.error is not None
    assert result.error.failure_type.value == "config_error"
    assert "max_rejected_percent" in (result.error.message or "")
    assert 2 not in result.ids


def test_rejects_at_the_beginning_do_not_stop_a_good_sync(runner: Any, record: Any) -> None:
    """What is refused here is settled before what Mailchimp takes: it is judged by all records that came."""
    nobody, somebody = [record({"email": None}) for _ in range(150)], people(record, 400)
    result = runner.write([*somebody, *nobody], max_rejected_percent=50)
    assert result.error is None
    assert result.counts()["created"] == 400
    assert runner.write([*nobody, *somebody[:10]]).error is None
    assert runner.write(nobody * 8).error is not None


def hurried(runner: Any, messages: list[Any], after: int, when: str) -> Any:
    """A sync that ends at its request number `after`, before or after it took effect, as a killed one does."""
    runner.mailchimp.faults([{"kind": "reset", "after": after, "when": when}])
    result = runner.write(messages, patience=Patience(first_back_off=0, longest_back_off=0, total=0), num_workers=1, write_mode="auto")
    runner.mailchimp.clear_faults()
    return result


def truth(runner: Any) -> dict[str, Any]:
    """All that a sync can change, by address."""
    return {
        email: (member["status"], member["merge_fields"], sorted(member["tags"]), member["interests"])
        for email, member in runner.members().items()
    }


@pytest.mark.parametrize("when", ["before", "after"])
def test_ended_between_any_two_requests(make_runner: Any, record: Any, state: Any, when: str) -> None:
    """Ended at any request and begun again from the last acknowledged state, the account is the same as without the end."""
    chance, statuses = random.Random(11), {"subscribed": 3, "unsubscribed": 1, "archived": 1, "pending": 1, "cleaned": 1}
    description = {"id": "a1b2c3d4e5", "contacts": 21, "statuses": statuses, "tags": ["old", "Kept"], "tags_per_contact": 1}
    runner = make_runner(**description)
    emails = [*runner.members(), *(f"n{n}@contacts.example" for n in range(8))]
    messages: list[Any] = []
    for number in range(1, 5):
        for email in chance.sample(emails, 12):
            columns = {"email": email, "first_name": str(number), "tags": chance.choice([["new"], [], ["OLD"]])}
            messages.append(record({**columns, "tags_to_remove": chance.choice([["old"], []]), "is_deleted": chance.random() < 0.1}))
        messages.append(state(number))
    whole = runner.write(messages, num_workers=1)
    assert whole.error is None
    wanted, requests = truth(runner), len(runner.mailchimp.journal())
    for after in range(requests):
        runner.mailchimp.reset()
        runner.mailchimp.seed(name="Audience", **description)
        result = hurried(runner, messages, after, when)
        done = max(result.ids, default=0)
        begin = next((place for place, m in enumerate(messages) if m["type"] == "STATE" and m["state"]["id"] == done), -1) + 1
        again = runner.write(messages[begin:], num_workers=1)
        assert again.error is None
        assert truth(runner) == wanted, after


@pytest.mark.parametrize("after", [6, pytest.param(9, marks=pytest.mark.slow), pytest.param(14, marks=pytest.mark.slow)])
def test_killed_and_begun_again(runner: Any, record: Any, state: Any, start: Any, after: int) -> None:
    """The same with SIGKILL: the process dies while a request hangs, and the next one ends in the same account."""
    import json
    import time

    messages = [m for n in range(4) for m in (*(record({"email": f"p{n}{k}@contacts.example", "tags": ["t"]}) for k in range(5)), state(n))]
    lines = [json.dumps(message).encode() + b"\n" for message in messages]
    runner.mailchimp.faults([{"kind": "hang", "after": after, "when": "after", "times": 1}])
    process = start("write", runner.config(num_workers=1, write_mode="single"))
    process.stdin.write(b"".join(lines))
    process.stdin.flush()
    deadline = time.monotonic() + 20
    while not runner.mailchimp.stats()["faults"] and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    acknowledged = [json.loads(line)["state"]["id"] for line in process.stdout.read().splitlines() if b'"STATE"' in line]
    begin = (acknowledged[-1] + 1) * 6 if acknowledged else 0
    again = runner.write(messages[begin:])
    assert again.error is None
    assert len(runner.members()) == 20
    assert {tuple(member["tags"]) for member in runner.members().values()} == {("t",)}
