"""What a sync of a raw stream asks for, emits, keeps and says, in an account in memory."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from airbyte_cdk.models import AirbyteStateMessageSerializer

from integration_tests.raw.account import DAY, NOW, Account, item, moment, problem
from mailchimp_unified.transport import Received
from source_mailchimp_unified.raw_collections import PREFIX, table
from source_mailchimp_unified.sync.fingerprints import packed
from unit_tests.source.raw_sync import Json, sync

MEMBERS = "list_members"
ACTIVITY = "email_activity"
SENT_TO = "report_sent_to"


def items(row: str, /, *seconds: int, **more: Any) -> list[Json]:
    """Return an item of a row for each second."""
    return [{**item(table()[row], number, second), **more} for number, second in enumerate(seconds)]


def account(**collections: list[Any]) -> Account:
    """Return an account with these items of some rows."""
    made = Account()
    for name, found in collections.items():
        made.items[table()[name].path] = found
    return made


def audiences(number: int, **more: Any) -> Account:
    """Return an account of so many audiences, each with a name."""
    return account(lists=items("lists", *[NOW - 400 * DAY] * number, name="Newsletter", **more))


def reports(*seconds: int) -> Account:
    """Return an account with a report for each second, in which something happened below it."""
    return account(reports=items("reports", *seconds))


def state_of(name: str, **parts: Any) -> list[Any]:
    """Return a state of a row."""
    stream = {"stream_descriptor": {"name": PREFIX + name}, "stream_state": parts}
    return [AirbyteStateMessageSerializer.load({"type": "STREAM", "stream": stream})]


def refusing(status: int, *paths: str) -> Any:
    """Return answers that refuse some paths."""
    return lambda path, params: problem(status, "No.", "No.") if path in paths else None


def numbers(text: str) -> list[str]:
    """Return the numbers in a message, without those of Mailchimp's own words behind a colon."""
    return re.findall(r"\b\d[\d,]*", text.partition("left out: ")[0])


# What is asked for


@pytest.mark.parametrize(
    ("name", "sync_mode", "asked"),
    [
        ("campaigns", "incremental", False),  # has neither a cursor nor a parent that tells
        (MEMBERS, "incremental", False),  # the listing of the audiences says what time it is
        (ACTIVITY, "incremental", True),
        (ACTIVITY, "full_refresh", False),
        (SENT_TO, "incremental", True),
        (SENT_TO, "full_refresh", False),
        ("campaign_feedback", "incremental", False),
    ],
)
def test_mailchimp_is_asked_for_its_time_only_where_it_matters(name: str, sync_mode: str, asked: bool) -> None:
    """A cursor and a parent that tells need it, of what is not below an audience, and only in a sync that is to be continued."""
    assert bool(sync(Account(), name, sync_mode=sync_mode).params("/ping")) == asked


def test_what_several_streams_need_is_asked_for_once() -> None:
    """The time, and the items of a parent."""
    found = sync(reports(NOW - DAY), ACTIVITY, SENT_TO, "unsubscribes")

    assert [len(found.params(ending)) for ending in ("/ping", "/reports")] == [1, 1]


def window(**config: Any) -> list[tuple[Any, Any]]:
    """Return since when and until when contacts are asked for, in a sync after one that saw a contact a day old."""
    made = audiences(1)
    made.items["/lists/id-0/members"] = items(MEMBERS, NOW - DAY)
    state = config.pop("state", True) and sync(made, MEMBERS).states
    found = sync(made, MEMBERS, state=state or [], **config)
    return [(one.get("since_last_changed"), one.get("before_last_changed")) for one in found.params("/members")]


def test_what_is_asked_for_begins_with_the_lookback_before_the_newest_and_ends_at_the_horizon() -> None:
    """In each of the listings. The configuration may look back longer than the row, and never shorter."""
    horizon = moment(NOW - 1)

    assert window(state=False) == [(None, None)] * 2
    assert window() == window(lookback_seconds=0) == [(moment(NOW - DAY - 120), horizon)] * 2
    assert window(lookback_seconds=3_600) == [(moment(NOW - DAY - 3_600), horizon)] * 2


