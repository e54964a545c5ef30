from __future__ import annotations

import json
import os
import random
import subprocess
import time
from collections import Counter
from typing import Any

import pytest

from integration_tests.streaming.conftest import COMMAND, PATIENCE, ROOT, Stream, until

SECRETS = ("0123456789abcdef", "secret.person")


def people(count: int, **more: Any) -> list[Any]:
    """Events of new contacts."""
    return [{"id": f"e{n}", "email": f"p{n}@contacts.example", "first_name": f"N{n}", **more} for n in range(count)]


def test_each_line_gets_one_answer_with_its_id(start: Any, members: Any) -> None:
    """Created, unchanged and rejected events are answered with the sender's id, of any type, or with the line's number."""
    stream = start()
    (created,) = stream.ask({"id": 17, "email": "a@contacts.example", "first_name": "Ada"})
    (nameless,) = stream.ask({"email": "b@contacts.example"})
    (refused,) = stream.ask({"id": {"row": [3]}, "email": "a@contacts.example", "vip": "?"} | {"email": "not an address"})
    (later,) = stream.ask({"id": "x", "email": "A@contacts.example", "first_name": "Grace"})

    assert created == {"id": 17, "outcome": "created", "reason": None, "field": None}
    assert (nameless["id"], nameless["outcome"]) == (2, "created")
    assert (refused["id"], refused["outcome"], refused["field"]) == ({"row": [3]}, "rejected", "email")
    assert (later["id"], later["outcome"]) == ("x", "updated")
    assert members()["a@contacts.example"]["merge_fields"]["FNAME"] == "Grace"
    stream.close()
    assert stream.wait() == 0


def test_any_id_comes_back(start: Any) -> None:
    """An id of any JSON type comes back unchanged: numbers of forty digits, texts that only look like line numbers, objects."""
    ids = [10**40, "2", {"a": [None, 1.5]}, True, "\u00e9\U0001f600", 0, ""]
    stream = start("--in-order")

    assert [answer["id"] for answer in stream.ask(*({"id": one, "email": "a@contacts.example"} for one in ids))] == ids


UNUSABLE = {
    "deeper": b'{"email": ' * 5000,
    "text": b"hello",
    "cut off": b'{"email": "a@contacts.example"',
    "blank": b"",
    "spaces": b"   ",
    "list": b'[{"email": "a@contacts.example"}]',
    "number": b"12",
    "null": b"null",
    "bytes": b"\xff\xfe\x00",
    "nothing in it": b"{}",
    "too long": b'{"email": "' + b"a" * (1 << 20) + b'@contacts.example"}',
    "Airbyte's": b'{"type": "RECORD", "record": {"stream": "s", "data": {"email": "a@contacts.example"}}}',
}


def test_what_cannot_be_used_is_answered_and_harms_nothing_else(start: Any, members: Any) -> None:
    """Every line that holds no contact is rejected with a reason, by its number, and the lines around it are written."""
    stream = start("--in-order")
    lines = [line for number, junk in enumerate(UNUSABLE.values()) for line in ({"email": f"p{number}@contacts.example"}, junk)]

    answers = stream.ask(*lines)

    assert [answer["id"] for answer in answers] == list(range(1, len(lines) + 1))
    assert [answer["outcome"] for answer in answers] == ["created", "rejected"] * len(UNUSABLE)
    assert all(answer["reason"] for answer in answers[1::2])
    assert len(members()) == len(UNUSABLE)


def test_a_lone_line_goes_at_once_by_one_call(start: Any, mailchimp: Any, writes: Any) -> None:
    """An event of a contact who is there costs one request, and waits for nothing else."""
    stream = start()
    stream.logged("Ready")
    stream.ask({"email": "a@contacts.example"})
    mailchimp.clear_journal()
    began = time.monotonic()

    stream.ask({"email": "a@contacts.example", "first_name": "Ada"})

    assert time.monotonic() - began < 0.9, "an idle sync would wait for a second"
    assert [entry["method"] for entry in mailchimp.journal()] == ["PATCH"]


def test_a_burst_goes_in_bulk_calls(start: Any, mailchimp: Any, members: Any) -> None:
    """Five thousand lines at once take little more than ten calls, and each is answered."""
    stream = start()
    stream.logged("Ready")
    mailchimp.clear_journal()

    answers = stream.ask(*people(5000))

    assert Counter(answer["outcome"] for answer in answers) == {"created": 5000}
    assert {answer["id"] for answer in answers} == {f"e{n}" for n in range(5000)}
    assert len(mailchimp.journal()) <= 13
    assert len(members()) == 5000


