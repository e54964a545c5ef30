"""The way of records through the pipeline: where each goes, what waits for what, and what is asked for; on a virtual clock."""

from __future__ import annotations

import asyncio
import logging
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import orjson
import pytest

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.config import parse_destination_config
from destination_mailchimp_unified.intake.arrivals import Arrival, Entry
from destination_mailchimp_unified.intake.contact import MappedContact
from destination_mailchimp_unified.intake.lines import Chunks
from destination_mailchimp_unified.live.pacing import LivePacing
from destination_mailchimp_unified.pipeline.backlog import Backlog
from destination_mailchimp_unified.pipeline.pacing import Pacing
from destination_mailchimp_unified.planning.changes import Change
from integration_tests.simulation.clock import run
from integration_tests.simulation.people import new_list
from integration_tests.streaming.simulated import LIST
from mailchimp_unified.identity import subscriber_hash
from mailchimp_unified.transport import Outgoing, Received
from unit_tests.account import CONFIG, LOGGER
from unit_tests.destination.writing import STATE, Mailchimp, Sync, person, record, record_line, state_line, write

if TYPE_CHECKING:
    from destination_mailchimp_unified.pipeline.lane import Lane

Json = dict[str, Any]
OTHER, THIRD = "0000000001", "0000000002"
ENTRY = Entry((None, "people"), 0, 1)
QUARTER = 900.0


def crowd(count: int, latency: float = 0.1, **more: Any) -> Mailchimp:
    """Return an account with so many people in one audience, and two more audiences."""
    world = Mailchimp(*[person(number, **more) for number in range(count)], latency=latency)
    for list_id in (OTHER, THIRD):
        new_list(world.state, list_id, int(world.now) - 86_400)
    return world


def email_of(number: int) -> str:
    """Return the email address of such a person."""
    return f"p{number}@contacts.example"


def members(world: Mailchimp, list_id: str) -> set[str]:
    """Return who is in an audience."""
    return {one.email for one in world.state.account.audiences[list_id].members.values()}


def asked(sync: Sync, path: str) -> list[float]:
    """Return when a path was read."""
    return [second for second, method, found, _ in sync.world.calls if method == "GET" and found == path]


def logged(sync: Sync, level: int, words: str) -> list[str]:
    """Return the lines of a level that hold some words."""
    return [line.getMessage() for line in sync.log if line.levelno == level and words in line.getMessage()]


def tally(sync: Sync) -> dict[str, int]:
    """Return how many records had which outcome, by the summary."""
    [line] = logged(sync, logging.INFO, "Stream people: ")[-1:]
    return {
        kind: int(count) for count, kind in re.findall(r"(\d+) (created|updated|unchanged|skipped|rejected)\b(?!:)", line) if int(count)
    }


# Where a record goes.


@pytest.mark.parametrize(
    ("own", "by_object", "configured", "there"),
    [
        (OTHER, None, LIST, OTHER),
        (None, None, LIST, LIST),
        (OTHER, None, None, OTHER),
        (None, OTHER, None, OTHER),
        (None, OTHER, LIST, OTHER),
        (THIRD, OTHER, LIST, OTHER),
    ],
)
def test_a_record_goes_to_the_audience_of_its_object_or_its_own_or_the_configured_one(
    own: str | None, by_object: str | None, configured: str | None, there: str
) -> None:
    """In this order."""
    world = crowd(0)
    described = {"name": "people", "json_schema": {"properties": {"email": {}, **({"list_id": {}} if own else {})}}}
    chosen = {"destination_object_name": f"Object ({by_object})"} if by_object else {}
    stream = {"stream": described, "sync_mode": "full_refresh", "destination_sync_mode": "append_dedup", **chosen}

    sync = write(world, {"email": email_of(1), **({"list_id": own} if own else {})}, STATE, streams=[stream], list_id=configured)

    assert (sync.error, sync.counts) == (None, (1, 0))
    assert {list_id for list_id in (LIST, OTHER, THIRD) if members(world, list_id)} == {there}


def kept(path: Path) -> list[Json]:
    """Return the lines of a file of rejected records."""
    return [orjson.loads(line) for line in path.read_text().splitlines()]