def test_a_start_date_is_the_first_second_that_is_asked_for() -> None:
    """Mailchimp leaves out the second that it is given. A full refresh reads to its end, and a later cursor counts more."""
    start = moment(NOW - 2 * DAY)

    assert window(state=False, start_date=start) == [(moment(NOW - 2 * DAY - 1), moment(NOW - 1))] * 2
    assert window(state=False, start_date=start, sync_mode="full_refresh") == [(moment(NOW - 2 * DAY - 1), None)] * 2
    assert window(start_date=moment(NOW - DAY)) == [(moment(NOW - DAY - 1), moment(NOW - 1))] * 2


def test_a_row_that_mailchimp_does_not_filter_by_time_is_asked_for_without_one() -> None:
    """Its start date leaves out what is older, from the second before it."""
    start = NOW - 3 * DAY
    made = account(campaigns=items("campaigns", start - 1, start, start + 1))

    found = sync(made, "campaigns", start_date=moment(start))

    assert [one["id"] for one in found.records("campaigns")] == ["id-1", "id-2"]
    assert not [one for params in found.params("/campaigns") for one in params if one.startswith(("since", "before"))]


@pytest.mark.parametrize(("wanted", "sent"), [(True, ["true"]), (False, [None])])
def test_an_option_is_sent_where_it_is_configured(wanted: bool, sent: list[str | None]) -> None:
    """The clicks of bots are left out by Mailchimp, when asked to."""
    found = sync(reports(NOW - DAY), ACTIVITY, exclude_bot_activity=wanted)

    assert [one.get("filter_bots") for one in found.params("/email-activity")] == sent


@pytest.mark.parametrize("workers", [1, 6])
def test_a_parent_with_news_is_entered_wherever_it_stands(workers: int) -> None:
    """Those before it that have none, and those behind it, stay as they were for the syncs after this one."""
    made = reports(NOW - 3 * DAY, NOW - 3 * DAY, NOW - 3 * DAY)
    first = sync(made, SENT_TO, num_workers=workers)
    made.items["/reports"][1]["send_time"] = moment(NOW - 2 * DAY)

    second = sync(made, SENT_TO, state=first.states, num_workers=workers)
    third = sync(made, SENT_TO, state=second.states, num_workers=workers)
    fourth = sync(made, SENT_TO, state=third.states, num_workers=workers)

    assert [one.parts("/sent-to") for one in (first, second, third, fourth)] == [["id-0", "id-1", "id-2"], ["id-1"], [], []]


@pytest.mark.parametrize(
    ("name", "more", "seconds"),
    [(SENT_TO, {}, 600), (ACTIVITY, {}, 600), (ACTIVITY, {"lookback_seconds": 3_600}, 3_600), (SENT_TO, {"lookback_seconds": 3_600}, 600)],
)
def test_a_parent_counts_as_read_when_its_news_had_time_to_show(name: str, more: Json, seconds: int) -> None:
    """Ten minutes, or the lookback of a row with a cursor, before the horizon: until then it is entered again."""
    ending = table()[name].path.rpartition("/")[2]
    for newest, again in ((NOW - 1 - seconds, []), (NOW - seconds, ["id-0"])):
        made = reports(newest)
        first = sync(made, name, **more)

        assert sync(made, name, state=first.states, **more).parts(ending) == again


def test_a_full_refresh_enters_every_parent_and_takes_no_state() -> None:
    """It reads what was read before, and does not continue."""
    made = reports(NOW - 3 * DAY)
    states = sync(made, SENT_TO).states

    again = sync(made, SENT_TO, state=states, sync_mode="full_refresh")

    assert again.parts("/sent-to") == ["id-0"]
    assert len(again.records(SENT_TO)) == 2
    assert "parents" not in again.state(SENT_TO)


def test_a_start_date_passes_over_a_parent_below_which_nothing_is_newer() -> None:
    """Not one in which something happened in that very second."""
    start = NOW - 3 * DAY

    assert sync(reports(start - 1, start), SENT_TO, start_date=moment(start)).parts("/sent-to") == ["id-1"]


ALPHA, BETA = "aaaaaaaaaa", "bbbbbbbbbb"


def alphabet() -> Account:
    """Return an account of two audiences with ids as Mailchimp gives them."""
    made = audiences(2)
    for one, list_id in zip(made.items["/lists"], (ALPHA, BETA), strict=True):
        one["id"] = list_id
    return made


