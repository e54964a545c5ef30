"""Disturbances cost time, but no record, and never more connections than configured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from integration_tests.commands import BRIEF, IMPATIENT, STREAMS, Source, catalog, delete_after_listing
from mailchimp_emulator import Emulator
from mailchimp_unified.entities import contact
from mailchimp_unified.entities.rows import Contact, Member

Sources = Callable[..., Source]

FAULTS = ["429", "403_html", "500", "502_html", "503_akamai", "reset", "truncate", "hang", "empty_200", "not_json_200"]


def left(states: list[dict[str, Any]], list_id: str) -> list[int]:
    """Return the seconds that each state says are left of a list, in order; the horizon of the sync is the same in all."""
    windows = [state["lists"][list_id].get("left", {}).values() for state in states if list_id in state["lists"]]
    return [sum(until - after for listing in one for after, until in listing) for one in windows]


@pytest.mark.parametrize("kind", FAULTS)
def test_a_disturbance_costs_no_record_and_no_step_back(mailchimp: Emulator, source: Sources, kind: str) -> None:
    """With every tenth request disturbed, every contact comes exactly once and no cursor goes back."""
    (list_id,) = mailchimp.seed(name="Shaky", contacts=12_000, ties={"groups": [1, 40]}, statuses={"subscribed": 0.9, "archived": 0.1})
    mailchimp.faults([{"kind": kind, "probability": 0.1}, {"kind": kind, "after": 10, "times": 1}], seed=3)

    output = source(num_workers=8).read(catalog(), patience=BRIEF if kind == "hang" else IMPATIENT)

    assert output.errors() == []
    assert mailchimp.stats()["faults"] > 0
    assert sorted(record["id"] for record in output.records("contacts")) == sorted(member["id"] for member in mailchimp.members(list_id))
    steps = left(output.states("contacts"), list_id)
    assert steps[-1] == 0
    assert steps == sorted(steps, reverse=True)


@pytest.mark.parametrize("streams", [["contacts"], ["lists", "tags"], STREAMS], ids="+".join)
@pytest.mark.parametrize("workers", [1, 3, 10])
def test_never_more_requests_are_open_than_workers(mailchimp: Emulator, source: Sources, streams: list[str], workers: int) -> None:
    """For any selection of streams, at most `num_workers` requests are open at Mailchimp at any moment, and they are made use of."""
    for number in range(12):
        mailchimp.seed(name=f"List {number}", contacts=200)
    mailchimp.seed(name="Big", contacts=12_000)
    mailchimp.latency(0.05)
    mailchimp.reset_stats()

    source(num_workers=workers).read(catalog(streams))

    assert mailchimp.stats()["peak_open"] == workers
    assert mailchimp.stats()["refused_429"] == 0


def test_other_users_of_the_ten_connections_cost_time_only(mailchimp: Emulator, source: Sources) -> None:
    """When Mailchimp leaves us fewer connections than we want, we back off and still read everything."""
    mailchimp.seed(name="Shared", contacts=15_000)
    mailchimp.behavior(connection_limit=3)
    mailchimp.latency(0.01)

    output = source(num_workers=8).read(catalog(["contacts"]))

    assert mailchimp.stats()["refused_429"] > 0
    assert len(output.records("contacts")) == 15_000


def test_a_forbidden_stream_fails_alone(mailchimp: Emulator, source: Sources) -> None:
    """A role too low for one stream is a config error of that stream; the others finish and the exit code is not 0."""
    mailchimp.seed_demo()
    mailchimp.forbid(["/segments"])

    output = source().command("read", catalog())

    assert output.exit_code == 1
    assert output.statuses("tags") == ["STARTED", "INCOMPLETE"]
    assert {name: output.statuses(name)[-1] for name in ("contacts", "lists", "users")} == dict.fromkeys(
        ("contacts", "lists", "users"), "COMPLETE"
    )
    error = output.errors()[0]
    assert error["failure_type"] == "config_error"
    assert error["stream_descriptor"]["name"] == "tags"
    assert "higher role" in error["message"]


def test_one_forbidden_list_does_not_keep_the_other_lists_back(mailchimp: Emulator, source: Sources) -> None:
    """Contacts of the other lists are emitted with their states; the stream says that it is incomplete."""
    mailchimp.seed_demo()
    mailchimp.forbid(["/lists/c5d80f4b16/members"])

    output = source().read(catalog(["contacts"]))

    assert {record["list_id"] for record in output.records("contacts")} == {"7a3c91e0d2", "2e6b74a9f8"}
    assert set(output.states("contacts")[-1]["lists"]) == {"7a3c91e0d2", "2e6b74a9f8"}
    assert output.statuses("contacts")[-1] == "INCOMPLETE"


def test_a_member_that_cannot_be_mapped_fails_its_stream_only(
    mailchimp: Emulator, source: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug in the mapping is a system error of the stream; no state passes the record, and the other streams finish."""
    mailchimp.seed(name="Odd", contacts=5000)
    mapped = contact.unified

    def refuse_one(member: Member, **options: Any) -> Contact:
        if member.email_address == odd:
            raise TypeError("a member of a shape nobody has seen")
        return mapped(member, **options)

    (list_id,) = [one["id"] for one in mailchimp.lists()]
    oldest = min(mailchimp.members(list_id), key=lambda member: member["last_changed"])
    odd = oldest["email_address"]
    monkeypatch.setattr(contact, "unified", refuse_one)

    output = source().read(catalog())

    assert output.errors()[0]["failure_type"] == "system_error"
    assert output.statuses("contacts")[-1] == "INCOMPLETE"
    assert {name: output.statuses(name)[-1] for name in ("lists", "users")} == {"lists": "COMPLETE", "users": "COMPLETE"}
    left = [state["lists"][list_id]["left"][""] for state in output.states("contacts") if list_id in state["lists"]]
    assert all(any(after < oldest["last_changed"] <= until for after, until in windows) for windows in left)


def test_an_unknown_stream_is_reported_and_the_others_are_read(mailchimp: Emulator, source: Sources) -> None:
    """A stream that the source does not have is a config error; the exit code is not 0."""
    mailchimp.seed_demo()

    output = source().command("read", catalog(["campaigns", "lists"]))

    assert output.exit_code == 1
    assert output.statuses("campaigns") == ["INCOMPLETE"]
    assert "There is no stream campaigns" in output.errors()[0]["message"]
    assert output.statuses("lists")[-1] == "COMPLETE"


def test_a_list_deleted_during_the_sync_is_no_failure(mailchimp: Emulator, source: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    """An audience that vanishes between the listing and its contacts is named in the log and left out."""
    mailchimp.seed_demo()
    delete_after_listing(monkeypatch, mailchimp, "2e6b74a9f8")

    output = source().read(catalog(["contacts"]))

    assert output.errors() == []
    assert any("2e6b74a9f8" in line and "deleted" in line for line in output.logs())
    assert {record["list_id"] for record in output.records("contacts")} == {"7a3c91e0d2", "c5d80f4b16"}
