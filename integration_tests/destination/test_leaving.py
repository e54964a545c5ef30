"""The membership tag: everybody who comes has it, and after a complete refresh those who left lose it, and nobody else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from destination_mailchimp_unified.intake.refreshes import ATTEMPT_VARIABLE
from mailchimp_unified.patience import Patience

TAG = "Customers"
OPTIONS = {"membership_tag": TAG, "on_leaving": "remove_tag"}
COMPLETE = "COMPLETE"


def refreshed(name: str = "people", *, resumable: bool = False, **more: Any) -> dict[str, Any]:
    """A configured stream as Airbyte configures one for a full refresh that overwrites."""
    modes = {"sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
    stream = {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh"], "is_resumable": resumable}
    return {"stream": stream, **modes, "generation_id": 7, "minimum_generation_id": 7, "sync_id": 42, **more}


def streams(*configured: dict[str, Any]) -> dict[str, Any]:
    """A catalog."""
    return {"streams": list(configured or (refreshed(),))}


def status(word: str = COMPLETE, stream: str = "people") -> dict[str, Any]:
    """What a source says about a stream."""
    told = {"stream_descriptor": {"name": stream}, "status": word}
    return {"type": "TRACE", "trace": {"type": "STREAM_STATUS", "emitted_at": 1.0, "stream_status": told}}


@pytest.fixture
def carriers(make_runner: Any) -> Any:
    """A runner for an audience of ten contacts who all carry the tag and another one."""
    return make_runner(contacts=10, tags=[TAG, "Kept"], tags_per_contact=2)


def coming(runner: Any, record: Any, missing: int = 2, stream: str = "people") -> list[dict[str, Any]]:
    """Records of all contacts but the first few."""
    return [record({"email": email, "list_id": runner.list_id}, stream) for email in sorted(runner.members())[missing:]]


def losers(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Who lost the tag, by address; asserts that nothing else became of anybody."""
    for email, member in before.items():
        assert (after[email]["status"], after[email]["merge_fields"]) == (member["status"], member["merge_fields"])
        assert [tag for tag in after[email]["tags"] if tag != TAG] == [tag for tag in member["tags"] if tag != TAG]
    return sorted(email for email, member in before.items() if TAG in member["tags"] and TAG not in after[email]["tags"])


@pytest.mark.parametrize("suppress_automations", [False, True])
@pytest.mark.parametrize("write_mode", ["bulk", "single"])
def test_who_did_not_come_loses_the_tag(carriers: Any, record: Any, state: Any, write_mode: str, suppress_automations: bool) -> None:
    """Everybody who comes has the tag, in any spelling that the audience has; those who left lose it and keep everything else."""
    before = carriers.members()
    messages = [*coming(carriers, record), record({"email": "new@contacts.example"}), state(1), status()]
    options = {**OPTIONS, "membership_tag": "customers", "write_mode": write_mode, "suppress_automations": suppress_automations}
    result = carriers.write(messages, streams(), **options)
    assert (result.error, result.ids) == (None, [1])
    after = carriers.members()
    assert losers(before, after) == sorted(before)[:2]
    assert after["new@contacts.example"]["tags"] == [TAG]
    removals = [entry for entry in carriers.writes() if "/segments/" in entry["path"]]
    assert len(removals) == (0 if suppress_automations else 1)
    assert carriers.write(messages, streams(), **options).error is None
    assert losers(before, carriers.members()) == sorted(before)[:2]


@pytest.mark.parametrize("gone", ["unsubscribed", "cleaned", "transactional"])
def test_who_cannot_be_mailed_loses_the_tag_too(make_runner: Any, record: Any, state: Any, gone: str) -> None:
    """Every contact in the table gets the tag, regardless of status, and the status stays."""
    runner = make_runner(contacts=10, tags=[TAG], tags_per_contact=1, statuses={"subscribed": 9, gone: 1})
    before = runner.members()
    out = [email for email, member in before.items() if member["status"] == gone]
    messages = [record({"email": email}) for email in before if email not in out]
    assert runner.write([*messages, state(1), status()], streams(), **OPTIONS).error is None
    assert losers(before, runner.members()) == out


