"""A sync of contacts by the real source: which audiences are read from where, what the state holds, and what is said meanwhile."""

from __future__ import annotations

import time
from itertools import count
from typing import Any

import pytest

from mailchimp_unified.clock import moment_of
from mailchimp_unified.entities.contact import STATUSES
from unit_tests.account import NOW
from unit_tests.kernel.conftest import answer
from unit_tests.source.mailchimp import HORIZON, Mailchimp, Synced, ago, member, sync


@pytest.fixture
def mailchimp() -> Mailchimp:
    """An account of two audiences with three contacts each."""
    found = Mailchimp(2)
    for number, list_id in enumerate(found.ids):
        found.members[list_id] = [member(10 * number + place, 1_000 - place) for place in range(3)]
    return found


def test_contacts_that_have_not_changed_do_not_come_again(mailchimp: Mailchimp) -> None:
    """A state of all statuses and no start date names neither."""
    first = sync(mailchimp)
    second = sync(mailchimp, state=first.states()[-1])

    assert (sorted(first.names), second.names) == ([0, 1, 2, 10, 11, 12], [])
    assert second.states()[-1] == first.states()[-1]
    assert set(first.states()[-1]) == {"lists"}
    assert {tuple(one) for one in first.states()[-1]["lists"].values()} == {("updated_at", "seen")}


@pytest.mark.parametrize("number", [0, 1])
def test_an_account_without_audiences_or_contacts_is_complete(number: int) -> None:
    """There is nothing to emit and nothing to estimate."""
    synced = sync(Mailchimp(number))

    assert (synced.records(), synced.estimates, synced.errors) == ([], [], [])
    assert synced.statuses() == ["STARTED", "COMPLETE"]


def test_a_first_sync_says_how_many_contacts_come(mailchimp: Mailchimp) -> None:
    """By the counts of the audiences that have no state, of the chosen statuses; a part of the time line has no count."""
    counts = ((5, 3, 1), (70, 20, 8))
    for list_id, numbers in zip(mailchimp.ids, counts, strict=True):
        stats = dict(zip(("member_count", "unsubscribe_count", "cleaned_count"), numbers, strict=True))
        mailchimp.audiences[list_id]["stats"] = stats
    known = {"lists": {mailchimp.ids[0]: {"updated_at": moment_of(HORIZON)}}}

    assert sync(mailchimp).estimates == [107]
    assert sync(mailchimp, list_ids=mailchimp.ids[:1]).estimates == [9]
    assert sync(mailchimp, statuses=["cleaned", "archived"]).estimates == [9]
    assert sync(mailchimp, state=known).estimates == [98]
    assert sync(mailchimp, start_date="2020-01-01T00:00:00Z").estimates == []
    assert sync(mailchimp, statuses=["pending"]).estimates == []


@pytest.mark.parametrize(("age", "comes"), [(499, True), (500, True), (501, False)])
def test_a_start_date_is_the_first_second_that_is_read(mailchimp: Mailchimp, age: int, comes: bool) -> None:
    """The state says so, and the next sync reads no earlier contact either."""
    mailchimp.members = {mailchimp.ids[0]: [member(1, age), member(2, 100)]}
    start = ago(500).replace("+00:00", "Z")
    first = sync(mailchimp, start_date=start)

    assert first.names == ([1, 2] if comes else [2])
    assert first.states()[-1]["start_date"] == ago(500)
    assert sync(mailchimp, state=first.states()[-1], start_date=start).names == []


def test_an_earlier_start_date_adds_the_contacts_before_it_and_no_others(mailchimp: Mailchimp) -> None:
    """Each second is read once: the last one that was not read is, and the first one that was is not."""
    ages = [901, 900, 899, 502, 501, 500, 499]
    mailchimp.members = {mailchimp.ids[0]: [member(age, age) for age in ages]}
    first = sync(mailchimp, start_date=ago(500).replace("+00:00", "Z"))
    second = sync(mailchimp, state=first.states()[-1], start_date=ago(900).replace("+00:00", "Z"))
    third = sync(mailchimp, state=second.states()[-1])

    assert (first.names, second.names) == ([500, 499], [900, 899, 502, 501])
    # Without a start date nothing earlier is read: the state names none from then on.
    assert (third.names, "start_date" in third.states()[-1]) == ([901], False)
    assert sync(mailchimp, state=third.states()[-1]).names == []


