"""Who loses the membership tag at the end of a sync: only who surely left, of audiences that surely came whole."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from integration_tests.simulation.people import Person, new_list
from integration_tests.streaming.simulated import LIST
from unit_tests.destination.writing import STATE, STREAM, Mailchimp, Sync, person, record, record_line, write

Json = dict[str, Any]
TAG = "Customers"
OTHER = "0000000001"
OPTIONS: Json = {"membership_tag": TAG, "on_leaving": "remove_tag", "every_sync_is_complete": True}


def carriers(count: int = 10) -> Mailchimp:
    """Return an account of people who all carry the tag and another one."""
    return Mailchimp(*[person(number, tags=(TAG, "Kept")) for number in range(count)])


def status(word: str = "COMPLETE", stream: str = STREAM) -> bytes:
    """Return the line of what a source says about a stream."""
    told = {"stream_descriptor": {"name": stream}, "status": word}
    return orjson.dumps({"type": "TRACE", "trace": {"type": "STREAM_STATUS", "emitted_at": 1.0, "stream_status": told}}) + b"\n"


def stream(name: str = STREAM, mode: str = "append", **more: Any) -> Json:
    """Return a configured stream."""
    described = {"name": name, "json_schema": {"properties": {"email": {}, "list_id": {}}}, "supported_sync_modes": ["full_refresh"]}
    return {"stream": described, "sync_mode": "full_refresh", "destination_sync_mode": mode, **more}


def coming(first: int, last: int = 9, **columns: Any) -> list[Json]:
    """Return records of these people."""
    return [record(number, **columns) for number in range(first, last + 1)]


def with_tag(world: Mailchimp, list_id: str = LIST, tag: str = TAG) -> set[str]:
    """Return who carries a tag."""
    audience = world.state.account.audiences[list_id]
    return {one.email for one in audience.members.values() if any(audience.segments[each].name == tag for each in one.tags)}


def emails(first: int, last: int = 9) -> set[str]:
    """Return the email addresses of these people."""
    return {f"p{number}@contacts.example" for number in range(first, last + 1)}


def numbers(sync: Sync) -> list[list[int]]:
    """Return the numbers in each sentence about those who left, without the audience's id."""
    lines = [line.getMessage() for line in sync.log if line.levelno == logging.INFO and line.getMessage().startswith("Tag ")]
    return [[int(number) for number in re.findall(r"\d+", line.replace(LIST, ""))] for line in lines]


def warnings(sync: Sync) -> list[str]:
    """Return the warnings about those who left."""
    return [line.getMessage() for line in sync.log if line.levelno == logging.WARNING and "on_leaving" in line.getMessage()]


@pytest.mark.parametrize("suppress", [False, True])
def test_who_did_not_come_loses_the_tag_and_nothing_else(suppress: bool) -> None:
    """In any spelling that the audience has; the summary counts carriers and leavers, and nobody is warned."""
    world = carriers()

    sync = write(
        world, *coming(2), record(50), status(), STATE, **{**OPTIONS, "membership_tag": "customers"}, suppress_automations=suppress
    )

    assert (sync.error, sync.counts) == (None, (9, 0))
    assert with_tag(world) == emails(2) | emails(50, 50)
    assert with_tag(world, tag="Kept") == emails(0)
    assert (numbers(sync), warnings(sync)) == ([[11, 2]], [])


@pytest.mark.parametrize(
    ("more", "options"),
    [
        ([status()], {"on_leaving": "nothing"}),
        ([], {}),
        ([status("STARTED")], {}),
        ([status("INCOMPLETE"), status()], {}),
        ([status(stream="others")], {}),
        ([b"{broken\n", status()], {}),
        ([status()], {"every_sync_is_complete": False}),
    ],
    ids=["not wanted", "no word", "begun", "failed", "another stream", "a broken line", "not said to be whole"],
)
def test_nobody_loses_the_tag_where_it_is_not_sure_that_everybody_came(more: list[bytes], options: Json) -> None:
    """The sync ends well, and says so with a warning where the tag would have been taken."""
    world = carriers()

    sync = write(world, *coming(2), *more, STATE, **{**OPTIONS, **options})

    assert (sync.error, len(sync.states)) == (None, 1)
    assert with_tag(world) == emails(0)
    assert (len(warnings(sync)) == 1) == (options.get("on_leaving") != "nothing")
    assert numbers(sync) == []