def test_answers_come_as_they_are_known(start: Any, mailchimp: Any) -> None:
    """An event that Mailchimp is slow with keeps no other answer back."""
    stream = start()
    stream.logged("Ready")
    stream.ask({"email": "slow@contacts.example"}, {"email": "quick@contacts.example"})
    mailchimp.faults([{"kind": "429", "method": "PATCH", "times": 1}])

    stream.send({"id": "slow", "email": "slow@contacts.example", "first_name": "S"})
    until(lambda: mailchimp.fault_counts()[0]["hits"])
    stream.send({"id": "quick", "email": "quick@contacts.example", "first_name": "Q"})

    assert [stream.answer()["id"], stream.answer()["id"]] == ["quick", "slow"]


def test_answers_come_in_order_where_that_is_asked_for(start: Any, mailchimp: Any) -> None:
    """With --in-order the answers are those of the lines in turn, however long each took."""
    mailchimp.latency(0.02, 0.02)
    stream = start("--in-order", write_mode="single")

    answers = stream.ask(*people(60), b"junk", *people(20))

    assert [answer["id"] for answer in answers] == [*(f"e{n}" for n in range(60)), 61, *(f"e{n}" for n in range(20))]


def test_the_last_value_of_a_contact_stays(start: Any, mailchimp: Any, members: Any) -> None:
    """Events of one contact take effect in the order of their lines, in bursts and singly."""
    mailchimp.latency(0.005, 0.005)
    chance, last, stream = random.Random(7), {}, start()
    for number in range(900):
        email = f"p{chance.randrange(40)}@contacts.example"
        stream.send({"email": email, "first_name": str(number)})
        last[email] = str(number)
    assert Counter(stream.answer()["outcome"] for _ in range(900)).keys() <= {"created", "updated", "unchanged"}

    assert {email: member["merge_fields"]["FNAME"] for email, member in members().items()} == last


def test_the_end_of_the_input_finishes_what_was_taken(start: Any, members: Any, mailchimp: Any) -> None:
    """Everything sent before the end is answered, the last line without its newline too, and the process ends with 0."""
    mailchimp.latency(0.1)
    stream = start()
    stream.send(*people(700))
    stream.process.stdin.write(b'{"id": "last", "email": "last@contacts.example"}')
    stream.close()

    assert stream.wait() == 0
    assert len(stream.answers) == 701
    assert len(members()) == 701


@pytest.mark.parametrize(("number", "code"), [(15, 143), (2, 130)])
def test_a_signal_finishes_what_was_taken(start: Any, mailchimp: Any, members: Any, number: int, code: int) -> None:
    """SIGTERM and SIGINT read no further; what was read is written and answered, and the exit code names the signal."""
    stream = start(write_mode="single")
    stream.logged("Ready")
    mailchimp.latency(0.3)
    stream.send(*people(9))
    until(lambda: mailchimp.stats()["open"])
    stream.signal(number)

    assert stream.wait() == code
    answered = {answer["id"] for answer in stream.answers}
    assert len(answered) == 9
    assert len(members()) == 9


def test_a_second_signal_ends_at_once(start: Any, mailchimp: Any) -> None:
    """A second signal does not wait for Mailchimp."""
    stream = start(write_mode="single")
    stream.logged("Ready")
    mailchimp.faults([{"kind": "hang"}])
    stream.send(*people(1))
    until(lambda: mailchimp.fault_counts()[0]["hits"])
    stream.signal()
    with pytest.raises(Exception, match="timed out"):
        stream.process.wait(0.5)
    stream.signal()

    assert stream.wait() == 143
    assert stream.answers == []


LEFT = ("unsubscribed", "cleaned", "archived", "pending")


@pytest.mark.parametrize("write_mode", ["auto", "bulk", "single"])
def test_nobody_who_left_comes_back(start: Any, mailchimp: Any, list_id: str, members: Any, write_mode: str) -> None:
    """Consent is the destination's: contacts who unsubscribed, bounced or were archived stay so, in lone events and in bursts."""
    for status in LEFT:
        mailchimp.place(list_id, f"{status}@contacts.example", status=status)
    events = [{"email": f"{status}@contacts.example", "list_id": list_id, "status": "subscribed"} for status in LEFT]
    stream = start(write_mode=write_mode)
    for event in events:
        stream.ask(event)
    stream.ask(*people(400), *events)

    assert {status: members()[f"{status}@contacts.example"]["status"] for status in LEFT} == {status: status for status in LEFT}