@pytest.mark.parametrize(("start", "says"), [(500, False), (400, False), (501, True), (None, True)])
@pytest.mark.parametrize("has_lists", [True, False])
def test_an_earlier_start_date_is_said(mailchimp: Mailchimp, start: int | None, says: bool, has_lists: bool) -> None:
    """In the log, where lists were read before; the same or a later one is no news."""
    first = sync(mailchimp, start_date=ago(500).replace("+00:00", "Z"))
    state = {**first.states()[-1], "lists": {one: {"updated_at": moment_of(HORIZON)} for one in mailchimp.ids} if has_lists else {}}
    config: dict[str, Any] = {} if start is None else {"start_date": ago(start).replace("+00:00", "Z")}
    synced = sync(mailchimp, state=state, **config)

    assert len([one for one in synced.logs if "start_date" in str(one.msg)]) == (says and has_lists)


def test_fewer_statuses_read_nothing_again(mailchimp: Mailchimp) -> None:
    """The lists continue from their state; the state says of which statuses it is."""
    first = sync(mailchimp, statuses=["subscribed", "pending"])
    second = sync(mailchimp, state=first.states()[-1], statuses=["subscribed"])

    assert first.states()[-1]["statuses"] == ["pending", "subscribed"]
    assert (second.names, second.states()[-1]["statuses"]) == ([], ["subscribed"])


def test_more_statuses_read_everything_again(mailchimp: Mailchimp) -> None:
    """The contacts of a status that was not chosen are in no state."""
    first = sync(mailchimp, statuses=["subscribed"])
    second = sync(mailchimp, state=first.states()[-1], statuses=["subscribed", "pending"])
    third = sync(mailchimp, state=second.states()[-1])

    assert len(first.names) == len(second.names) == len(third.names) == 6
    assert "statuses" not in third.states()[-1]
    assert [len([one for one in each.logs if "statuses" in str(one.msg)]) for each in (first, second, third)] == [0, 1, 1]


@pytest.mark.parametrize(
    ("before", "now", "again"), [(None, ["subscribed"], True), (None, None, False), (["subscribed"], ["subscribed"], False)]
)
def test_what_is_left_is_left_of_the_statuses_that_were_chosen_then(
    mailchimp: Mailchimp, before: list[str] | None, now: list[str] | None, again: bool
) -> None:
    """With others a list that was interrupted begins again; one that was read does not."""
    done, interrupted = mailchimp.ids
    left = {"subscribed" if before else "": [(HORIZON - 1_000, HORIZON)]}
    state = {
        "lists": {done: {"updated_at": moment_of(HORIZON)}, interrupted: {"newest": moment_of(HORIZON - 9), "left": left}},
        **({"statuses": before} if before else {}),
    }
    config: dict[str, Any] = {"statuses": now} if now else {}
    names = sync(mailchimp, state=state, **config).names

    assert sorted(set(names)) == ([10, 11, 12] if again else [11, 12])


@pytest.mark.parametrize(("lists", "bound"), [(2, 500), (10, 500), (11, 454), (501, 10)])
def test_a_state_names_five_thousand_rows_of_all_lists(lists: int, bound: int) -> None:
    """500 of a list at most, and 10 at least: so a state stays small no matter how many lists it holds."""
    mailchimp = Mailchimp(lists)
    full, over = mailchimp.ids[0], mailchimp.ids[-1]
    rows = [member(number, 5, status="archived") for number in range(bound + 1)]
    mailchimp.members = {full: rows[1:], over: rows}
    states = sync(mailchimp, statuses=["archived"]).states()[-1]["lists"]

    assert set(states[over]["seen"]) == {"until", "all_rows"}
    assert set(states[full]["seen"]) == {"until", "rows"}
    assert len(states[full]["seen"]["rows"]) == 8 * bound


def test_crowded_seconds_cost_one_more_look_and_do_not_come_again() -> None:
    """While one fingerprint of all of them holds; when one of them left, all come again but those that are behind the lookback."""
    mailchimp = Mailchimp(1)
    mailchimp.members[mailchimp.ids[0]] = [member(number, 5) for number in range(600)]
    state = sync(mailchimp).states()[-1]
    same = sync(mailchimp, state=state)
    mailchimp.members[mailchimp.ids[0]].append(member(600, 0))
    one_more = sync(mailchimp, state=same.states()[-1])
    mailchimp.members[mailchimp.ids[0]].pop(0)
    one_less = sync(mailchimp, state=state)

    assert (same.names, one_more.names) == ([], [600])
    assert same.states()[-1] == state
    assert sorted(one_less.names) == list(range(1, 601))
    asked = [(one["since_last_changed"], one["before_last_changed"]) for one in same.asked("/members")]
    # The repeated seconds first, then those behind them.
    assert asked == [(ago(125), ago(5))] * 2 + [(ago(5), ago(0))] * 2