def test_it_is_no_warning_that_an_incremental_stream_takes_the_tag_from_nobody() -> None:
    """That is how it is meant; it is told all the same."""
    sync = write(carriers(), *coming(2), status(), STATE, streams=[stream(sync_mode="incremental")], **OPTIONS)

    assert warnings(sync) == []
    assert [line.levelno for line in sync.log if "on_leaving" in line.getMessage()] == [logging.INFO]


@pytest.mark.parametrize(("complete", "second"), [(True, 60.0), (False, 0.0)])
def test_the_last_state_waits_for_the_end_only_where_anybody_could_leave(complete: bool, second: float) -> None:
    """What fails at the end is tried again by the next attempt; where nobody can leave, no state waits."""
    sync = write(carriers(), *coming(2), STATE, 60.0, status(), **{**OPTIONS, "every_sync_is_complete": complete})

    assert (sync.state_seconds[0] >= second, sync.state_seconds[0] < second + 10) == (True, True)


def test_earlier_states_do_not_wait_for_the_end() -> None:
    """Only the last one does."""
    sync = write(carriers(), *coming(2, 5), STATE, 30.0, *coming(6), STATE, 30.0, status(), **OPTIONS)

    assert [seconds >= 60.0 for seconds in sync.state_seconds] == [False, True]