def test_a_record_for_an_audience_that_is_not_there_is_rejected_and_harms_no_other(tmp_path: Path) -> None:
    """However many, those that come later too; with its contact and its line, so that it can be sent again."""
    path = tmp_path / "rejects.jsonl"
    columns = [record(number, list_id="000000000a") for number in range(3)]

    sync = write(
        crowd(0), columns[0], record(7), STATE, 60.0, *columns[1:], STATE, rejected_records="file", rejected_records_file=str(path)
    )  # fmt: skip

    assert (sync.error, sync.counts) == (None, (1, 3))
    assert [(one["contact_id"], one["record"]) for one in kept(path)] == [(subscriber_hash(one["email"]), one) for one in columns]


def test_a_rejected_record_has_its_contacts_id_where_it_has_one(tmp_path: Path) -> None:
    """An email address that is none has no contact; a line that belongs to no stream is kept as it came."""
    path = tmp_path / "rejects.jsonl"
    lines: list[Any] = [record(1, vip="perhaps"), record(1, email="nobody", vip="perhaps"), record_line(record(2), "others"), b"{broken\n"]

    properties: Json = {name: {} for name in ("email", "list_id", "vip")}
    sync = write(
        crowd(0), record(5), *lines, STATE, properties=properties, rejected_records="file", rejected_records_file=str(path)
    )  # fmt: skip

    assert sync.counts == (1, 4)
    assert [one.get("contact_id") for one in kept(path)] == [subscriber_hash(email_of(1)), None, None, None]
    assert kept(path)[-1]["line"] == "{broken"


def test_a_record_without_any_audience_is_rejected_for_its_list_id() -> None:
    """There is nowhere to look for it."""
    sync = write(crowd(0), {"email": email_of(1), "list_id": None}, record(2), STATE, list_id=None)

    assert sync.counts == (1, 1)


@pytest.mark.parametrize("records", [0, 1])
def test_the_audience_of_the_configuration_has_to_be_there(records: int) -> None:
    """Else the sync fails, even one without records, and names the audiences that there are."""
    sync = write(crowd(0), *[{"email": email_of(1)}] * records, STATE, list_id="000000000a")

    assert sync.error is not None
    assert [list_id in str(sync.error) for list_id in (LIST, OTHER, THIRD)] == [True] * 3


def test_an_audience_that_is_deleted_while_a_sync_runs_rejects_its_records() -> None:
    """Those that waited and those that come later; what was written before stays settled."""
    world = crowd(3)

    async def give(intake: Chunks) -> None:
        intake.add(record_line(record(0, first_name="A")) + state_line(1))
        await asyncio.sleep(60)
        del world.state.account.audiences[LIST]
        for number in (1, 2):
            intake.add(record_line(record(number, tags=["New"])) + state_line(number + 1))
            await asyncio.sleep(60)
        intake.add(b"")

    sync = write(world, give=give, write_mode="bulk")

    assert (sync.error, sync.counts) == (None, (1, 2))


def test_the_mapping_is_checked_against_the_audience_of_the_configuration() -> None:
    """Before anything is written; not against one that only a record names: there the record is rejected."""
    rules: Json = {"field_mapping": [{"column": "x", "field": "custom_fields.NOWHERE"}]}
    properties: Json = {name: {} for name in ("email", "list_id", "x")}

    named = write(crowd(0), record(1, x="y"), STATE, properties=properties, **rules)
    unnamed = write(crowd(0), record(1, x="y"), STATE, properties=properties, list_id=None, max_rejected_percent=None, **rules)

    assert (named.error is not None, named.states, named.writes) == (True, [], [])
    assert unnamed.counts == (0, 1)


@pytest.mark.parametrize(("required_fields", "required", "told"), [("enforce", True, 1), ("enforce", False, 0), ("skip", True, 0)])
def test_fields_that_an_audience_requires_are_told_where_they_are_enforced(required_fields: str, required: bool, told: int) -> None:
    """Contacts that lack one are not created."""
    world = crowd(1)
    world.state.account.audiences[LIST].add_merge_field("SHOE", "Shoe size", "number", required=required)

    sync = write(world, record(0, first_name="A"), STATE, required_fields=required_fields)

    assert len(logged(sync, logging.INFO, "SHOE")) == told


