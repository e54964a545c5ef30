"""The rules of every stream hold for raw streams: connections, resume, failures that stay alone; and those of their own."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from integration_tests.commands import IMPATIENT, Output, Source, catalog, delete_after_listing
from integration_tests.raw.mirror import raw_catalog, serve
from mailchimp_emulator import Emulator
from source_mailchimp_unified.raw_collections import table

Sources = Callable[..., Source]

HASTY = replace(IMPATIENT, total=0.5)
"""Gives up soon what never gets better."""

QUICK = ["campaigns", "campaign_feedback", "campaign_content", "reports", "report_sent_to", "list_members", "segments"]


def warnings(output: Output) -> list[str]:
    """Return the warnings about raw streams."""
    logs = [m["log"] for m in output.messages if m["type"] == "LOG"]
    return [log["message"] for log in logs if log["level"] == "WARN" and "mailchimp_" in log["message"]]


def asked(mailchimp: Emulator) -> Counter[str]:
    """Return how often each path was asked for."""
    return Counter(entry["path"].removeprefix("/3.0") for entry in mailchimp.journal())


@pytest.mark.parametrize("workers", [2, 10])
def test_never_more_requests_are_open_than_workers(mailchimp: Emulator, source: Sources, workers: int) -> None:
    """However many streams and partitions are read, at most `num_workers` requests are open, and they are made use of."""
    serve(mailchimp, reports=30)
    mailchimp.latency(0.05)
    mailchimp.reset_stats()

    output = source(num_workers=workers).read(raw_catalog(*QUICK))

    assert output.errors() == []
    assert mailchimp.stats()["peak_open"] == workers


def test_parents_are_read_once_in_full_and_in_brief(mailchimp: Emulator, source: Sources) -> None:
    """All children of a parent share one reading of it, of what they need only; audiences are those of the account, read for all streams."""
    serve(mailchimp)
    children = [row.name for row in table().values() if row.parent and row.parent.row in ("campaigns", "reports", "lists", "stores")]

    unified, raw = catalog(["contacts", "lists"]), raw_catalog(*children)
    output = source(raw_streams=children).read({"streams": [*unified["streams"], *raw["streams"]]})

    assert output.errors() == []
    paths = asked(mailchimp)
    assert [paths[path] for path in ("/campaigns", "/reports", "/lists", "/ecommerce/stores", "/ping")] == [1, 1, 1, 1, 1]
    (query,) = [entry["query"] for entry in mailchimp.journal() if entry["path"] == "/3.0/campaigns"]
    assert query["fields"] == "campaigns.id,campaigns.status,campaigns.create_time,campaigns.send_time,total_items"
    assert {"since_create_time", "before_create_time", "exclude_fields"}.isdisjoint(query)


def test_a_killed_sync_goes_on_where_it_was(mailchimp: Emulator, source: Sources) -> None:
    """States follow finished partitions; a sync that is killed after some of them reads the others, and none of those for nothing."""
    serve(mailchimp, reports=40)
    mailchimp.latency(0.02)
    reading, wanted = source(num_workers=2), raw_catalog("email_activity")
    process = reading.popen("read", wanted)
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(json.loads(line))
        if sum(one["type"] == "STATE" for one in lines) == 10:
            break
    process.kill()
    process.communicate()
    first = Output(lines)
    done = set(first.states("mailchimp_email_activity")[-1]["cursors"])
    mailchimp.clear_journal()

    second = reading.read(wanted, first.state())

    assert 10 <= len(done) < 40
    again = [entry for entry in mailchimp.journal() if "email-activity" in entry["path"]]
    finished = {json.loads(key)[0] for key in done}
    assert {entry["path"].split("/")[3] for entry in again if "since" in entry["query"]} <= finished
    assert len(again) < 40
    fresh = {record["campaign_id"] for record in second.records("mailchimp_email_activity")}
    emitted = {record["campaign_id"] for record in first.records("mailchimp_email_activity")}
    assert len(fresh | emitted) == 40
    assert fresh == {f"id-{number}" for number in range(40)} - {json.loads(key)[0] for key in done}


def test_a_failing_collection_fails_its_stream_only(mailchimp: Emulator, source: Sources) -> None:
    """Errors of one partition leave its stream incomplete, with the other partitions and their states emitted; the rest is complete."""
    serve(mailchimp)
    mailchimp.faults([{"kind": "not_json_200", "path": "id-1/email-activity"}, {"kind": "500", "path": "/campaign-folders", "times": 3}])
    names = ("email_activity", "reports", "campaign_folders")

    output = source().read(raw_catalog(*names), patience=HASTY)

    assert {name: output.statuses(f"mailchimp_{name}")[-1] for name in names} == {
        "email_activity": "INCOMPLETE",
        "reports": "COMPLETE",
        "campaign_folders": "COMPLETE",
    }
    assert {record["campaign_id"] for record in output.records("mailchimp_email_activity")} == {"id-0", "id-2"}
    assert set(output.states("mailchimp_email_activity")[-1]["cursors"]) == {'["id-0"]', '["id-2"]'}
    (error,) = [error for error in output.errors() if error.get("stream_descriptor")]
    assert (error["stream_descriptor"]["name"], error["failure_type"]) == ("mailchimp_email_activity", "transient_error")


def test_a_parent_that_cannot_be_read_fails_its_children_only(mailchimp: Emulator, source: Sources) -> None:
    """What the children of a parent wait for fails all of them under their own names, and nothing else."""
    serve(mailchimp)
    mailchimp.faults([{"kind": "not_json_200", "path": "/3.0/reports$"}])
    names = ("report_advice", "report_locations", "campaigns", "campaign_content")

    output = source().read(raw_catalog(*names), patience=HASTY)

    assert [output.statuses(f"mailchimp_{name}")[-1] for name in names] == ["INCOMPLETE", "INCOMPLETE", "COMPLETE", "COMPLETE"]


def test_what_belongs_to_a_parent_that_cannot_be_read_is_missing_alone(mailchimp: Emulator, source: Sources) -> None:
    """Of two audiences one refuses its segments, of three stores one fails: the children of the others come, and the log or an error says so."""
    serve(mailchimp)
    mailchimp.forbid(["/lists/aaaaaaaaaa/segments$"])
    mailchimp.faults([{"kind": "not_json_200", "path": "/stores/id-1/promo-rules$"}])

    output = source().read(raw_catalog("segment_members", "store_promo_codes"), patience=HASTY)

    assert {record["list_id"] for record in output.records("mailchimp_segment_members")} == {"bbbbbbbbbb"}
    assert output.statuses("mailchimp_segment_members")[-1] == "COMPLETE"
    assert any("What belongs to 1 of 2 parts of the segments is left out" in line for line in output.logs())
    assert {record["store_id"] for record in output.records("mailchimp_store_promo_codes")} == {"id-0", "id-2"}
    assert output.statuses("mailchimp_store_promo_codes")[-1] == "INCOMPLETE"


@pytest.mark.parametrize("path", ["/3.0/automations$", "/3.0/automations/[^/]+/emails$"])
def test_what_an_account_may_not_read_is_reported_once_and_skipped(mailchimp: Emulator, source: Sources, path: str) -> None:
    """A 403 with a problem document, of a collection or of its parent, is one warning per stream and no failure."""
    serve(mailchimp)
    mailchimp.forbid([path])
    names = ("automation_emails", "automation_email_queue", "campaigns")

    output = source().read(raw_catalog(*names))

    assert output.errors() == []
    assert [output.statuses(f"mailchimp_{name}")[-1] for name in names] == ["COMPLETE"] * 3
    assert len(output.records("mailchimp_campaigns")) == 3
    assert [line.split(" left out: ")[0] for line in sorted(warnings(output))] == [
        "The stream mailchimp_automation_email_queue",
        "The stream mailchimp_automation_emails",
    ]
    assert all("may not access" in line and "higher role" in line for line in warnings(output))


def test_a_missing_part_is_skipped_alone(mailchimp: Emulator, source: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    """A parent that is gone when its turn comes is counted in one warning; the others are read."""
    serve(mailchimp)
    delete_after_listing(monkeypatch, mailchimp, "bbbbbbbbbb")

    output = source().read(raw_catalog("list_clients", "list_members"))

    assert output.errors() == []
    assert {record["list_id"] for record in output.records("mailchimp_list_clients")} == {"aaaaaaaaaa"}
    assert set(output.states("mailchimp_list_members")[-1]["cursors"]) == {'["aaaaaaaaaa"]'}
    assert sorted(line.split(" left out")[0] for line in warnings(output)) == [
        "1 of 2 parts of the stream mailchimp_list_clients",
        "1 of 2 parts of the stream mailchimp_list_members",
    ]


def test_a_collection_that_refuses_everything_is_not_asked_on_and_on(mailchimp: Emulator, source: Sources) -> None:
    """After a number of refused partitions, and none given, the others are not asked for, and the log says how many."""
    serve(mailchimp, reports=200)
    mailchimp.forbid(["/sent-to"])

    output = source().read(raw_catalog("report_sent_to"))

    assert output.statuses("mailchimp_report_sent_to")[-1] == "COMPLETE"
    tried = sum(count for path, count in asked(mailchimp).items() if "sent-to" in path)
    assert tried < 40
    assert len(warnings(output)) == 2
    assert f" {200 - tried} more parts" in warnings(output)[1]


def test_a_deactivated_account_is_a_failure(mailchimp: Emulator, source: Sources) -> None:
    """An account that may read nothing at all is not a collection to skip: an empty table would take the place of a full one."""
    serve(mailchimp)
    body = {"title": "User Disabled", "status": 403, "detail": "This account has been deactivated."}
    mailchimp.faults([{"kind": "answer", "status": 403, "body": body, "content_type": "application/problem+json"}])

    output = source().read(raw_catalog("campaigns", "campaign_content"))

    assert all("deactivated" in error["message"] for error in output.errors())
    assert [output.statuses(f"mailchimp_{name}")[-1] for name in ("campaigns", "campaign_content")] == ["INCOMPLETE"] * 2


def test_streams_on_request_need_their_name(mailchimp: Emulator, source: Sources) -> None:
    """A stream that takes a request per contact is neither in `all` nor read unasked; the refusal says what to do."""
    serve(mailchimp)

    refused = source(raw_streams=["all"]).read(raw_catalog("member_notes", "campaigns"))

    assert refused.statuses("mailchimp_member_notes") == ["INCOMPLETE"]
    assert refused.statuses("mailchimp_campaigns")[-1] == "COMPLETE"
    assert "please name member_notes in raw_streams" in refused.errors()[0]["message"]
    assert not [path for path in asked(mailchimp) if path.endswith("/notes")]


def test_a_stream_on_request_says_first_how_many_requests_it_takes(mailchimp: Emulator, source: Sources) -> None:
    """The number of requests is in the log before the first of them is made."""
    serve(mailchimp)

    output = source(raw_streams=["member_notes"]).command("read", raw_catalog("member_notes"))

    line = "The stream mailchimp_member_notes needs about 8 requests, one for each of the list members."
    assert warnings(output) == [line]
    positions = [m["type"] == "RECORD" for m in output.messages]
    assert output.logs().index(line) < positions.index(True)
    assert sum(count for path, count in asked(mailchimp).items() if path.endswith("/notes")) == 8
    assert {(record["list_id"], len(record["email_id"])) for record in output.records("mailchimp_member_notes")} == {
        ("aaaaaaaaaa", 32),
        ("bbbbbbbbbb", 32),
    }


def test_discover_shows_what_is_asked_for(mailchimp: Emulator, source: Sources) -> None:
    """Off by default, all but those on request, or those named; next to the unified streams and without a request of their own."""
    serve(mailchimp)
    shown = {
        str(raw_streams): [stream["name"] for stream in source(raw_streams=raw_streams).discover()]
        for raw_streams in ([], ["all"], ["campaigns", "member_notes"])
    }

    unified = ["contacts", "lists", "tags", "users"]
    assert shown["[]"] == unified
    assert shown["['all']"] == unified + [row.stream for row in table().values() if not row.on_request]
    assert shown["['campaigns', 'member_notes']"] == [*unified, "mailchimp_campaigns", "mailchimp_member_notes"]
    assert {path for path in asked(mailchimp) if not path.startswith("/lists")} == set()


def test_a_state_of_another_source_is_refused_in_words(mailchimp: Emulator, source: Sources) -> None:
    """A saved state that is not ours is a config error that names the stream."""
    serve(mailchimp)
    stream_state = {"stream_descriptor": {"name": "mailchimp_campaigns"}, "stream_state": {"cursors": {"[]": "yesterday"}}}

    output = source().read(raw_catalog("campaigns"), [{"type": "STREAM", "stream": stream_state}])

    assert "saved state of the stream mailchimp_campaigns" in output.errors()[0]["message"]


def test_a_count_that_is_too_high_is_reported(mailchimp: Emulator, source: Sources) -> None:
    """What Mailchimp counts but does not give is named in the log: nothing is missing silently."""
    serve(mailchimp)
    mailchimp.faults([{"kind": "total_items", "by": 2, "path": "/verified-domains$"}])

    output = source().read(raw_catalog("verified_domains"))

    assert len(output.records("mailchimp_verified_domains")) == 3
    assert output.statuses("mailchimp_verified_domains")[-1] == "COMPLETE"
    assert any("Mailchimp counts 5 domains" in line and "lists only 3" in line for line in output.logs())
