"""Lists, tags and users: what is new, different or gone since the last sync."""

from __future__ import annotations

from typing import Any

import pytest

from mailchimp_unified.clock import moment_of
from unit_tests.account import NOW
from unit_tests.kernel.conftest import answer
from unit_tests.source.mailchimp import Mailchimp, Synced, sync, tag

SEEN = NOW.isoformat()
STREAMS = ("lists", "tags", "users")
LATER = "2026-11-26T12:00:00+00:00"


@pytest.fixture
def mailchimp() -> Mailchimp:
    """An account of two audiences with two tags each."""
    found = Mailchimp(2)
    found.tags = {list_id: [tag(1), tag(2)] for list_id in found.ids}
    return found


def last(synced: Synced, stream: str) -> dict[str, Any]:
    """Return the last state of a stream."""
    return synced.states(stream)[-1]


def tombstones(synced: Synced, stream: str) -> list[Any]:
    """Return the keys of the records that are marked as deleted."""
    keys = [tuple(one[name] for name in ("list_id", "id") if name in one) for one in synced.records(stream) if one["is_deleted"]]
    return [key if stream == "tags" else key[0] for key in keys]


@pytest.mark.parametrize("stream", STREAMS)
def test_what_has_not_changed_does_not_come_again(mailchimp: Mailchimp, stream: str) -> None:
    """A first sync emits everything and says how much that is; a second one nothing, and its state is the same."""
    first = sync(mailchimp, stream)
    second = sync(mailchimp, stream, last(first, stream))

    number = {"lists": 2, "tags": 4, "users": 1}[stream]
    assert (len(first.records(stream)), first.estimates, second.records(stream)) == (number, [number], [])
    assert not any(one["is_deleted"] for one in first.records(stream))
    assert last(second, stream) == last(first, stream)
    assert first.statuses(stream) == ["STARTED", "RUNNING", "COMPLETE"]
    assert second.statuses(stream) == ["STARTED", "COMPLETE"]


@pytest.mark.parametrize("stream", STREAMS)
def test_a_full_refresh_emits_everything_no_matter_the_state(mailchimp: Mailchimp, stream: str) -> None:
    """And ends with the mark that says so."""
    state = last(sync(mailchimp, stream), stream)
    again = sync(mailchimp, stream, state, sync_mode="full_refresh")

    assert len(again.records(stream)) == len(state["records"])
    assert last(again, stream) == {"__ab_full_refresh_sync_complete": True}


def test_what_changed_comes_again_alone(mailchimp: Mailchimp) -> None:
    """Of several records the first, one in the middle or the last."""
    state = last(sync(mailchimp, "tags"), "tags")
    for list_id in mailchimp.ids:
        for number in (1, 2):
            mailchimp.tags = {one: [tag(1), tag(2)] for one in mailchimp.ids}
            mailchimp.tags[list_id][number - 1]["name"] = "renamed"
            [record] = sync(mailchimp, "tags", state).records("tags")
            assert (record["list_id"], record["id"], record["name"]) == (list_id, number, "renamed")


def test_a_list_has_the_time_at_which_this_version_was_seen_first(mailchimp: Mailchimp) -> None:
    """Mailchimp gives none. It never goes back: a time that a state names, of a clock that was ahead, is the least."""
    first = sync(mailchimp, "lists")
    assert {one["updated_at"] for one in first.records("lists")} == {SEEN}
    state = last(first, "lists")
    [key, other] = state["records"]
    fingerprint, _, seconds = state["records"][key].partition("-")
    assert (len(fingerprint), int(seconds)) == (16, int(NOW.timestamp()))

    later = {"records": {key: f"0-{int(seconds) + 50}", other: "0"}}
    again = sync(mailchimp, "lists", later)

    assert [one["updated_at"] for one in again.records("lists")] == [moment_of(int(seconds) + 50), SEEN]
    earlier = sync(mailchimp, "lists", {"records": {key: f"0-{int(seconds) - 50}", other: "0-"}})
    assert [one["updated_at"] for one in earlier.records("lists")] == [SEEN, SEEN]


def test_a_tag_has_mailchimps_own_time(mailchimp: Mailchimp) -> None:
    """Where Mailchimp gives one."""
    mailchimp.tags[mailchimp.ids[0]][0]["updated_at"] = ""

    assert [one["updated_at"] for one in sync(mailchimp, "tags").records("tags")] == [SEEN, *["2026-01-02T00:00:00+00:00"] * 3]