@pytest.mark.parametrize(("column", "warned"), [("SHOE", True), ("FNAME", False)])
def test_a_column_of_an_object_that_no_field_of_its_audience_has_is_named(column: str, warned: bool) -> None:
    """It is not written, and the sync ends well."""
    described = {"name": "people", "json_schema": {"properties": {"email": {}, column: {}}}}
    chosen = {"destination_sync_mode": "append_dedup", "destination_object_name": f"Object ({OTHER})"}

    sync = write(
        crowd(0), {"email": email_of(1), column: "7"}, STATE, streams=[{"stream": described, "sync_mode": "full_refresh", **chosen}]
    )

    assert (sync.error, bool(logged(sync, logging.WARNING, "SHOE"))) == (None, warned)


# What waits for what.


@pytest.mark.parametrize(("count", "second"), [(499, 1.0), (500, 0.0), (501, 0.0)])
def test_a_full_batch_waits_for_nothing(count: int, second: float) -> None:
    """One that is not full waits for a second of silence."""
    sync = write(crowd(3, latency=0.001), *[record(number) for number in range(10, 10 + count)], 60.0, write_mode="bulk")

    assert sync.writes[0][0] == pytest.approx(second, abs=0.1)
    assert len(sync.writes[0][3]["members"]) == min(count, 500)


def test_a_deletion_waits_until_it_is_due() -> None:
    """A later record may bring the contact back, even where a full batch goes in between."""
    world = crowd(600, latency=0.001)

    sync = write(
        world, record(0, first_name="First"), 60.0,
        record(1, is_deleted=True), *[record(number, first_name="A") for number in range(2, 520)], 0.5, record(1, first_name="Back"), 60.0,
        write_mode="bulk",
    )  # fmt: skip

    assert world.statuses()[email_of(1)] == "subscribed"
    assert world.values()[email_of(1)] == "Back"
    assert tally(sync)["skipped"] == 1


def test_what_comes_for_a_contact_while_a_call_for_it_is_under_way_goes_after_it() -> None:
    """At once when that is settled, and not before."""
    world = crowd(1, latency=10.0)

    sync = write(world, record(0, first_name="A"), 45.0, record(0, first_name="B"), 1_000.0, write_mode="single")

    seconds = [second for second, method, _, _ in sync.writes if method == "PATCH"]
    assert world.values()[email_of(0)] == "B"
    assert len(seconds) == 2
    assert seconds[1] == pytest.approx(max(seconds[0] + 10.0, 46.0), abs=0.1)


@pytest.mark.parametrize("first", ["waits", "is under way"])
def test_a_new_email_address_waits_for_what_goes_under_the_old_one(first: str) -> None:
    """A record of the contact by its old address is written before it moves, whether that waits with it or is on its way."""
    world = crowd(1, latency=10.0)
    pause: list[Any] = [] if first == "waits" else [41.5]

    sync = write(
        world, record(0, first_name="A", last_name="L"), *pause, record(90, previous_email=email_of(0), first_name="B"), 1_000.0,
        write_mode="single",
    )  # fmt: skip

    seconds = [second for second, method, _, _ in sync.writes if method in ("PATCH", "PUT")]
    assert [
        (one.email, one.merge_fields["FNAME"], one.merge_fields["LNAME"]) for one in world.state.account.audiences[LIST].members.values()
    ] == [(email_of(90), "B", "L")]
    assert len(seconds) == 2
    assert seconds[1] >= seconds[0] + 10.0


def test_a_full_pipeline_sends_what_waits_where_nothing_is_under_way() -> None:
    """Many audiences of which none fills a batch would otherwise wait for each other."""
    world = crowd(0, latency=0.001)
    audiences = [LIST, OTHER, THIRD]

    async def give(intake: Chunks) -> None:
        for start in range(0, 1_200, 100):
            intake.add(b"".join(record_line(record(n, list_id=audiences[n % 3])) for n in range(start, start + 100)))
        await asyncio.sleep(100)
        intake.add(b"")

    sync = write(world, give=give, num_workers=1, write_mode="bulk")

    assert (sync.error, len(members(world, OTHER))) == (None, 400)
    assert sync.writes[0][0] < 1.0