def test_a_state_of_a_wrong_clock_with_one_fingerprint_is_read_again(mailchimp: Mailchimp) -> None:
    """All of its list, which is said once; the other list continues."""
    wrong, right = mailchimp.ids
    seen = {"until": HORIZON, "all_rows": "1-2"}
    state = {"lists": {wrong: {"updated_at": moment_of(HORIZON + 5_000), "seen": seen}, right: {"updated_at": moment_of(HORIZON)}}}
    synced = sync(mailchimp, state=state)

    assert (sorted(synced.names), synced.errors) == ([0, 1, 2], [])
    assert [one.args for one in synced.logs if "future" in str(one.msg)] == [("Audience 0",)]


@pytest.mark.parametrize(
    "seen",
    [None, {"until": HORIZON}, {"until": HORIZON, "rows": ""}, {"until": HORIZON, "all_rows": "1-2"}, {"until": 5, "all_rows": "0-0"}],
    ids=str,
)
def test_what_a_state_remembers_wrongly_costs_repetitions_only(mailchimp: Mailchimp, seen: dict[str, Any] | None) -> None:
    """The contacts of the lookback come again, and no other."""
    mailchimp.members = {mailchimp.ids[0]: [member(1, 900), member(2, 40)]}
    state = {"lists": {mailchimp.ids[0]: {"updated_at": moment_of(HORIZON), **({"seen": seen} if seen else {})}}}

    assert sync(mailchimp, state=state, list_ids=mailchimp.ids[:1]).names == [2]


def test_an_interrupted_state_is_not_looked_through_for_what_is_unchanged(mailchimp: Mailchimp) -> None:
    """What it remembers is not all: what is left is read."""
    list_id = mailchimp.ids[0]
    seen = {"until": HORIZON - 999, "all_rows": "0-0"}
    state = {"lists": {list_id: {"newest": moment_of(HORIZON - 999), "left": {"": [(0, HORIZON)]}, "seen": seen}}}
    synced = sync(mailchimp, state=state, list_ids=[list_id])

    assert sorted(synced.names) == [0, 1, 2]
    assert len(synced.asked("/members")) == 2


def test_a_full_refresh_continues_only_a_full_refresh(mailchimp: Mailchimp) -> None:
    """One that was interrupted says so in its state; the cursors of incremental syncs are not its own."""
    first = sync(mailchimp, sync_mode="full_refresh")
    interrupted = first.states()[-2]

    assert first.states()[-1] == {"__ab_full_refresh_sync_complete": True}
    assert interrupted["full_refresh"] is True
    assert sync(mailchimp, state=interrupted, sync_mode="full_refresh").names == []
    assert len(sync(mailchimp, state={**interrupted, "full_refresh": False}, sync_mode="full_refresh").names) == 6
    assert sync(mailchimp, state=interrupted).names == []


def test_a_list_that_is_gone_is_forgotten(mailchimp: Mailchimp) -> None:
    """Only when it answers 404 itself: no matter that the listing lacks it."""
    gone, there = mailchimp.ids
    state = sync(mailchimp).states()[-1]
    mailchimp.listed = []
    mailchimp.answers[f"/lists/{gone}"] = answer({}, 404)
    synced = sync(mailchimp, state=state)

    assert list(synced.states()[-1]["lists"]) == [there]
    assert synced.errors == []


def test_a_list_that_cannot_be_asked_for_is_not_forgotten(mailchimp: Mailchimp) -> None:
    """The failure is said in the log, and the sync is complete: the list is not among those to read."""
    state = sync(mailchimp).states()[-1]
    mailchimp.listed = mailchimp.listed[1:]
    mailchimp.answers[f"/lists/{mailchimp.ids[0]}"] = answer({"detail": "no"}, 403)
    synced = sync(mailchimp, state=state)

    assert synced.states()[-1] == state
    assert (synced.errors, len([one for one in synced.logs if "is kept" in str(one.msg)])) == ([], 1)