@pytest.mark.parametrize(("known", "time"), [("f-1700000000", moment_of(1_700_000_000)), ("f-0", moment_of(0)), ("f", SEEN), ("f-x", SEEN)])
def test_a_tombstone_has_the_time_of_the_last_live_version(mailchimp: Mailchimp, known: str, time: str) -> None:
    """A later version, by any clock, wins over it. A state of an earlier version of this source names no time: then it is now."""
    tombstone = {"list_id": mailchimp.ids[0], "id": 9, "updated_at": time, "is_deleted": True}
    synced = sync(mailchimp, "tags", {"records": {f'["{mailchimp.ids[0]}",9]': known}})

    assert [one for one in synced.records("tags") if one["is_deleted"]] == [tombstone]
    assert len(last(synced, "tags")["records"]) == 4


def test_a_state_names_what_it_knows_as_it_was(mailchimp: Mailchimp) -> None:
    """Of an earlier version without a time, too, while its record is the same."""
    state = last(sync(mailchimp, "lists"), "lists")
    untimed = {"records": {key: text.partition("-")[0] for key, text in state["records"].items()}}
    again = sync(mailchimp, "lists", untimed)

    assert again.records("lists") == []
    assert last(again, "lists") == untimed


def test_a_fingerprint_in_a_state_is_as_earlier_versions_made_it(mailchimp: Mailchimp) -> None:
    """With others everything would come again after an update of this source."""
    assert [text.partition("-")[0] for text in last(sync(mailchimp, "users"), "users")["records"].values()] == ["4701853d5c9323b5"]


def test_a_deleted_tag_is_one_tombstone(mailchimp: Mailchimp) -> None:
    """Of an audience whose tags fit a page its absence is enough: no tag is asked for by its own name."""
    state = last(sync(mailchimp, "tags"), "tags")
    del mailchimp.tags[mailchimp.ids[1]][0]
    synced = sync(mailchimp, "tags", state)

    assert tombstones(synced, "tags") == [(mailchimp.ids[1], 1)]
    assert len(synced.records("tags")) == 1
    assert synced.asked("/1") == []
    assert sync(mailchimp, "tags", last(synced, "tags")).records("tags") == []


@pytest.mark.parametrize("is_there", [True, False])
def test_a_tag_that_several_pages_lack_is_asked_for_by_its_own_name(mailchimp: Mailchimp, is_there: bool) -> None:
    """Several pages are several moments: one that moved between them is not gone."""
    list_id = mailchimp.ids[0]
    mailchimp.tags = {list_id: [tag(number) for number in range(1, 31)]}
    state = last(sync(mailchimp, "tags", page_size=10), "tags")
    mailchimp.tags[list_id].pop(4)
    if is_there:
        mailchimp.answers[f"/lists/{list_id}/segments/5"] = answer({"id": 5, "name": "Tag 5"})
    synced = sync(mailchimp, "tags", state, page_size=10)

    # A single 404 is not believed.
    assert len(synced.asked("/segments/5")) == (1 if is_there else 3)
    assert tombstones(synced, "tags") == ([] if is_there else [(list_id, 5)])


def test_a_tag_is_not_gone_because_mailchimp_lists_fewer_than_it_counts(mailchimp: Mailchimp) -> None:
    """Such a listing proves nothing: the tag is not asked for either, and the sync is complete."""
    list_id = mailchimp.ids[0]
    state = last(sync(mailchimp, "tags"), "tags")
    mailchimp.answers[f"/lists/{list_id}/segments"] = lambda outgoing: answer(
        {"segments": [] if outgoing.params["offset"] else [tag(2)], "total_items": 2}
    )
    synced = sync(mailchimp, "tags", state)

    assert (synced.records("tags"), synced.errors) == ([], [])
    assert last(synced, "tags") == state


@pytest.mark.parametrize("odd", ["no object", {"name": "without an id"}, 5], ids=str)
def test_a_tag_is_not_gone_because_a_row_cannot_be_read(mailchimp: Mailchimp, odd: Any) -> None:
    """It may be that row. The stream fails at its end, everything else is read, and the tags of other audiences are gone if they are."""
    state = last(sync(mailchimp, "tags"), "tags")
    mailchimp.tags[mailchimp.ids[0]] = [tag(2), odd, tag(3)]
    mailchimp.tags[mailchimp.ids[1]] = [tag(2), tag(3)]
    synced = sync(mailchimp, "tags", state)

    assert tombstones(synced, "tags") == [(mailchimp.ids[1], 1)]
    assert [(one["list_id"], one["id"]) for one in synced.records("tags") if not one["is_deleted"]] == [(one, 3) for one in mailchimp.ids]
    assert synced.statuses("tags")[-1] == "INCOMPLETE"
    assert [one.partition(":")[0] for one in synced.errors] == ["system_error"]