@pytest.mark.parametrize("names", [[], [BETA]])
def test_chosen_audiences_narrow_the_audiences_and_what_is_below_them(names: list[str]) -> None:
    """And nothing else: campaigns of other audiences are read."""
    found = sync(alphabet(), "lists", "segments", "campaigns", list_ids=names)

    assert [one["id"] for one in found.records("lists")] == (names or [ALPHA, BETA])
    assert {one["list_id"] for one in found.records("segments")} == set(names or [ALPHA, BETA])
    assert len(found.records("campaigns")) == 2


def test_an_audience_that_is_not_there_fails_what_is_below_it_only() -> None:
    """The other audiences are read all the same."""
    found = sync(alphabet(), "segments", "campaigns", list_ids=[ALPHA, "ffffffffff"])

    assert [found.status(name) for name in ("segments", "campaigns")] == ["INCOMPLETE", "COMPLETE"]
    assert {one["list_id"] for one in found.records("segments")} == {ALPHA}


# What is refused


@pytest.mark.parametrize(
    ("refused", "status", "told"),
    [
        (["/lists/id-1/locations"], "INCOMPLETE", 0),  # others have it and the audience is there: it must have it
        (["/lists/id-1/locations", "/lists/id-1"], "COMPLETE", 1),  # the audience is gone
        (["/lists/id-0/locations", "/lists/id-1/locations"], "COMPLETE", 1),  # no audience has it
    ],
)
def test_what_an_audience_must_have_is_believed_to_be_missing_only_with_the_audience(refused: list[str], status: str, told: int) -> None:
    """Otherwise a 404 that lasts is a failure, not an empty audience."""
    made = audiences(2)
    made.instead = refusing(404, *refused)

    found = sync(made, "list_locations")

    assert found.status("list_locations") == status
    assert len(found.warnings) == told
    assert len(found.errors("list_locations")) == (status == "INCOMPLETE")


def test_what_a_campaign_does_not_have_is_no_failure() -> None:
    """A 404 below anything but an audience is left out and counted, after a second try."""
    made = account(campaigns=items("campaigns", NOW - 9 * DAY, NOW - 9 * DAY, NOW - 9 * DAY))
    made.instead = refusing(404, "/campaigns/id-1/content")

    found = sync(made, "campaign_content")

    assert found.status("campaign_content") == "COMPLETE"
    assert sorted(found.parts("/content")) == ["id-0", "id-1", "id-1", "id-2"]
    assert [numbers(line) for line in found.warnings] == [["1", "3"]]


def test_a_collection_that_is_closed_is_said_without_numbers() -> None:
    """Nothing was left out of it: it is not there for this account. Its parent, too, may be closed."""
    for path in ("/automations", "/automations/id-0/emails"):
        made = account(automations=items("automations", NOW - DAY))
        made.instead = refusing(403, path)

        found = sync(made, "automation_emails")

        assert found.status("automation_emails") == "COMPLETE"
        assert [numbers(line) for line in found.warnings] == [[]]


@pytest.mark.parametrize(("first", "last"), [(403, 404), (404, 403)])
def test_the_first_of_several_refusals_is_told(first: int, last: int) -> None:
    """In one warning for all of them."""
    made = account(campaigns=items("campaigns", *[NOW - DAY] * 3))
    made.instead = lambda path, params: next(
        (
            problem(status, "No.", "No.")
            for number, status in ((0, first), (1, 404), (2, last))
            if path == f"/campaigns/id-{number}/content"
        ),
        None,
    )

    [warning] = sync(made, "campaign_content", num_workers=1).warnings

    assert ("404" in warning) == (first == 404)


def test_parts_that_were_not_asked_for_are_counted() -> None:
    """Of thirty that are closed, twenty are asked for and one in three of the others."""
    made = reports(*[NOW - DAY] * 30)
    made.instead = lambda path, params: problem(403, "No.", "No.") if path.endswith("/sent-to") else None

    found = sync(made, SENT_TO, num_workers=1)

    assert len(found.parts("/sent-to")) == 20 + 3
    assert [numbers(line) for line in found.warnings] == [[], ["7"]]


def test_a_part_that_is_gone_leaves_the_state_when_everything_else_was_read() -> None:
    """Not while something failed or was refused: then it may only seem to be gone."""
    made = audiences(3)
    first = sync(made, MEMBERS)
    gone = made.items["/lists"].pop(2)
    made.instead = refusing(403, "/lists/id-1/members")

    refused = sync(made, MEMBERS, state=first.states)
    made.instead = lambda path, params: {"error": 1} if path == "/lists/id-1/members" else None
    failed = sync(made, MEMBERS, state=refused.states)
    made.instead = lambda path, params: None
    last = sync(made, MEMBERS, state=failed.states)

    assert gone["id"] == "id-2"
    assert [len(one.state(MEMBERS)["cursors"]) for one in (first, refused, failed, last)] == [3, 3, 3, 2]
    assert [one.status(MEMBERS) for one in (first, refused, failed, last)] == ["COMPLETE", "COMPLETE", "INCOMPLETE", "COMPLETE"]