def test_a_full_pipeline_waits_for_batches_to_fill_while_calls_are_under_way() -> None:
    """They will make room for more."""
    world = crowd(0, latency=1.0)

    def some(list_id: str, first: int, last: int) -> bytes:
        return b"".join(record_line(record(number, list_id=list_id)) for number in range(first, last))

    async def give(intake: Chunks) -> None:
        intake.add(b"".join(some(list_id, 0, 1) for list_id in (LIST, OTHER, THIRD)))
        await asyncio.sleep(20)
        intake.add(some(LIST, 100, 600))
        await asyncio.sleep(0.01)
        intake.add(some(OTHER, 100, 350) + some(THIRD, 100, 350))
        intake.add(some(OTHER, 350, 600))
        await asyncio.sleep(30)
        intake.add(b"")

    sync = write(world, give=give, num_workers=1, write_mode="bulk")

    assert [len(body["members"]) for _, _, path, body in sync.writes if path.endswith(OTHER)] == [1, 500]


@pytest.mark.parametrize(("size", "workers", "chunks"), [(499, 1, 3), (500, 1, 2), (500, 3, 6)])
def test_a_pipeline_with_two_batches_for_each_worker_is_full(size: int, workers: int, chunks: int) -> None:
    """One on its way, and one that is next. What is taken is taken whole; one more waits at the door."""
    chunk = b"".join(record_line(record(number)) for number in range(size))

    assert taken_before_an_answer(chunk, num_workers=workers) == chunks + 1


@pytest.mark.parametrize(("size", "chunks"), [(1 << 20, 16), ((1 << 20) + 1, 16), ((1 << 20) - 1, 17), (1 << 24, 1)])
def test_a_pipeline_with_sixteen_mebibytes_is_full(size: int, chunks: int) -> None:
    """As the records came in."""
    line = record_line(record(7, note=""))
    line = record_line(record(7, note="x" * (size - len(line) + 1)))

    assert taken_before_an_answer(line) == chunks + 1


def taken_before_an_answer(chunk: bytes, **options: Any) -> int:
    """Return how many chunks a sync takes from an input that always has more, while Mailchimp answers no write."""
    taken = 0

    class Silent(Mailchimp):
        async def send(self, outgoing: Outgoing) -> Received:
            if outgoing.method != "GET":
                await asyncio.sleep(100.0)
            return await super().send(outgoing)

    async def give(intake: Chunks) -> None:
        nonlocal taken
        while asyncio.get_running_loop().time() < 50.0:
            if intake.empty:
                intake.add(chunk)
                taken += 1
            await asyncio.sleep(0.05)
        intake.add(b"")

    assert write(Silent(), give=give, **options).error is None
    return taken


def test_a_state_before_which_nothing_is_open_comes_back_at_once() -> None:
    """Also where no record came at all, and after one that is settled."""
    sync = write(crowd(1, latency=0.001), STATE, 60.0, record(0), 60.0, STATE, 60.0)

    assert sync.state_seconds == pytest.approx([0.0, 120.0], abs=0.05)


def test_a_sync_takes_no_longer_than_its_calls() -> None:
    """No matter how many pieces come, and at the end."""
    world = crowd(1, latency=0.01)

    async def give(intake: Chunks) -> None:
        for number in range(20):
            intake.add(record_line(record(number, first_name="A")))
        intake.add(b"")

    sync = write(world, give=give, write_mode="single", num_workers=10)

    assert world.now - world.began == pytest.approx(sync.calls("GET", "PATCH", "PUT", "POST")[-1][0] + 0.01, abs=0.005)
    assert world.now - world.began < 1.0


# Pacing.


def hurried(kind: type[Pacing], *steps: tuple[float, Any], until: float = 200.0) -> list[tuple[float, int]]:
    """Return when lanes were hurried and up to which record, while these things happened at these times."""
    found: list[tuple[float, int]] = []

    async def story() -> None:
        clock = asyncio.get_running_loop().time

        class Hurried:
            def flush(self, number: int) -> None:
                found.append((round(clock(), 3), number))

        pacing = kind(cast("dict[str, Lane]", {"": Hurried()}))
        for second, step in steps:
            await asyncio.sleep(second - clock())
            step(pacing)
        await asyncio.sleep(until - clock())

    run(story())
    return found