@pytest.mark.parametrize("is_gone", [True, False])
def test_a_list_that_vanishes_during_the_sync(mailchimp: Mailchimp, is_gone: bool) -> None:
    """Its state is forgotten and nothing more is asked of it; while it answers itself, its 404 is a failure. The others are read."""
    first, second = mailchimp.ids
    state = {"lists": {first: {"updated_at": moment_of(HORIZON - 5_000)}}}
    mailchimp.answers[f"/lists/{first}/members"] = answer({}, 404)
    if is_gone:
        mailchimp.answers[f"/lists/{first}"] = answer({}, 404)
    synced = sync(mailchimp, state=state, num_workers=1)

    assert sorted(synced.names) == [10, 11, 12]
    assert set(synced.states()[-1]["lists"]) == ({second} if is_gone else {first, second})
    assert synced.statuses()[-1] == ("COMPLETE" if is_gone else "INCOMPLETE")
    # A listing is requested until its 404 is believed; after that the other one is not requested.
    assert len(synced.asked(f"/lists/{first}/members")) == (3 if is_gone else 6)
    assert len([one for one in synced.logs if "deleted during the sync" in str(one.msg)]) == is_gone


def test_a_chosen_list_that_does_not_exist_fails_the_stream_at_its_end(mailchimp: Mailchimp) -> None:
    """The others are read."""
    synced = sync(mailchimp, list_ids=[*mailchimp.ids, "abcdef0123"])

    assert len(synced.names) == 6
    assert [one.partition(":")[0] for one in synced.errors] == ["config_error"]
    assert synced.statuses()[-1] == "INCOMPLETE"


@pytest.mark.parametrize("statuses", [None, ["subscribed"]])
def test_a_first_sync_with_a_filter_has_a_state_before_its_first_record(mailchimp: Mailchimp, statuses: list[str] | None) -> None:
    """If it is killed, the next one still emits who left the chosen statuses since it began. Without a filter none is needed."""
    config: dict[str, Any] = {"statuses": statuses} if statuses else {}
    synced = sync(mailchimp, **config)
    kinds = ["state" if one.state else "record" for one in synced.messages if one.state or one.record]

    assert kinds.index("state") == (0 if statuses else 3)
    if statuses:
        assert set(synced.states()[0]["lists"]) == set(mailchimp.ids)
        later = sync(mailchimp, state=synced.states()[-1], statuses=statuses)
        assert next(kind for one in later.messages if (kind := "state" if one.state else "record" if one.record else ""))


def test_who_leaves_the_chosen_statuses_comes_once_more(mailchimp: Mailchimp) -> None:
    """A later sync emits everybody who changed since the first one, and those of other statuses that changed before not."""
    list_id = mailchimp.ids[0]
    first = sync(mailchimp, statuses=["subscribed"], list_ids=[list_id], clock=NOW.timestamp() - 10)
    mailchimp.members[list_id] = [
        member(0, 5, status="unsubscribed"), member(1, 4, status="archived"), member(2, 3), member(3, 140, status="cleaned"),
    ]  # fmt: skip
    second = sync(mailchimp, state=first.states()[-1], statuses=["subscribed"], list_ids=[list_id])

    assert sorted(second.names) == [0, 1, 2]


@pytest.mark.parametrize(
    ("more", "asks"),
    [
        ({"tags": [{"id": 1, "name": "a"}], "tags_count": 2}, True),
        ({"tags": [], "tags_count": 1}, True),
        ({"tags": [{"id": 1, "name": "a"}], "tags_count": 1}, False),
        ({"tags": [{"id": 1, "name": "a"}], "tags_count": 0}, False),
        ({"tags": [{"id": 1, "name": "a"}]}, False),
        ({"tags": [{"id": 1, "name": "a"}], "tags_count": "2"}, False),
        ({"tags_count": 2}, False),
        ({"tags": {"id": 1}, "tags_count": 2}, False),
        ({"tags": [], "tags_count": 2, "id": ""}, False),
    ],
    ids=str,
)
@pytest.mark.parametrize("remote", [True, False])
def test_a_contact_with_more_tags_than_a_listing_shows_gets_all(more: dict[str, Any], asks: bool, remote: bool) -> None:
    """With one more request, which no other contact costs; the whole member has them, too."""
    mailchimp = Mailchimp(1)
    tags = [{"id": 1, "name": "a", "date_added": "x"}, {"id": 2, "name": "b", "date_added": "y"}]
    mailchimp.members[mailchimp.ids[0]] = [{**member(7), "all tags": tags, **more}, member(8, tags=[], tags_count=0)]
    synced = sync(mailchimp, include_remote_data=remote)

    assert len(synced.asked("/tags")) == asks
    if asks:
        records = synced.records()
        assert [one["id"] for one in records[0]["tags"]] == [1, 2]
        if remote:
            assert [[one["id"] for one in each["remote_data"]["tags"]] for each in records] == [[1, 2], []]