CAME: dict[str, tuple[Json, Json]] = {
    "rejected for a value": ({"vip": "perhaps"}, {}),
    "rejected for a value, and nobody knows where": ({"vip": "perhaps", "list_id": None}, {"list_id": None}),
    "rejected for its audience": ({"list_id": None}, {"list_id": None}),
    "by the address that it had": ({"email": "other@contacts.example", "previous_email": "p0@contacts.example"}, {}),
    "rejected, by the address that it had": (
        {"email": "other@contacts.example", "previous_email": "p0@contacts.example", "vip": "perhaps"}, {}
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CAME)
def test_who_came_keeps_the_tag_no_matter_what_became_of_the_record(case: str) -> None:
    """Even where nobody knows for which audience: then everywhere."""
    columns, options = CAME[case]
    world = carriers()

    properties: Json = {name: {} for name in ("email", "list_id", "vip", "previous_email")}
    sync = write(world, *coming(1), record(0, **columns), status(), STATE, properties=properties, **OPTIONS, **options)

    assert sync.error is None
    assert len(with_tag(world)) == 10


def test_a_deleted_row_brings_nobody() -> None:
    """The last record of a contact decides: who was deleted left, who came back stays."""
    world = carriers()
    deleted = [record(number, is_deleted=True) for number in (0, 1)]

    write(world, record(0), *deleted, record(1), *coming(2), status(), STATE, **OPTIONS, on_delete="ignore")

    assert with_tag(world) == emails(1)


def test_an_empty_refresh_takes_the_tag_from_nobody() -> None:
    """Not even where all may leave: an empty table is more likely a mistake."""
    for messages in ([STATE, status()], [record(0, email="nobody"), STATE, status()]):
        world = carriers()
        write(world, *messages, **OPTIONS, max_leaving_percent=100)
        assert with_tag(world) == emails(0)


@pytest.mark.parametrize(("most", "left"), [(19.9, 0), (20, 2), (20.1, 2), (0, 0)])
def test_where_more_leave_than_may_nobody_does(most: float, left: int) -> None:
    """A share of exactly max_leaving_percent may; the warning says how many would have left, and what share that is."""
    world = carriers()

    sync = write(world, *coming(2), status(), STATE, **OPTIONS, max_leaving_percent=most)

    assert (sync.error, len(with_tag(world))) == (None, 10 - left)
    assert len(numbers(sync)) == bool(left)
    assert [("2 of 10" in one, "20.0%" in one) for one in warnings(sync)] == ([] if left else [(True, True)])


def test_a_list_that_is_not_whole_is_not_believed() -> None:
    """Where Mailchimp counts more contacts with the tag than it lists, nobody loses it."""
    world = carriers()
    rules = [{"kind": "total_items", "by": 5, "path": "/segments/[0-9]+/members$"}]
    world.state.faults.set(rules, 1)

    sync = write(world, *coming(2), status(), STATE, **OPTIONS)

    assert (sync.error, with_tag(world), len(warnings(sync))) == (None, emails(0), 1)


def test_who_mailchimp_refuses_to_take_the_tag_from_is_counted() -> None:
    """The sync ends well; they have not lost it."""
    world = carriers()
    world.state.faults.set([{"kind": "400", "method": "POST", "path": "/segments/[0-9]+$"}], 1)

    sync = write(world, *coming(2), status(), STATE, **OPTIONS)

    assert (sync.error, with_tag(world)) == (None, emails(0))
    assert numbers(sync) == [[10, 0, 2]]


def test_who_changed_while_the_sync_ran_is_judged_by_the_next() -> None:
    """Somebody else may have given them the tag meanwhile: they are counted apart and keep it."""
    world = Mailchimp(*[person(number, tags=(TAG,)) for number in range(9)], Person(LIST, "p9@contacts.example", age=-60, tags=(TAG,)))

    sync = write(world, *coming(1, 8), status(), STATE, **OPTIONS)

    assert with_tag(world) == emails(1)
    assert numbers(sync) == [[10, 1, 1]]


def test_a_dry_run_writes_nothing_and_keeps_a_line_about_each_who_would_leave(tmp_path: Path) -> None:
    """With what would change, and without a record, since there is none."""
    world, path = carriers(), tmp_path / "planned.jsonl"

    sync = write(
        world, *coming(2), status(), STATE, **OPTIONS, dry_run=True, rejected_records="file", rejected_records_file=str(path)
    )  # fmt: skip

    assert (sync.writes, with_tag(world)) == ([], emails(0))
    kept = [line for line in map(orjson.loads, path.read_text().splitlines()) if line["outcome"] == "leaving"]
    assert {line["email"] for line in kept} == emails(0, 1)
    assert all(line["changes"] == {"tags": {"old": [TAG], "new": []}} and "record" not in line for line in kept)
    assert {line["list_id"] for line in kept} == {LIST}
    assert numbers(sync) == [[10, 2]]
    assert ["would" in line.getMessage() for line in sync.log if line.getMessage().startswith("Tag ")] == [True]


def test_where_nobody_left_no_call_is_made() -> None:
    """And it is said that none of them did; where the audience has no such tag, there is nothing to say."""
    world = carriers()
    sync = write(world, *coming(0), status(), STATE, **OPTIONS)
    assert (with_tag(world), numbers(sync)) == (emails(0), [[10, 0]])
    assert [call for call in sync.writes if "/segments/" in call[2]] == []

    sync = write(Mailchimp(), record(90), status(), STATE, **OPTIONS, write_policy="update_only")
    assert (sync.error, numbers(sync), warnings(sync)) == (None, [], [])


def test_nothing_is_taken_where_every_record_was_rejected() -> None:
    """The sync fails for it: everything else waits until the mapping is right."""
    world = carriers()

    sync = write(world, record(0, vip="perhaps"), status(), STATE, properties={"email": {}, "vip": {}}, **OPTIONS)

    assert sync.error is not None
    assert with_tag(world) == emails(0)


# Several streams and audiences.


def two_audiences() -> Mailchimp:
    """Return an account of two audiences with the same four people, who all carry the tag."""
    world = carriers(4)
    new_list(world.state, OTHER, int(world.now) - 86_400)
    world.place(*[Person(OTHER, f"p{number}@contacts.example", tags=(TAG,)) for number in range(4)])
    return world


def feeds(one: bool, two: bool, first: Json, second: Json, **options: Any) -> tuple[set[str], set[str], Sync]:
    """Let one stream bring p1 to p3 to the first audience, another p0 to p2 to the second, each whole or not.

    Returns who carries the tag then in either audience.
    """
    world = two_audiences()
    lines = [*[record_line(record(number), "one") for number in (1, 2, 3)]]
    lines += [record_line({**record(number), "list_id": OTHER}, "two") for number in (0, 1, 2)]
    words = [status("COMPLETE" if whole else "STARTED", name) for name, whole in (("one", one), ("two", two))]
    sync = write(
        world,
        *lines,
        *words,
        STATE,
        streams=[stream("one", **first), stream("two", **second)],
        **{**OPTIONS, "max_leaving_percent": 30, **options},
    )
    assert sync.error is None
    return with_tag(world), with_tag(world, OTHER), sync


ALL, WITHOUT_FIRST, WITHOUT_LAST = emails(0, 3), emails(1, 3), emails(0, 2)
TO_FIRST, TO_SECOND = {"destination_object_name": f"First ({LIST})"}, {"destination_object_name": f"Second ({OTHER})"}
CREATES = {"destination_sync_mode": "append_dedup"}


@pytest.mark.parametrize(
    ("one", "two", "left"),
    [(True, True, (True, True)), (True, False, (True, False)), (False, True, (False, True)), (False, False, (False, False))],
)
def test_an_audience_is_judged_by_the_streams_that_may_feed_it(one: bool, two: bool, left: tuple[bool, bool]) -> None:
    """Streams with a destination object feed that one alone: whether the other came whole does not matter."""
    first, second, _ = feeds(one, two, {**TO_FIRST, **CREATES}, {**TO_SECOND, **CREATES})

    assert (first, second) == (WITHOUT_FIRST if left[0] else ALL, WITHOUT_LAST if left[1] else ALL)


@pytest.mark.parametrize(("one", "two"), [(True, True), (True, False), (False, True)])
def test_a_stream_whose_records_say_where_they_belong_may_feed_any_audience(one: bool, two: bool) -> None:
    """So all of them have to come whole."""
    first, second, _ = feeds(one, two, {}, {})

    assert (first, second) == ((WITHOUT_FIRST, WITHOUT_LAST) if one and two else (ALL, ALL))


def test_a_stream_for_the_audience_of_the_configuration_feeds_no_other() -> None:
    """Where records cannot say otherwise."""
    first, second, _ = feeds(False, True, {}, {**TO_SECOND, **CREATES}, list_ids_from="configuration")

    assert (first, second) == (ALL, WITHOUT_LAST)


def test_an_audience_that_no_stream_feeds_is_not_judged() -> None:
    """Nobody came for it, and nobody has to be warned of that."""
    _, _, sync = feeds(True, True, {**TO_SECOND, **CREATES}, {**TO_SECOND, **CREATES})

    assert warnings(sync) == []


def test_a_stream_that_does_not_give_the_tag_brings_nobody() -> None:
    """Nor need it come whole."""
    first, second, _ = feeds(True, False, {}, {}, membership_streams=["One"], max_leaving_percent=100)

    assert (first, second) == (WITHOUT_FIRST, ALL)


def test_a_stream_that_only_archives_brings_nobody() -> None:
    """So it need not come whole."""
    world = carriers()
    lines = [*[record_line(record(number), "one") for number in range(2, 10)], record_line(record(60), "two")]

    write(
        world,
        *lines,
        status(stream="one"),
        STATE,
        streams=[stream("one"), stream("two", "soft_delete")],
        **OPTIONS,
        on_delete="unsubscribe",
    )

    assert with_tag(world) == emails(2)


def test_an_audience_that_is_not_there_keeps_no_other_from_being_judged() -> None:
    """Records that name it are rejected."""
    world = carriers()

    sync = write(world, *coming(2), record(50, list_id=OTHER), status(), STATE, **OPTIONS)

    assert (sync.error, sync.counts) == (None, (8, 1))
    assert with_tag(world) == emails(2)