def came(number: int, state_number: int = 0) -> Any:
    """Return the step by which so many records have come, and a state after some of them."""
    return lambda pacing: pacing.came(number, state_number)


def paused(pacing: Pacing) -> None:
    """Let nothing more have come."""
    pacing.input_pauses()


def let_all_go(pacing: Pacing) -> None:
    """Let everything go."""
    pacing.all()


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([(0.0, came(0)), (20.0, came(1)), (25.0, came(2))], [(50.0, 2)]),
        ([(0.0, came(1)), (10.0, came(2))], [(30.0, 2)]),
        ([(0.0, came(1)), (1.0, let_all_go), (10.0, came(1)), (20.0, came(2))], [(1.0, 1), (50.0, 2)]),
        ([(0.0, came(1)), (1.0, let_all_go)], [(1.0, 1)]),
        ([(0.0, came(0, 0))], []),
        ([(0.0, came(1, 1)), (0.1, came(2, 1)), (0.15, came(3, 2))], [(0.2, 2), (30.0, 3)]),
        ([(0.0, came(2, 1)), (0.1, paused)], [(0.1, 1), (1.1, 2)]),
        ([(0.0, came(2, 1)), (0.1, paused), (0.2, paused)], [(0.1, 1), (1.1, 2)]),
        ([(0.0, came(2)), (0.1, paused)], [(1.1, 2)]),
        ([(0.0, came(1)), (0.1, paused), (0.9, came(2)), (1.0, paused)], [(2.0, 2)]),
        ([(0.0, came(1, 1)), (0.1, let_all_go)], [(0.1, 1)]),
    ],
    ids=[
        "age begins with a record, not with a state",
        "and with the oldest",
        "and again after all went",
        "what went is hurried once",
        "nothing is hurried where nothing came",
        "a state waits a fifth of a second, and takes one after it along",
        "and no longer than the input",
        "once",
        "others wait a second",
        "of silence",
        "a state that went is not hurried",
    ],
)
def test_records_stop_waiting_for_a_full_batch(steps: list[tuple[float, Any]], expected: list[tuple[float, int]]) -> None:
    """After half a minute, with their state, or with the end of the input; each is hurried once."""
    assert hurried(Pacing, *steps) == expected


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([(0.0, came(1)), (0.0, paused)], [(0.0, 1)]),
        ([(0.0, came(2)), (0.0, paused)], [(0.02, 2)]),
        ([(0.0, came(1)), (0.0, paused), (5.0, came(2)), (5.0, paused)], [(0.0, 1), (5.0, 2)]),
        ([(0.0, came(2)), (0.0, paused), (5.0, came(4)), (5.0, paused)], [(0.02, 2), (5.02, 4)]),
        ([(0.0, came(1)), (0.0, paused), (5.0, paused)], [(0.0, 1)]),
        ([(0.0, came(5)), (0.05, came(9))], [(0.1, 1), (0.2, 9)]),
        ([(0.0, came(5)), (0.05, paused), (0.06, came(9)), (0.06, paused)], [(0.08, 9)]),
    ],
    ids=["a lone one", "two", "one after the other", "two bursts", "nothing more", "without a pause", "a pause that ends"],
)
def test_events_wait_a_moment_for_others(steps: list[tuple[float, Any]], expected: list[tuple[float, int]]) -> None:
    """A lone event does not wait; several wait until 20 ms after the last of them. No event waits longer than two polls."""
    assert hurried(LivePacing, *steps) == expected


# What is asked for.


@pytest.mark.parametrize(
    ("columns", "options", "wanted"),
    [
        ({}, {}, 0),
        ({"tags": ["New"]}, {}, 1),
        ({"tags_to_remove": ["Old"]}, {}, 1),
        ({}, {"membership_tag": "Member"}, 1),
        ({"tags": None}, {}, 0),
    ],
)
def test_the_tags_of_an_audience_are_asked_for_only_for_records_that_say_something_about_tags(
    columns: Json, options: Json, wanted: int
) -> None:
    """Once, however many do."""
    sync = write(crowd(3), *[record(number, first_name="A", **columns) for number in range(3)], STATE, write_mode="single", **options)

    assert len(asked(sync, "/segments")) == wanted