def test_a_dry_run_says_so_in_every_answer(start: Any, writes: Any) -> None:
    """With dry_run nothing is written, and no answer can be mistaken for one that was."""
    stream = start(dry_run=True)

    answers = stream.ask(*people(3), {"email": "bad"})

    assert [answer["outcome"] for answer in sorted(answers, key=lambda answer: str(answer["id"]))].count("created") == 3
    assert all(answer["dry_run"] for answer in answers)
    assert writes() == []


def test_only_answers_are_on_the_standard_output(start: Any) -> None:
    """What the process says of itself is on standard error, with secrets and email addresses masked."""
    stream = start()
    stream.ask(
        {"email": "secret.person@@contacts.example"}, {"email": "secret.person@contacts.example", "id": "1"}, {"email": "secret.person@x"}
    )
    stream.close()

    assert stream.wait() == 0
    assert all(answer.keys() >= {"id", "outcome", "reason", "field"} for answer in stream.answers)
    printed = stream.log + json.dumps(stream.answers)
    assert [secret for secret in SECRETS if secret in printed] == []
    assert stream.log


def test_a_log_file_keeps_the_standard_error_empty(start: Any, tmp_path: Any) -> None:
    """With --log-file not a line is on the standard error: some runners take one for a failure of the event."""
    stream = start("--log-file", str(tmp_path / "log"))
    assert [answer["outcome"] for answer in stream.ask({"email": "a@contacts.example"}, b"junk")].count("rejected") == 1
    stream.close()

    assert stream.wait() == 0
    assert stream.log == ""
    assert "Ready" in (tmp_path / "log").read_text()


def test_an_audience_that_is_not_there_ends_the_process(start: Any) -> None:
    """What somebody has to correct is said on the standard error, and the exit code is 1, although the input stays open."""
    stream = start(list_id="0000000000")
    stream.send(*people(1))

    assert stream.wait() == 1
    assert "There is no audience 0000000000" in stream.log
    assert stream.answers == []


@pytest.mark.parametrize("options", [{"credentials": {}}, {"field_mapping": [{"column": "x", "field": "nonsense"}]}])
def test_a_wrong_configuration_ends_the_process(start: Any, options: dict[str, Any]) -> None:
    """A configuration that the connector refuses is refused."""
    stream = start(**options)

    assert stream.wait() == 1
    assert stream.log


def test_a_process_that_nobody_hears_ends(config: Any) -> None:
    """When the reader of the answers is gone no more lines are taken, although the input stays open."""
    reader, writer = os.pipe()
    process = subprocess.Popen([*COMMAND, "--config", config()], stdin=subprocess.PIPE, stdout=writer, stderr=subprocess.DEVNULL, cwd=ROOT)
    os.close(reader)
    os.close(writer)
    try:
        assert process.stdin
        process.stdin.write(b'{"email": "a@contacts.example"}\n')
        process.stdin.flush()
        assert process.wait(PATIENCE) == 1
    finally:
        process.kill()
        process.communicate()


def test_the_mapping_of_the_stream_counts(start: Any, members: Any) -> None:
    """Rules without a stream and those for --stream hold; the others are for connections of the platform."""
    rules = [{"column": "mail", "field": "email"}, {"column": "name", "field": "first_name"}]
    stream = start("--stream", "signups", field_mapping=rules)

    stream.ask({"mail": "a@contacts.example", "name": "Ada"})

    assert members()["a@contacts.example"]["merge_fields"]["FNAME"] == "Ada"


def test_killed_and_sent_again(start: Any, mailchimp: Any, members: Any) -> None:
    """Killed with kill -9 again and again, a sender that repeats unanswered events ends with the same account."""
    mailchimp.latency(0.01, 0.01)
    chance, emails = random.Random(3), [f"p{n}@contacts.example" for n in range(60)]
    events = [{"id": n, "email": chance.choice(emails), "first_name": str(n), "tags": [f"t{n % 3}"]} for n in range(400)]
    last = {event["email"]: event for event in events}
    unanswered = {event["id"]: event for event in events}
    for kill_after in (1, 60, 150, None):
        stream: Stream = start()
        stream.send(*unanswered.values())
        for _ in range(len(unanswered) if kill_after is None else min(kill_after, len(unanswered))):
            stream.answer()
        stream.signal(9)
        stream.wait()
        for answer in stream.answers:
            unanswered.pop(answer["id"], None)

    assert unanswered == {}
    found = members()
    assert {email: found[email]["merge_fields"]["FNAME"] for email in last} == {email: event["first_name"] for email, event in last.items()}
    assert {email: set(found[email]["tags"]) for email in last} == {
        email: {tag for event in events if event["email"] == email for tag in event["tags"]} for email in last
    }
