"""Only what differs from the audience is written, and what was read stays honest while people edit and Mailchimp answers oddly."""

from __future__ import annotations

from typing import Any

import pytest

TENTH = {"subscribed": 900, "unsubscribed": 40, "cleaned": 20, "archived": 40}


def table(runner: Any, record: Any, **more: Any) -> list[Any]:
    """A record for each contact, with what the audience holds; every second has no last name."""
    members = sorted(runner.members().items())
    values = [(email, member["merge_fields"], member["tags"]) for email, member in members]
    return [
        record({"email": email, "first_name": held["FNAME"], "last_name": held["LNAME"] if n % 2 else None, "tags": tags, **more})
        for n, (email, held, tags) in enumerate(values)
    ]


def written(runner: Any, messages: list[Any], **options: Any) -> Any:
    """Run a sync after the journal was emptied."""
    runner.mailchimp.clear_journal()
    return runner.write(messages, **options)


@pytest.mark.parametrize(("write_mode", "dry_run"), [("auto", False), ("bulk", False), ("auto", True)])
def test_a_repeated_table_costs_its_pages_and_no_write(make_runner: Any, record: Any, state: Any, write_mode: str, dry_run: bool) -> None:
    """A tenth is not subscribed, nothing changed: not one write, and hardly more requests than pages; the state comes back."""
    runner = make_runner(contacts=3_000, statuses=TENTH, tags=["Bench", "Other"], tags_per_contact=1)
    before = runner.members()
    result = written(runner, [*table(runner, record), state(1)], write_mode=write_mode, dry_run=dry_run)
    assert result.counts() == {"created": 0, "updated": 0, "unchanged": 3_000, "skipped": 0, "rejected": 0}
    assert result.ids == [1]
    assert runner.writes() == []
    assert len(runner.mailchimp.journal()) <= 3 + 15
    assert runner.members() == before


def test_reading_costs_little_more_than_its_pages(make_runner: Any, record: Any) -> None:
    """Of an audience with many pages hardly a row is read twice, in however many windows."""
    runner = make_runner(contacts=30_000, statuses={"subscribed": 95, "unsubscribed": 5})
    messages = table(runner, record)
    result = written(runner, messages, num_workers=6)
    assert result.counts()["unchanged"] == 30_000
    pages = [entry for entry in runner.mailchimp.journal() if entry["path"].endswith("/members") and entry["query"]["count"] != "1"]
    assert len(pages) <= 30 + 1 + 3


def test_of_a_table_only_what_changed_is_written(make_runner: Any, record: Any) -> None:
    """One in a hundred changed: those contacts are written, and no other."""
    runner = make_runner(contacts=1_000, statuses=TENTH)
    messages = table(runner, record)
    changed = messages[::100]
    for number, message in enumerate(changed):
        message["record"]["data"]["first_name"] = f"New {number}"
    before = {email: member["last_changed"] for email, member in runner.members().items()}
    assert written(runner, messages).counts()["updated"] == len(changed)
    after = runner.members()
    moved = {email for email, moment in before.items() if after[email]["last_changed"] != moment}
    assert moved == {message["record"]["data"]["email"] for message in changed}


def edit(runner: Any, email: str, after: str) -> dict[str, Any]:
    """The rule by which somebody edits a contact once the audience was read."""
    command = {
        "command": "act", "list_id": runner.list_id, "email": email, "action": "change_merge_field", "more": {"tag": "FNAME", "value": "By hand"}
    }  # fmt: skip
    return {
        "kind": "run",
        "method": "GET",
        "path": "/members$",
        "query": {"status": "archived"},
        "when": after,
        "times": 1,
        "commands": [command],
    }


@pytest.mark.parametrize("status", ["subscribed", "unsubscribed"])
def test_a_contact_edited_after_the_reading_ends_as_the_record_says(make_runner: Any, record: Any, status: str) -> None:
    """What changed between our reading and the end of the sync may be overlooked once; the next sync writes it."""
    runner = make_runner(contacts=20, statuses={status: 1})
    messages = table(runner, record)
    columns = messages[0]["record"]["data"]
    runner.mailchimp.faults([edit(runner, columns["email"], "after")])
    assert runner.write(messages, write_mode="bulk").counts()["unchanged"] == 20
    assert runner.members()[columns["email"]]["merge_fields"]["FNAME"] == "By hand"
    assert runner.write(messages, write_mode="bulk").counts()["updated"] == 1
    assert runner.members()[columns["email"]]["merge_fields"]["FNAME"] == columns["first_name"]


def test_a_contact_edited_while_the_audience_is_read_is_written(make_runner: Any, record: Any) -> None:
    """What changed while an audience of several pages was read is read once more at the end."""
    runner = make_runner(contacts=3_000, statuses=TENTH)
    messages = table(runner, record)
    columns = messages[0]["record"]["data"]
    runner.mailchimp.faults([edit(runner, columns["email"], "after")])
    assert runner.write(messages, write_mode="bulk").counts()["updated"] == 1
    assert runner.members()[columns["email"]]["merge_fields"]["FNAME"] == columns["first_name"]


@pytest.mark.parametrize("status", ["subscribed", "unsubscribed", "archived"])
@pytest.mark.parametrize("page", [1, 5])
def test_the_last_value_wins_though_an_earlier_one_was_read(make_runner: Any, record: Any, state: Any, status: str, page: int) -> None:
    """A contact that this sync has written is written again, even with the value that was read at first."""
    runner = make_runner(contacts=20, statuses={status: 1})
    messages = table(runner, record)
    columns = messages[page]["record"]["data"]
    email, first = columns["email"], columns["first_name"]
    more = [message for n, name in enumerate(["Other", first]) for message in (record({"email": email, "first_name": name}), state(n))]
    runner.write([*messages, state(9), *more], num_workers=1, write_mode="bulk")
    assert runner.members()[email]["merge_fields"]["FNAME"] == first