def test_many_parts_that_fail_are_not_all_waited_for() -> None:
    """As with those that are closed: when none of twenty can be read, only some of the others are tried."""
    made = reports(*[NOW - DAY] * 30)
    made.instead = lambda path, params: {"error": 1} if path.endswith("/sent-to") else None

    found = sync(made, SENT_TO, num_workers=1)

    assert len(set(found.parts("/sent-to"))) == 23
    assert found.status(SENT_TO) == "INCOMPLETE"


# What is odd


def test_items_that_are_no_objects_fail_their_stream_and_are_counted() -> None:
    """Of all parts together; everything else was read."""
    made = audiences(2)
    for number in range(2):
        made.items[f"/lists/id-{number}/segments"] = [*items("segments", NOW - DAY), "odd", 7]

    found = sync(made, "segments")

    assert len(found.records("segments")) == 2
    assert found.status("segments") == "INCOMPLETE"
    assert [numbers(one.message) for one in found.errors("segments")] == [["4"]]


def test_records_without_a_part_of_their_key_are_counted() -> None:
    """Of all parts together: they come, and a warning says so."""
    made = audiences(2)
    for number in range(2):
        made.items[f"/lists/id-{number}/segments"] = [{"name": "without"}, *items("segments", NOW - DAY)]

    found = sync(made, "segments")

    assert len(found.records("segments")) == 4
    assert found.status("segments") == "COMPLETE"
    assert [numbers(line) for line in found.warnings] == [["2"]]


def test_a_state_that_cannot_hold_all_versions_says_how_many_come_again() -> None:
    """Twenty thousand are held of all parts together."""
    made = audiences(2)
    made.items["/lists/id-1/segments"] = items("segments", *[NOW - DAY] * 3)
    made.instead = refusing(403, "/lists/id-0/segments")
    held = packed(number.to_bytes(6, "big") for number in range(19_999))

    found = sync(made, "segments", state=state_of("segments", cursors={}, seen={'["id-0"]': held}))

    assert [numbers(line) for line in found.warnings] == [["1", "2"], ["20,000", "2"]]


def test_a_cursor_in_the_future_is_said_and_does_not_count() -> None:
    """One at the horizon does."""
    made = audiences(1)
    made.items["/lists/id-0/members"] = items(MEMBERS, NOW - DAY)

    right, wrong = (sync(made, MEMBERS, state=state_of(MEMBERS, cursors={'["id-0"]': moment(NOW - 1 + more)})) for more in (0, 1))

    assert [len(one.warnings) for one in (right, wrong)] == [0, 1]
    assert [len(one.records(MEMBERS)) for one in (right, wrong)] == [0, 1]


# What is kept


def test_a_cursor_stays_before_the_earlier_of_both_clocks() -> None:
    """A clock that is wrong hides nothing from later syncs: neither this machine's nor Mailchimp's."""
    made = audiences(1)
    made.items["/lists/id-0/members"] = items(MEMBERS, NOW - 60)

    cursors = [sync(made, MEMBERS, now=NOW + off).state(MEMBERS)["cursors"]['["id-0"]'] for off in (-3_600, 0, 3_600)]

    assert cursors == [moment(NOW - 3_600), moment(NOW - 60), moment(NOW - 60)]
    made.items["/lists/id-0/members"] = items(MEMBERS, NOW + 60)
    assert sync(made, MEMBERS, now=NOW + 3_600).state(MEMBERS)["cursors"]['["id-0"]'] == moment(NOW - 1)