@pytest.mark.parametrize(
    ("batches", "asks"), [([3], False), ([4], True), ([2, 1], False), ([2, 2], True), ([1, 1, 1], False), ([1, 1, 1, 1], True)]
)
def test_it_is_asked_how_big_an_audience_is_once_that_could_pay(batches: list[int], asks: bool) -> None:
    """From the fourth contact on, those that were already written by calls of their own among them."""
    numbers = iter(range(10))
    messages: list[Any] = [one for size in batches for one in (*[record(next(numbers), first_name="A") for _ in range(size)], 60.0)]

    assert bool(asked(write(crowd(10), *messages, STATE), "/members")) == asks


def test_it_is_asked_how_big_an_audience_is_together_with_what_it_is_like() -> None:
    """Where enough records are already there: nobody waits a second time."""
    sync = write(crowd(10), *[record(number, first_name="A") for number in range(4)], STATE)

    assert asked(sync, "/members")[0] == asked(sync, "")[0]


@pytest.mark.parametrize(("write_mode", "count", "pages"), [("single", 9, 0), ("auto", 9, 2), ("bulk", 1, 2), ("auto", 1, 0)])
def test_a_small_audience_is_read_with_the_pages_that_tell_its_size(write_mode: str, count: int, pages: int) -> None:
    """One for each listing, and none of them twice."""
    world = crowd(10)

    sync = write(world, *[record(number, first_name="A") for number in range(count)], STATE, write_mode=write_mode)

    assert len(asked(sync, "/members")) == pages
    assert [method for _, method, _, _ in sync.writes] == (["POST"] if pages else ["PATCH"] * count)


@pytest.mark.parametrize(("counts", "told"), [([2, 2, 2], ["single", "bulk"]), ([2, 1], ["single"]), ([9, 9], ["bulk"]), ([0], [])])
def test_it_is_told_once_how_contacts_are_written(counts: list[int], told: list[str]) -> None:
    """And once more where that changes; a sync without records says nothing of it."""
    numbers = iter(range(100))
    messages: list[Any] = [one for count in counts for one in (*[record(next(numbers), first_name="A") for _ in range(count)], 30.0)]

    found = logged(write(crowd(40), *messages, STATE), logging.INFO, "write_mode")

    assert ["bulk" if "in bulk" in line else "single" for line in found] == told


def test_a_burst_that_fills_other_fields_is_compared_by_those() -> None:
    """What came first decides what is asked for; what came since is asked for, too, before anything is taken for unchanged."""
    world = crowd(600, latency=1.0, first_name="A")
    for number in range(600):
        world.member(email_of(number)).merge_fields["LNAME"] = "Old"

    async def give(intake: Chunks) -> None:
        intake.add(b"".join(record_line(record(number, first_name="A")) for number in range(10)))
        await asyncio.sleep(2.5)
        intake.add(b"".join(record_line(record(number, last_name="New")) for number in range(300, 310)))
        await asyncio.sleep(100)
        intake.add(b"")

    sync = write(world, give=give)

    assert tally(sync) == {"updated": 10, "unchanged": 10}
    assert sum(world.member(email_of(number)).merge_fields["LNAME"] == "New" for number in range(600)) == 10


@pytest.mark.parametrize(
    ("columns", "options", "wanted"),
    [
        ({}, {}, 0),
        ({"interests": {"Sports/Tennis": True}}, {}, 1),
        ({"tennis": "yes"}, {"field_mapping": [{"column": "tennis", "field": "interests.Sports/Tennis"}]}, 1),
    ],
)
def test_groups_are_asked_for_only_where_they_are_named(columns: Json, options: Json, wanted: int) -> None:
    """By a rule, or by a record; once."""
    properties: Json = {name: {} for name in ("email", "list_id", "first_name", *columns)}

    sync = write(crowd(3), *[record(n, first_name="A", **columns) for n in range(3)], STATE, properties=properties, **options)

    assert len(asked(sync, "/interest-categories")) == wanted