def test_a_contact_that_was_deleted_meanwhile_has_the_tags_of_the_listing() -> None:
    """Its tags are 404 then: what is known comes, and the stream is complete."""
    mailchimp = Mailchimp(1)
    mailchimp.members[mailchimp.ids[0]] = [member(7, tags=[{"id": 1, "name": "a"}], tags_count=2)]
    synced = sync(mailchimp)

    assert [len(one["tags"]) for one in synced.records()] == [1]
    assert synced.statuses()[-1] == "COMPLETE"


@pytest.mark.parametrize("remote", [True, False])
@pytest.mark.parametrize("odd", [{"last_changed": ago(500)}, {"id": 5, "last_changed": ago(500)}], ids=str)
def test_rows_that_are_no_contacts_are_said_once_for_each_audience(mailchimp: Mailchimp, odd: dict[str, Any], remote: bool) -> None:
    """However many pages hold them: everything else comes, and the stream is incomplete."""
    rows = [{"status": "subscribed", **odd}, member(3, 450), {"status": "subscribed", **odd, "last_changed": ago(400)}]
    mailchimp.members[mailchimp.ids[0]] += rows
    synced = sync(mailchimp, include_remote_data=remote, page_size=10)

    assert sorted(synced.names) == [0, 1, 2, 3, 10, 11, 12]
    assert [one.partition(":")[0] for one in synced.errors] == ["system_error"]
    assert "Audience 0" in synced.errors[0]
    assert synced.statuses()[-1] == "INCOMPLETE"


@pytest.fixture
def always_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a quarter of a minute pass between any two looks at the clock, so that all progress is told."""
    seconds = count(0, 20)
    monkeypatch.setattr(time, "monotonic", lambda: float(next(seconds)))


def progress(synced: Synced) -> list[Any]:
    """Return the counts of the progress that was told."""
    return [one.args for one in synced.logs if "per second" in str(one.msg)]


@pytest.mark.usefixtures("always_due")
def test_progress_names_what_is_read_of_how_much_and_how_fast() -> None:
    """In one audience, by Mailchimp's counts of its listings, after each page."""
    mailchimp = Mailchimp(1)
    mailchimp.members[mailchimp.ids[0]] = [member(number, 50) for number in range(12)] + [member(90, status="archived")]
    synced = sync(mailchimp, page_size=100, seconds=4.0, num_workers=1)

    assert progress(synced) == [("Audience 0", "12", "12", "100%", "3"), ("Audience 0", "13", "13", "100%", "2")]


@pytest.mark.usefixtures("always_due")
def test_progress_within_the_first_second_counts_as_a_second(mailchimp: Mailchimp) -> None:
    """No rate is larger than what was read; an audience without contacts is no division by zero."""
    found = progress(sync(mailchimp, seconds=0.0))
    empty = progress(sync(Mailchimp(1)))

    assert {one[-1] for one in found} == {"3"}
    assert empty == [("Audience 0", "0", "1", "0%", "0")] * 2


@pytest.mark.usefixtures("always_due")
def test_progress_is_a_share_of_what_mailchimp_counts() -> None:
    """What comes on top, because it changed meanwhile or is in two pages, does not make it more than all."""
    mailchimp = Mailchimp(1)
    mailchimp.members[mailchimp.ids[0]] = [member(number, 900 - number) for number in range(40)]
    shares = [(int(one[1]), int(one[2]), one[3]) for one in progress(sync(mailchimp, page_size=10, num_workers=1))]

    assert [taken for taken, _, _ in shares] == sorted(taken for taken, _, _ in shares)
    assert all(taken <= total and share == f"{taken / total:.0%}" for taken, total, share in shares)
    assert shares[0][1] == 40
    assert shares[0][0] < 40


def test_every_status_there_is_has_a_listing(mailchimp: Mailchimp) -> None:
    """Each contact comes once, with any status and any choice of statuses."""
    mailchimp.members = {mailchimp.ids[0]: [member(place, 100 - place, status=status) for place, status in enumerate(STATUSES)]}

    assert sorted(sync(mailchimp).names) == list(range(len(STATUSES)))
    for place, status in enumerate(STATUSES):
        others = [one for one in STATUSES if one != status]
        assert sync(mailchimp, statuses=[status]).names == [place]
        assert sorted(sync(mailchimp, statuses=others).names) == [one for one in range(len(STATUSES)) if one != place]