@pytest.mark.parametrize(
    ("before", "after", "again"),
    [(10, 10, False), (10, 5, False), (10, 15, True), (10, None, True), (None, 10, False), (None, None, False)],
)
def test_a_start_date_that_is_earlier_than_before_is_read_from_again(before: int | None, after: int | None, again: bool) -> None:
    """Or none after one: what the state knows was left out then. The log says so."""
    made = account(campaigns=items("campaigns", NOW - 7 * DAY, NOW - 7 * DAY, NOW - 3 * DAY))
    dates = [{} if days is None else {"start_date": moment(NOW - days * DAY)} for days in (before, after)]

    first = sync(made, "campaigns", **dates[0])
    second = sync(made, "campaigns", state=first.states, **dates[1])

    assert len(first.records("campaigns")) == 3
    assert len(second.records("campaigns")) == 3 * again
    assert len(second.warnings) == again
    assert second.state("campaigns").get("start_date") == dates[1].get("start_date")


def test_an_earlier_start_date_is_not_told_of_an_empty_state() -> None:
    """There is nothing to read again."""
    state = state_of("campaigns", cursors={}, start_date=moment(NOW - DAY))

    assert sync(account(campaigns=[]), "campaigns", state=state).warnings == []


@pytest.mark.parametrize(("name", "again"), [("campaigns", True), (MEMBERS, False)])
def test_a_state_of_cursors_is_continued_by_a_row_that_has_one(name: str, again: bool) -> None:
    """A row that is followed otherwise is read in full once, and the log says so."""
    made = audiences(1)
    key = "[]" if name == "campaigns" else '["id-0"]'

    found = sync(made, name, state=state_of(name, cursors={key: moment(NOW - DAY)}))

    assert len(found.records(name)) == (2 if again else 0)
    assert len(found.warnings) == again


# What is said beforehand


def test_how_much_will_come_is_said_where_parents_tell_it_and_nothing_was_read() -> None:
    """The sum of all parts, once; neither with a state nor with a start date, nor where no parent tells."""
    made = audiences(2, stats={"member_count": 70, "unsubscribe_count": 5, "cleaned_count": 1})
    first = sync(made, MEMBERS)

    assert first.estimates == [2 * 76]
    assert sync(made, MEMBERS, state=first.states).estimates == []
    assert sync(made, MEMBERS, start_date=moment(NOW - DAY)).estimates == []
    assert sync(made, "segments").estimates == []
    assert sync(made, "campaigns").estimates == []


def test_a_reading_of_more_than_three_hundred_requests_is_announced() -> None:
    """Of all parts and listings together: each listing of an audience of so many contacts takes a request for a thousand of them."""
    for count, told in ((75_000, []), (75_001, ["304", "2"])):
        made = audiences(2, stats={"member_count": count})
        assert [numbers(line) for line in sync(made, MEMBERS).warnings] == [told] * bool(told), count


def test_what_is_on_request_is_announced_from_the_first_request_on() -> None:
    """Nothing is said where there is nothing to ask for."""
    made = audiences(1)
    made.items["/lists/id-0/members"] = items(MEMBERS, NOW - DAY)

    assert [numbers(line) for line in sync(made, "member_notes").warnings] == [["1"]]
    made.items["/lists/id-0/members"] = []
    assert sync(made, "member_notes").warnings == []


def test_progress_names_what_was_read_and_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts that were read, of those that are entered."""
    seconds = iter(range(0, 100_000, 15))
    monkeypatch.setattr("source_mailchimp_unified.sync.progress.time.monotonic", lambda: float(next(seconds)))

    found = sync(reports(*[NOW - DAY] * 3), SENT_TO, num_workers=1)

    told = [numbers(line) for _, line in found.told.lines if line.startswith(PREFIX)]
    assert told == [["1", "3"], ["2", "3"], ["3", "3"]]


def test_each_part_is_followed_by_a_state_and_a_full_refresh_by_none() -> None:
    """What was read of a stream that is killed need not be read again."""

    def states(sync_mode: str) -> int:
        found = sync(audiences(3), MEMBERS, sync_mode=sync_mode, num_workers=1)
        return sum(one.state is not None for one in found.messages)

    assert states("incremental") == 3
    # Its only one says that it ended.
    assert states("full_refresh") == 1


def test_never_more_is_asked_for_at_once_than_workers_may() -> None:
    """And all of them have something to do."""
    made = reports(*[NOW - DAY] * 12)
    open_now, peak = 0, 0

    class Counting(Account):
        async def send(self, outgoing: Any) -> Received:
            nonlocal open_now, peak
            open_now += 1
            peak = max(peak, open_now)
            try:
                await asyncio.sleep(1)
                return await super().send(outgoing)
            finally:
                open_now -= 1

    counting = Counting(items=made.items)
    sync(counting, SENT_TO, num_workers=4)

    assert peak == 4