def test_nothing_is_asked_for_where_nothing_waits() -> None:
    """Neither when the input pauses nor at its end, however old the statuses are."""
    sync = write(crowd(3), record(0, first_name="A"), 10.0, STATE, 200.0, STATE, 10.0, write_mode="bulk")

    assert [second for second, _, _, _ in sync.world.calls if second > 5.0] == []


def waiting(*changes: Change, compares: bool = False) -> Backlog:
    """Return a backlog with these changes."""
    found = Backlog(Audience("a", compares=compares), parse_destination_config({**CONFIG, "list_id": "a"}, LOGGER))
    for change in changes:
        found.waiting.add(change)
    return found


def change(number: int, **more: Any) -> Change:
    """Return what is wanted of a contact."""
    return Change(email_of(number), subscriber_hash(email_of(number)), [ENTRY], **more)


def test_what_can_only_be_written_by_calls_of_its_own_is_counted_apart() -> None:
    """Deletions and new email addresses always; what no bulk call can hold, where contacts are not compared first."""
    changes = [
        change(1),
        change(2),
        change(3, kind="archive"),
        change(4, kind="unsubscribe"),
        change(5, previous_id="x"),
        change(6, body={"marketing_permissions": []}),
        change(7, body={"marketing_permissions": []}),
    ]

    assert (waiting(*changes).apart(), waiting(*changes, compares=True).apart()) == (5, 3)


def test_what_arrived_and_what_waits_are_counted_together_with_what_was_written() -> None:
    """A backlog is empty only without any of what is to be written."""
    found = waiting(change(1), change(2))
    assert (found.contacts(), found.is_empty) == (2, False)
    found.arrived.append(Arrival(ENTRY, MappedContact({"email": "a"})))
    assert (found.contacts(), found.is_empty) == (3, False)
    found.written_singly = 4
    assert found.contacts() == 7

    empty = waiting()
    assert (empty.contacts(), empty.is_empty) == (0, True)
    empty.arrived.append(Arrival(ENTRY, MappedContact({"email": "a"})))
    assert (empty.is_empty, len(empty.take_arrived()), empty.is_empty) == (False, 1, True)


# What becomes of a record.


def test_of_several_records_of_a_new_contact_the_first_creates_it() -> None:
    """The others update it; each has its outcome."""
    assert tally(write(crowd(0), record(1), record(1, first_name="A"), record(1, first_name="B"), STATE)) == {"created": 1, "updated": 2}


def test_what_was_left_out_of_several_records_is_counted_once() -> None:
    """And only of what was written."""
    properties: Json = {name: {} for name in ("email", "list_id", "first_name", "birthday", "is_deleted")}
    records = [record(0, first_name="A", birthday="never"), record(0, first_name="B"), record(91, birthday="never")]

    sync = write(
        crowd(1), *records, STATE, properties=properties, invalid_values="leave_out", write_policy="update_only"
    )  # fmt: skip

    assert tally(sync) == {"updated": 2, "skipped": 1}
    found = logged(sync, logging.INFO, "Stream people: ")[-1]
    assert Counter(re.findall(r"(\d+) written without", found)) in ({"1": 1}, {})


def test_an_archived_contact_that_is_unchanged_is_noted_as_staying_archived() -> None:
    """As one that is updated would be."""
    world = Mailchimp(*[person(number, "archived" if number < 2 else "subscribed", first_name="Old") for number in range(6)])

    sync = write(world, *[record(number, first_name="Old") for number in range(6)], STATE, write_mode="bulk")

    assert tally(sync) == {"unchanged": 6}
    assert re.findall(r"(\d+) stay archived", logged(sync, logging.INFO, "Stream people: ")[-1]) == ["2"]


def test_contacts_whose_bulk_call_fails_for_a_quarter_of_an_hour_go_by_calls_of_their_own() -> None:
    """Until then it is tried again with fresh statuses; nobody is lost."""
    world = crowd(3)
    world.state.faults.set([{"kind": "503", "method": "POST", "path": f"/lists/{LIST}$"}], 1)

    sync = write(world, *[record(number, first_name="A") for number in range(3)], STATE, write_mode="bulk")

    assert (sync.error, set(world.values().values())) == (None, {"A"})
    first = min(second for second, method, _, _ in sync.writes if method == "PATCH")
    assert QUARTER <= first <= QUARTER + 200