def outcome(runner: Any, message: Any, **options: Any) -> tuple[str, list[str]]:
    """What becomes of one record among enough others that the audience is read, and the tags of its contact."""
    result = runner.write([message], write_mode="bulk", **options)
    kind = next(kind for kind, count in result.counts().items() if count)
    email = message["record"]["data"]["email"]
    return kind, sorted(runner.members()[email]["tags"])


@pytest.mark.parametrize("status", ["subscribed", "unsubscribed"])
def test_tags_are_compared_one_by_one(make_runner: Any, record: Any, status: str) -> None:
    """Adding needs those named, removing their absence; replacing minds the managed ones; upper and lower case do not count."""
    runner = make_runner(contacts=0)
    email = "tags@contacts.example"
    runner.mailchimp.place(runner.list_id, email, status, tags=["VIP", "m:1", "By hand"])
    managed = {"tag_mode": "replace", "managed_tags": ["m:*"]}
    everything = ["By hand", "VIP", "m:1"]
    for columns, options, kind, tags in (
        ({"tags": ["vip", "M:1"]}, {}, "unchanged", everything),
        ({"tags": ["vip"], "tags_to_remove": ["Gone"]}, {}, "unchanged", everything),
        ({"tags_to_remove": ["Gone"]}, {}, "unchanged", everything),
        ({"tags": ["m:1"]}, managed, "unchanged", everything),
        ({"tags": ["m:1", "vip"]}, managed, "unchanged", everything),
        ({"tags": ["m:2", "vip"]}, managed, "updated", ["By hand", "VIP", "m:2"]),
        ({"tags": []}, managed, "updated", ["By hand", "VIP"]),
        ({"tags": []}, managed, "unchanged", ["By hand", "VIP"]),
        ({"tags_to_remove": ["vip"]}, {}, "updated", ["By hand"]),
        ({"tags": ["vip"]}, {}, "updated", ["By hand", "VIP"]),
    ):
        assert outcome(runner, record({"email": email, **columns}), **options) == (kind, tags), columns


def test_a_contact_with_more_tags_than_shown_is_written(make_runner: Any, record: Any) -> None:
    """Of its tags a listing shows fifty, so the one that it lacks is given by a call."""
    runner = make_runner(contacts=0)
    email = "many@contacts.example"
    runner.mailchimp.place(runner.list_id, email, "subscribed", tags=[f"T{n}" for n in range(60)])
    kind, tags = outcome(runner, record({"email": email, "tags": ["T1", "New"]}))
    assert kind == "updated"
    assert "New" in tags


def test_what_was_left_undone_is_counted_for_unchanged_contacts(make_runner: Any, record: Any) -> None:
    """Statuses that are not applied, contacts who stay archived and fields left out are named as when they are written."""
    runner = make_runner(contacts=40, statuses={"archived": 20, "unsubscribed": 20})
    messages = table(runner, record, status="subscribed", timestamp_opt="never")
    result = written(runner, messages, invalid_values="leave_out", write_mode="bulk")
    assert result.counts()["unchanged"] == 40
    assert runner.writes() == []
    assert "40 statuses not applied" in result.text
    assert "20 stay archived" in result.text
    assert "40 written without timestamp_opt" in result.text


def test_an_opt_out_is_never_decided_by_what_was_read(make_runner: Any, record: Any) -> None:
    """A contact who signs up again after the reading is unsubscribed as the record says, though it was read as such."""
    runner = make_runner(contacts=5, statuses={"unsubscribed": 1})
    email = min(runner.members())
    command = {"command": "act", "list_id": runner.list_id, "email": email, "action": "subscribe"}
    rule = {"kind": "run", "path": "/members$", "query": {"status": "archived"}, "when": "after", "times": 1, "commands": [command]}
    runner.mailchimp.faults([rule])
    runner.write([record({"email": email, "status": "unsubscribed"})], write_mode="bulk", apply_status="opt_outs")
    assert runner.members()[email]["status"] == "unsubscribed"


ODD = [
    [{"kind": "500", "path": "/members$", "times": 3}],
    [{"kind": "reset", "path": "/members$", "times": 2}],
    [{"kind": "empty_object_200", "path": "/members$", "times": 2}],
    [{"kind": "clamp", "path": "/members$", "rows": 100}],
    [{"kind": "clamp", "path": "/members$", "rows": 0, "times": 2}],
    [{"kind": "drop_items", "path": "/members$", "index": 3, "times": 2}],
    [{"kind": "truncate", "path": "/members$", "times": 1}],
]


@pytest.mark.parametrize("rules", ODD)
def test_odd_listings_lose_no_value(make_runner: Any, record: Any, rules: list[Any]) -> None:
    """No matter what listings return, every contact ends up as its record says, and nobody who left comes back."""
    runner = make_runner(contacts=1_200, statuses=TENTH)
    messages = table(runner, record)
    statuses = {email: member["status"] for email, member in runner.members().items()}
    for message in messages[::100]:
        message["record"]["data"]["first_name"] = "New"
    runner.mailchimp.faults(rules, seed=5)
    result = runner.write(messages, write_mode="bulk")
    assert result.error is None, result.error
    after = runner.members()
    for message in messages:
        columns = message["record"]["data"]
        assert after[columns["email"]]["merge_fields"]["FNAME"] == columns["first_name"]
    assert {email: member["status"] for email, member in after.items()} == statuses
