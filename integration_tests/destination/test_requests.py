from __future__ import annotations

from typing import Any


def paths(entries: list[dict[str, Any]]) -> list[str]:
    """Method and path of requests."""
    return [f"{entry['method']} {entry['path'].removeprefix('/3.0')}" for entry in entries]


def test_ten_thousand_new_contacts_with_tags(runner: Any, record: Any, state: Any) -> None:
    """They cost twenty writes; an empty audience adds a few look-ups."""
    messages = [record({"email": f"p{n}@contacts.example", "first_name": "A", "tags": ["One", "Two"]}) for n in range(10_000)]
    result = runner.write([*messages, state(1)])
    assert result.counts()["created"] == 10_000
    assert len(runner.writes()) == 20
    assert len(runner.mailchimp.journal()) <= 20 + 8
    member = runner.members()["p77@contacts.example"]
    assert (member["tags"], member["merge_fields"]["FNAME"], member["status"]) == (["One", "Two"], "A", "subscribed")


def test_ten_thousand_existing_contacts(make_runner: Any, record: Any, state: Any) -> None:
    """They cost twenty writes and the reading of their statuses."""
    runner = make_runner(contacts=10_000)
    messages = [record({"email": email, "last_name": "New"}) for email in runner.members()]
    result = runner.write([*messages, state(1)])
    assert result.counts()["updated"] == 10_000
    assert len(runner.writes()) == 20
    assert len(runner.mailchimp.journal()) <= 20 + 30


def test_a_tag_is_removed_from_ten_thousand(make_runner: Any, record: Any, state: Any) -> None:
    """Removing one tag from 10,000 contacts takes twenty writes, regardless of upper and lower case; other tags stay."""
    runner = make_runner(contacts=10_000, tags=["VIP", "Other"], tags_per_contact=2)
    messages = [record({"email": email, "tags_to_remove": ["vip"]}) for email in runner.members()]
    result = runner.write([*messages, state(1)])
    assert result.counts()["updated"] == 10_000
    assert len(runner.writes()) == 20
    assert {tuple(member["tags"]) for member in runner.members().values()} == {("Other",)}


def test_few_contacts_of_a_big_audience_go_one_by_one(make_runner: Any, record: Any) -> None:
    """Reading 5,000 statuses for three contacts would cost more than it saves."""
    runner = make_runner(contacts=5_000)
    emails = list(runner.members())[:3]
    runner.write([record({"email": email, "first_name": "New"}) for email in emails])
    assert sorted({path.split("/members")[0] for path in paths(runner.writes())}) == [f"PATCH /lists/{runner.list_id}"]
    assert len(runner.mailchimp.journal()) <= 3 + 4


def test_dry_run_sends_no_write(make_runner: Any, record: Any, state: Any) -> None:
    """A dry run asks, counts what it would do, says so, and acknowledges; the journal has no write."""
    runner = make_runner(contacts=10, merge_fields=[{"tag": "COMPANY"}])
    known = list(runner.members())
    messages = [
        *(record({"email": email, "tags": ["t"], "custom_fields": {"COMPANY": "Acme"}}) for email in known),
        *(record({"email": f"n{n}@contacts.example"}) for n in range(5)),
        record({"email": known[0], "is_deleted": True}),
        record({"email": "nope"}),
        state(1),
    ]
    for mode in ("auto", "bulk", "single"):
        runner.mailchimp.clear_journal()
        result = runner.write(messages, dry_run=True, write_mode=mode, create_missing_merge_fields=True)
        assert runner.writes() == []
        assert result.counts() == {"created": 5, "updated": 11, "unchanged": 0, "skipped": 0, "rejected": 1}
        assert "dry run" in result.text.lower()
        assert result.ids == [1]


def test_no_more_connections_than_workers(runner: Any, record: Any) -> None:
    """Never are more requests open than num_workers."""
    runner.mailchimp.latency(0.01)
    runner.write([record({"email": f"p{n}@contacts.example"}) for n in range(60)], write_mode="single", num_workers=3)
    assert runner.mailchimp.stats()["peak_open"] == 3