JUDGED = {
    "appending": (refreshed(destination_sync_mode="append_dedup", minimum_generation_id=0), None, {}),
    "a later attempt of what cannot be resumed": (refreshed(), "2", {}),
    "the first attempt of what can": (refreshed(resumable=True), "0", {}),
    "a truncating refresh of an incremental stream": (refreshed(sync_mode="incremental"), "0", {}),
    "PyAirbyte, told": (
        refreshed(generation_id=1, minimum_generation_id=1, sync_id=1, resumable=True), None, {"every_sync_is_complete": True}
    ),
    "a script, told": ({**refreshed(), "generation_id": None, "minimum_generation_id": None}, None, {"every_sync_is_complete": True}),
}  # fmt: skip


@pytest.mark.parametrize("case", JUDGED)
def test_what_counts_as_complete(carriers: Any, record: Any, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    """A full refresh, or a truncating one, of which every record came by this process."""
    configured, attempt, more = JUDGED[case]
    if attempt is not None:
        monkeypatch.setenv(ATTEMPT_VARIABLE, attempt)
    before = carriers.members()
    assert carriers.write([*coming(carriers, record), status()], streams(configured), **OPTIONS, **more).error is None
    assert losers(before, carriers.members()) == sorted(before)[:2]


PYAIRBYTE = {"generation_id": 1, "minimum_generation_id": 1, "sync_id": 1}
TRUSTING = {"every_sync_is_complete": True}
UNJUDGED: dict[str, tuple[dict[str, Any], str | None, list[Any], dict[str, Any]]] = {
    "nothing is wanted": (refreshed(), None, [status()], {"on_leaving": "nothing"}),
    "incremental": (refreshed(sync_mode="incremental", minimum_generation_id=0), "0", [status()], TRUSTING),
    "PyAirbyte, incremental": (refreshed(sync_mode="incremental", **PYAIRBYTE), None, [status()], TRUSTING),
    "PyAirbyte, not told": (refreshed(**PYAIRBYTE), None, [status()], {}),
    "a script, not told": (refreshed(generation_id=None), None, [status()], {}),
    "resumable, attempt unknown": (refreshed(resumable=True), None, [status()], {}),
    "resumed": (refreshed(resumable=True), "1", [status()], TRUSTING),
    "a truncating refresh, resumed": (refreshed(sync_mode="incremental"), "1", [status()], TRUSTING),
    "no word of the source": (refreshed(), None, [], TRUSTING),
    "only begun": (refreshed(), None, [status("STARTED"), status("RUNNING")], {}),
    "incomplete": (refreshed(), None, [status("INCOMPLETE")], {}),
    "incomplete, and yet the platform says complete": (refreshed(), None, [status("INCOMPLETE"), status()], {}),
    "begun again": (refreshed(), None, [status(), status("RUNNING")], {}),
    "another stream is complete": (refreshed(), None, [status(stream="people2")], {}),
    "a broken line": (refreshed(), None, [b'{"type": "RECORD", "rec', status()], {}),
    "more left than may": (refreshed(), None, [status()], {"max_leaving_percent": 19}),
    "nobody may leave": (refreshed(), None, [status()], {"max_leaving_percent": 0}),
}


@pytest.mark.parametrize("case", UNJUDGED)
def test_when_nobody_loses_the_tag(carriers: Any, record: Any, state: Any, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    """Whenever it is not sure that everybody came, or too many left: the sync ends well, and its states are acknowledged."""
    configured, attempt, more, options = UNJUDGED[case]
    if attempt is not None:
        monkeypatch.setenv(ATTEMPT_VARIABLE, attempt)
    before = carriers.members()
    result = carriers.write([*coming(carriers, record), state(1), *more], streams(configured), **{**OPTIONS, **options})
    assert (result.error, result.ids) == (None, [1])
    assert losers(before, carriers.members()) == []


@pytest.mark.parametrize("most", [20, 100])
def test_an_empty_refresh_takes_the_tag_from_nobody(carriers: Any, record: Any, state: Any, most: int) -> None:
    """Not even where all may leave: an empty table is more likely a mistake."""
    before = carriers.members()
    for messages in ([state(1), status()], [record({"email": "nobody"}), state(1), status()]):
        carriers.write(messages, streams(), **OPTIONS, max_leaving_percent=most)
        assert losers(before, carriers.members()) == []


CAME = {
    "rejected for a value": {"vip": "perhaps", "list_id": "SAME"},
    "rejected for a value, and nobody knows where": {"vip": "perhaps", "list_id": None},
    "refused by Mailchimp": {"ip_signup": "nowhere"},
    "rejected for its audience": {"list_id": "../x"},
    "skipped": {"status": "cleaned"},
    "by the address that it had": {"email": "other@contacts.example", "previous_email": "SAME"},
    "rejected, by the address that it had": {"email": "other@contacts.example", "previous_email": "SAME", "vip": "perhaps"},
}  # fmt: skip


@pytest.mark.parametrize("case", CAME)
def test_who_came_keeps_the_tag_whatever_became_of_the_record(carriers: Any, record: Any, case: str) -> None:
    """A contact whose record was rejected, refused or skipped came all the same; so did one under its former email address."""
    email = min(carriers.members())
    same = {"list_id": carriers.list_id, "previous_email": email}
    columns = {"email": email, **{name: same[name] if value == "SAME" else value for name, value in CAME[case].items()}}
    configured = refreshed()
    configured["stream"]["json_schema"] = {"properties": {name: {} for name in ("email", "list_id", "vip", "previous_email", "status")}}
    result = carriers.write([*coming(carriers, record, 1), record(columns), status()], streams(configured), **OPTIONS)
    assert result.error is None
    found = [member for member in carriers.members().values() if TAG in member["tags"]]
    assert len(found) == 10


@pytest.mark.parametrize("on_delete", ["ignore", "unsubscribe"])
def test_a_deleted_row_brings_nobody(carriers: Any, record: Any, on_delete: str) -> None:
    """The last record of a contact decides: who was deleted left, who came back stays."""
    emails = sorted(carriers.members())
    deleted = [record({"email": email, "list_id": carriers.list_id, "is_deleted": True}) for email in emails[:3]]
    back = record({"email": emails[2], "list_id": carriers.list_id})
    messages = [record({"email": emails[0], "list_id": carriers.list_id}), *deleted, back, *coming(carriers, record, 3), status()]
    assert carriers.write(messages, streams(), **OPTIONS, on_delete=on_delete).error is None
    after = carriers.members()
    assert sorted(email for email in emails if TAG not in after[email]["tags"]) == emails[:2]


def test_two_streams_with_one_tag(carriers: Any, record: Any) -> None:
    """Who is in either stream stays; where one of them is not complete, nobody leaves, unless it feeds the tag no longer."""
    before, emails = carriers.members(), sorted(carriers.members())
    both = streams(refreshed("one"), refreshed("two"))
    one = [record({"email": email, "list_id": carriers.list_id}, "one") for email in emails[2:6]]
    two = [record({"email": email, "list_id": carriers.list_id}, "two") for email in emails[4:]]
    first = carriers.write([*one, *two, status(stream="one")], both, **OPTIONS)
    assert (first.error, losers(before, carriers.members())) == (None, [])
    assert carriers.write([*one, *two, status(stream="one"), status(stream="two")], both, **OPTIONS).error is None
    assert losers(before, carriers.members()) == emails[:2]
    only = carriers.write([*one, *two, status(stream="one")], both, **OPTIONS, membership_streams=["One"], max_leaving_percent=60)
    assert only.error is None
    assert losers(before, carriers.members()) == [*emails[:2], *emails[6:]]


def test_each_audience_is_judged_by_itself(carriers: Any, record: Any) -> None:
    """Who came to one audience left the other; an audience to which nobody came is left alone."""
    other = type(carriers)(carriers.mailchimp, carriers.mailchimp.seed(name="Other", contacts=5, tags=[TAG], tags_per_contact=1)[0])
    empty = type(carriers)(carriers.mailchimp, carriers.mailchimp.seed(name="Empty", contacts=5, tags=[TAG], tags_per_contact=1)[0])
    before, others, empties = carriers.members(), other.members(), empty.members()
    # Every audience has contacts with the same email addresses: the first is in one, the second in the other.
    elsewhere = coming(other, record, 0)
    del elsewhere[1]
    assert carriers.write([*coming(carriers, record, 1), *elsewhere, status()], streams(), **OPTIONS).error is None
    assert losers(before, carriers.members()) == sorted(before)[:1]
    assert losers(others, other.members()) == sorted(others)[1:2]
    assert losers(empties, empty.members()) == []


def test_a_dry_run_lists_who_would_leave(carriers: Any, record: Any, tmp_path: Path) -> None:
    """It writes nothing, and the file of outcomes has a line for each of them, fit for no replay."""
    before, path = carriers.members(), tmp_path / "planned.jsonl"
    options = {**OPTIONS, "dry_run": True, "rejected_records": "file", "rejected_records_file": str(path)}
    assert carriers.write([*coming(carriers, record), status()], streams(), **options).error is None
    assert carriers.writes() == []
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    leaving = [line for line in lines if line["outcome"] == "leaving"]
    assert sorted(line["email"] for line in leaving) == sorted(before)[:2]
    assert all(line["changes"] == {"tags": {"old": [TAG], "new": []}} and "record" not in line for line in leaving)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("method", "path"), [("GET", "/segments/[0-9]+/members$"), ("POST", "/segments/[0-9]+$"), ("GET", "/segments$")])
def test_a_removal_that_fails_acknowledges_no_end(carriers: Any, record: Any, state: Any, when: str, method: str, path: str) -> None:
    """The last state stays out and the sync fails for the platform to run it again; then they lose the tag."""
    before, messages = carriers.members(), coming(carriers, record)
    # The tags are read at the beginning, too.
    carriers.mailchimp.faults(
        [{"kind": "500", "method": method, "path": path, "when": when, "after": 1 if path.endswith("s$") and "/m" not in path else 0}]
    )
    patience = Patience(first_back_off=0, longest_back_off=0, total=0)
    whole = [*messages[:4], state(1), *messages[4:], state(2), status()]
    result = carriers.write(whole, streams(), patience=patience, **OPTIONS)
    assert result.error is not None
    assert result.error.failure_type.value == "transient_error"
    assert result.ids == [1]
    carriers.mailchimp.clear_faults()
    again = carriers.write(whole, streams(), **OPTIONS)
    assert (again.error, again.ids) == (None, [1, 2])
    assert losers(before, carriers.members()) == sorted(before)[:2]


def test_states_come_while_the_end_is_awaited(carriers: Any, record: Any, state: Any, start: Any) -> None:
    """Only the last state waits for the end: the ones before come while the input is open."""
    process = start("write", carriers.config(**OPTIONS), streams())
    lines = [*coming(carriers, record), state(1), *coming(carriers, record), state(2)]
    process.stdin.write(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
    process.stdin.flush()
    assert json.loads(next(line for line in process.stdout if b'"STATE"' in line))["state"]["id"] == 1
    output, _ = process.communicate(json.dumps(status()).encode() + b"\n", timeout=60)
    assert [json.loads(line)["state"]["id"] for line in output.splitlines() if b'"STATE"' in line] == [2]


@pytest.mark.parametrize("most", [20, 100])
def test_who_is_given_the_tag_meanwhile_keeps_it(carriers: Any, record: Any, most: int) -> None:
    """A contact that somebody else tags, or that signs up, while the sync runs is judged by the next one."""
    acts = [
        {"command": "act", "list_id": carriers.list_id, "email": "late@contacts.example", "action": "subscribe"},
        {"command": "act", "list_id": carriers.list_id, "email": "late@contacts.example", "action": "add_tag", "more": {"tag": TAG}},
    ]
    rule = {"kind": "run", "method": "GET", "path": "/segments/[0-9]+/members$", "times": 1, "commands": acts}
    before = carriers.members()
    carriers.mailchimp.faults([rule])
    assert carriers.write([*coming(carriers, record), status()], streams(), **OPTIONS, max_leaving_percent=most).error is None
    after = carriers.members()
    assert TAG in after["late@contacts.example"]["tags"]
    assert losers(before, after) == sorted(before)[:2]


def test_a_list_that_is_not_whole_is_not_believed(carriers: Any, record: Any) -> None:
    """Where Mailchimp counts more contacts with the tag than it lists, nobody loses it."""
    before = carriers.members()
    carriers.mailchimp.faults([{"kind": "total_items", "by": 5, "path": "/segments/[0-9]+/members$"}])
    assert carriers.write([*coming(carriers, record), status()], streams(), **OPTIONS).error is None
    assert losers(before, carriers.members()) == []


def test_a_tag_of_twelve_hundred_in_many_pages(make_runner: Any, record: Any) -> None:
    """Every page is read, and five hundred at once lose the tag."""
    runner = make_runner(contacts=2_400, tags=[TAG], tags_per_contact=1)
    before = runner.members()
    messages = [record({"email": email}) for email in sorted(before)[1_200:]]
    assert runner.write([*messages, status()], streams(), **OPTIONS, max_leaving_percent=50).error is None
    assert losers(before, runner.members()) == sorted(before)[:1_200]
    assert len([entry for entry in runner.writes() if "/segments/" in entry["path"]]) == 3


@pytest.mark.parametrize("write_mode", ["bulk", "single"])
def test_no_rule_about_tags_takes_the_membership_tag(carriers: Any, record: Any, write_mode: str) -> None:
    """Neither replace within managed tags nor a record's own tags_to_remove: who comes has it, and the summary says so."""
    messages = [
        record({"email": email, "tags": ["Fresh"], "tags_to_remove": ["CUSTOMERS", "Kept"]})
        for email in [*carriers.members(), "n@x.example"]
    ]
    options = {**OPTIONS, "tag_mode": "replace", "managed_tags": ["*"], "write_mode": write_mode}
    result = carriers.write([*messages, status()], streams(), **options)
    assert result.error is None
    assert {tuple(sorted(member["tags"])) for member in carriers.members().values()} == {(TAG, "Fresh")}
    assert "11 written without the removal of the membership tag" in result.text


@pytest.mark.parametrize("policy", ["update_only", "create_only"])
def test_write_policies_and_the_tag(carriers: Any, record: Any, policy: str) -> None:
    """Whom a policy leaves alone came all the same; nobody new has the tag by update_only, nobody known gets it by create_only."""
    before = carriers.members()
    carriers.mailchimp.act(carriers.list_id, sorted(before)[5], "remove_tag", tag=TAG)
    messages = [*coming(carriers, record), record({"email": "new@contacts.example"}), status()]
    assert carriers.write(messages, streams(), **OPTIONS, write_policy=policy, max_leaving_percent=30).error is None
    after = carriers.members()
    assert ("new@contacts.example" in after) == (policy == "create_only")
    assert (TAG in after[sorted(before)[5]]["tags"]) == (policy == "update_only")
    assert [email for email in sorted(before) if TAG not in after[email]["tags"]][:2] == sorted(before)[:2]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"on_leaving": "remove_tag"}, "membership_tag"),
        ({"on_leaving": "archive", "membership_tag": TAG}, "on_leaving"),
        ({"membership_streams": ["people"]}, "membership_tag"),
        ({"max_leaving_percent": 101}, "max_leaving_percent"),
        ({"membership_tag": TAG, "field_mapping": [{"column": "is_customer", "field": "tag:customers"}]}, "membership_tag"),
    ],
)
def test_check_names_what_cannot_work(runner: Any, options: dict[str, Any], field: str) -> None:
    """A tag that is missing, or asked for twice, is named before anything is sent."""
    outcome, message = runner.check(**options)
    assert outcome == "FAILED"
    assert field in message


def test_a_stream_of_the_tag_that_is_not_there(carriers: Any, record: Any) -> None:
    """A misspelled stream fails the sync before anything is sent."""
    result = carriers.write(coming(carriers, record), streams(), **OPTIONS, membership_streams=["poeple"])
    assert result.error is not None
    assert "membership_streams" in (result.error.message or "")
    assert carriers.mailchimp.journal() == []