def test_a_field_that_does_not_fit_is_null_and_named(mailchimp: Mailchimp) -> None:
    """The record comes with its time all the same, and so do the others without a remark."""
    mailchimp.tags[mailchimp.ids[0]][0]["member_count"] = "many"
    found = [one.record for one in sync(mailchimp, "tags").messages if one.record]

    assert [[change.field for change in one.meta.changes] if one.meta else [] for one in found] == [["member_count"], [], [], []]
    assert (found[0].data["member_count"], found[0].data["updated_at"]) == (None, "2026-01-02T00:00:00+00:00")


def test_a_deleted_audience_is_one_tombstone_with_those_of_its_tags(mailchimp: Mailchimp) -> None:
    """It is asked for by its own name first, more than once: a listing may lag behind, and a single 404 is not believed."""
    states = {stream: last(sync(mailchimp, stream), stream) for stream in ("lists", "tags")}
    gone = mailchimp.ids[0]
    mailchimp.delete(gone)
    lists, tags = (sync(mailchimp, stream, state) for stream, state in states.items())

    assert (tombstones(lists, "lists"), tombstones(tags, "tags")) == ([gone], [(gone, 1), (gone, 2)])
    assert [len(one.asked(f"/lists/{gone}")) for one in (lists, tags)] == [3, 3]
    assert (lists.errors, tags.errors) == ([], [])


def test_an_audience_that_the_listing_lacks_is_not_gone_while_it_answers(mailchimp: Mailchimp) -> None:
    """Nor is any of its tags."""
    states = {stream: last(sync(mailchimp, stream), stream) for stream in ("lists", "tags")}
    mailchimp.listed = mailchimp.listed[1:]

    for stream, state in states.items():
        synced = sync(mailchimp, stream, state)
        assert (synced.records(stream), last(synced, stream), synced.errors) == ([], state, [])


def test_an_audience_that_is_not_chosen_any_more_is_not_gone(mailchimp: Mailchimp) -> None:
    """It is not asked for either: the listing has it."""
    for stream in ("lists", "tags"):
        state = last(sync(mailchimp, stream), stream)
        synced = sync(mailchimp, stream, state, list_ids=mailchimp.ids[1:])
        assert (synced.records(stream), last(synced, stream)) == ([], state)
        assert synced.asked(f"/lists/{mailchimp.ids[0]}") == []


@pytest.mark.parametrize(("is_gone", "stream"), [(True, "lists"), (False, "lists"), (True, "tags"), (False, "tags")])
def test_a_404_counts_as_a_deleted_audience_only_when_the_audience_answers_so(mailchimp: Mailchimp, is_gone: bool, stream: str) -> None:
    """While it answers, the 404 is a failure of the stream; the other audiences are read."""
    state = last(sync(mailchimp, stream), stream)
    first = mailchimp.ids[0]
    for collection in ("merge-fields", "segments"):
        mailchimp.answers[f"/lists/{first}/{collection}"] = answer({}, 404)
    if is_gone:
        mailchimp.answers[f"/lists/{first}"] = answer({}, 404)
    mailchimp.tags[mailchimp.ids[1]].append(tag(3))
    synced = sync(mailchimp, stream, state)

    assert tombstones(synced, stream) == (([first] if stream == "lists" else [(first, 1), (first, 2)]) if is_gone else [])
    assert bool(synced.errors) == (not is_gone)
    assert synced.statuses(stream)[-1] == ("COMPLETE" if is_gone else "INCOMPLETE")
    assert len([one for one in synced.records(stream) if not one["is_deleted"]]) == (stream == "tags")


def test_an_audience_that_cannot_be_read_fails_its_stream_and_loses_nothing(mailchimp: Mailchimp) -> None:
    """The others are read, and what it held stays known."""
    state = last(sync(mailchimp, "tags"), "tags")
    mailchimp.answers[f"/lists/{mailchimp.ids[0]}/segments"] = answer({"detail": "no"}, 403)
    mailchimp.tags[mailchimp.ids[1]].append(tag(3))
    synced = sync(mailchimp, "tags", state)

    assert [(one["list_id"], one["id"]) for one in synced.records("tags")] == [(mailchimp.ids[1], 3)]
    assert synced.statuses("tags")[-1] == "INCOMPLETE"
    assert set(state["records"]) < set(last(synced, "tags")["records"])


@pytest.mark.parametrize(("stream", "is_known"), [("lists", True), ("lists", False), ("tags", True), ("tags", False)])
def test_a_chosen_audience_that_does_not_exist_is_an_error_unless_its_deletion_is_told(
    mailchimp: Mailchimp, stream: str, is_known: bool
) -> None:
    """The tombstone says it once; what was never there is a mistake in the configuration."""
    state = last(sync(mailchimp, stream), stream) if is_known else None
    mailchimp.delete(mailchimp.ids[0])
    synced = sync(mailchimp, stream, state, list_ids=mailchimp.ids)

    assert [one.partition(":")[0] for one in synced.errors] == ([] if is_known else ["config_error"])
    assert bool(tombstones(synced, stream)) == is_known


@pytest.mark.parametrize("stream", ["lists", "tags"])
def test_a_row_that_is_no_audience_fails_the_streams_of_audiences(mailchimp: Mailchimp, stream: str) -> None:
    """Even where all others are known."""
    state = last(sync(mailchimp, stream), stream)
    mailchimp.listed.append({"name": "without an id"})
    synced = sync(mailchimp, stream, state)

    assert (synced.records(stream), synced.statuses(stream)[-1]) == ([], "INCOMPLETE")


@pytest.mark.parametrize(
    ("change", "comes"),
    [
        ({"last_login": LATER}, False),
        ({"total_subscribers": 99}, False),
        ({"industry_stats": {"open_rate": 1.0}}, False),
        ({"account_name": "Store"}, True),
        ({"pricing_plan_type": "monthly"}, True),
    ],
    ids=str,
)
@pytest.mark.parametrize("remote", [True, False])
def test_to_sign_in_is_no_change_of_the_user(mailchimp: Mailchimp, change: dict[str, Any], comes: bool, remote: bool) -> None:
    """Nor is what the account's contacts do; the whole answer is in the record where that is wanted."""
    mailchimp.account |= {"last_login": "2026-01-01T00:00:00+00:00", "total_subscribers": 5, "industry_stats": {"open_rate": 0.5}}
    state = last(sync(mailchimp, "users", include_remote_data=remote), "users")
    mailchimp.account |= change
    records = sync(mailchimp, "users", state, include_remote_data=remote).records("users")

    assert len(records) == comes
    assert [one.get("remote_data") for one in records] == ([mailchimp.account if remote else None] if comes else [])


def test_another_user_takes_the_place_of_the_one_before(mailchimp: Mailchimp) -> None:
    """Mailchimp does not say whether that one exists, and nobody syncs them here any more."""
    state = last(sync(mailchimp, "users"), "users")
    mailchimp.account["login_id"] = "8"
    synced = sync(mailchimp, "users", state)

    assert [(one["id"], one["is_deleted"]) for one in synced.records("users")] == [("8", False), ("7", True)]


@pytest.mark.parametrize("stream", ["lists", "tags"])
@pytest.mark.parametrize("remote", [True, False])
def test_the_whole_object_is_in_a_record_where_that_is_wanted(mailchimp: Mailchimp, stream: str, remote: bool) -> None:
    """And a merge field is in its list."""
    mailchimp.fields = {mailchimp.ids[0]: [{"merge_id": 1, "tag": "AGE", "name": "Age", "type": "number"}]}
    first = sync(mailchimp, stream, include_remote_data=remote).records(stream)[0]

    whole = mailchimp.audiences[mailchimp.ids[0]] if stream == "lists" else tag(1)
    assert first.get("remote_data") == (whole if remote else None)
    assert [one["tag"] for one in first.get("merge_fields", [])] == (["AGE"] if stream == "lists" else [])


def test_tags_come_in_the_order_of_audiences_and_pages(mailchimp: Mailchimp) -> None:
    """Though a collection is read from its far end."""
    mailchimp.tags = {list_id: [tag(number) for number in range(1, 26)] for list_id in mailchimp.ids}
    synced = sync(mailchimp, "tags", page_size=10)

    assert [(one["list_id"], one["id"]) for one in synced.records("tags")] == [(one, n) for one in mailchimp.ids for n in range(1, 26)]


def test_an_answer_without_a_date_ends_the_stream_of_users(mailchimp: Mailchimp) -> None:
    """This machine's clock never takes the place of Mailchimp's."""
    mailchimp.answers["/"] = answer(mailchimp.account, Date="")
    synced = sync(mailchimp, "users")

    assert (synced.records("users"), synced.statuses("users")) == ([], ["STARTED", "INCOMPLETE"])
    assert [one.partition(":")[0] for one in synced.errors] == ["system_error"]


def test_a_key_of_more_values_than_this_version_has_is_taken_in_part() -> None:
    """A state of a later version must not stop the sync."""
    synced = sync(Mailchimp(1), "users", {"records": {'["7","more"]': "f", '["9","more"]': "f"}})

    assert [one["id"] for one in synced.records("users")] == ["7", "7", "9"]
