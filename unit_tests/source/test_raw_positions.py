"""What a state knows of the partitions of a raw stream, and which records are new to it."""

from __future__ import annotations

from typing import Any

import pytest

from integration_tests.raw.account import moment
from mailchimp_unified.entities.readable import Readable
from mailchimp_unified.errors import ConfigError
from source_mailchimp_unified.raw.positions import PartitionPosition, Positions
from source_mailchimp_unified.raw.reading import Reading
from source_mailchimp_unified.raw.records import times_of
from source_mailchimp_unified.raw.schemas import stream_schema
from source_mailchimp_unified.raw_collections import table
from source_mailchimp_unified.sync.fingerprints import packed

STREAM = "mailchimp_list_members"
MOST = 20_000
Json = dict[str, Any]


def versions(number: int, first: int = 0) -> list[bytes]:
    """Return so many fingerprints."""
    return [n.to_bytes(6, "big") for n in range(first, first + number)]


def filled(number: int, first: int = 0) -> PartitionPosition:
    """Return a position in which so many versions are noted."""
    position = PartitionPosition()
    for version in versions(number, first):
        position.note(version, None)
    return position


def known(positions: Positions, key: str) -> int:
    """Return how many versions are known of a partition."""
    return len(positions.open([key], None, 0).known)


@pytest.mark.parametrize(
    "part", [{"cursors": {'["a"]': moment(1)}}, {"seen": {'["a"]': packed(versions(1))}}, {"parents": {'["a"]': "x-1"}}]
)
def test_what_is_known_in_any_way_is_not_empty(part: Json) -> None:
    """A cursor, a version or the mark of a parent. With cursors alone it is of the released version."""
    positions = Positions(STREAM, part)

    assert not positions.empty
    assert positions.of_cursors_only == ("cursors" in part)
    assert positions.state() == {"cursors": {}, **part}


@pytest.mark.parametrize("more", [{"seen": {'["b"]': packed(versions(1))}}, {"parents": {'["b"]': "x-1"}}])
def test_what_has_more_than_cursors_is_not_of_the_released_version(more: Json) -> None:
    """Neither is what knows nothing."""
    assert not Positions(STREAM, {"cursors": {'["a"]': moment(1)}, **more}).of_cursors_only
    assert not Positions(STREAM, {}).of_cursors_only


def test_a_state_has_its_cursors_always_and_the_rest_where_there_is_some() -> None:
    """So that the next sync knows it for one of ours; the start date that it holds for is part of it."""
    assert Positions(STREAM, {}).state() == {"cursors": {}}
    dated = {"cursors": {}, "start_date": moment(5)}
    assert Positions(STREAM, dated).state() == dated


@pytest.mark.parametrize(("second", "counts"), [(999, True), (1_000, True), (1_001, False)])
def test_a_cursor_counts_up_to_the_horizon(second: int, counts: bool) -> None:
    """One beyond it is that of a clock that was wrong."""
    positions = Positions(STREAM, {"cursors": {'["a"]': moment(second)}})
    position = positions.open(["a"], 600, 1_000)

    assert (position.cursor, position.newest) == ((second, second) if counts else (None, None))
    assert positions.in_the_future == (not counts)
    assert (positions.open(["b"], 600, 1_000).cursor, positions.in_the_future) == (None, not counts)


def test_a_partition_without_a_lookback_leaves_no_cursor() -> None:
    """Its times say nothing about what is new."""
    positions = Positions(STREAM, {})
    for lookback in (None, 600):
        position = positions.open([str(lookback)], lookback, 1_000)
        position.see(500, 1_000)
        positions.close([str(lookback)], position, None)

    assert positions.state()["cursors"] == {'["600"]': moment(500)}


@pytest.mark.parametrize(("seconds", "cursor"), [([0], 0), ([-7], 0), ([5, 3], 5), ([3, 2_000], 1_000)])
def test_a_cursor_is_the_newest_second_up_to_the_limit(seconds: list[int], cursor: int) -> None:
    """And none before 1970."""
    position = PartitionPosition(lookback=600)
    for second in seconds:
        position.see(second, 1_000)

    assert position.newest == cursor


def test_what_is_too_old_makes_room_when_there_is_none() -> None:
    """Versions that have left the lookback need not be known: they go when a newer one wants their place, and not before."""
    position = PartitionPosition(lookback=10)
    position.see(100, 10_000)
    for version in versions(MOST):
        position.note(version, 100)
    held = position.seen

    position.note(*versions(1, MOST), 100)
    full = position.seen
    position.note(*versions(1, MOST + 1), 100)
    # Nothing is newer, so nothing is looked through again.
    assert position.seen is full
    assert (len(held), position.beyond) == (MOST, 2)
    position.see(1_000, 10_000)
    position.note(*versions(1, MOST + 2), 1_000)
    assert (len(position.seen), position.beyond) == (1, 2)


def test_everything_is_kept_until_something_newer_was_seen() -> None:
    """And what has no time, and all of a partition without a lookback."""
    position = PartitionPosition(lookback=10)
    assert position.keeps(5)
    position.see(100, 10_000)

    assert [position.keeps(second) for second in (5, 90, 91, 100, None)] == [False, False, True, True, True]
    assert PartitionPosition(newest=100).keeps(5)


@pytest.mark.parametrize("part", ["cursors", "seen", "parents"])
@pytest.mark.parametrize("key", ["a", '"a"', "{}", "1"])
def test_a_key_that_is_none_of_ours_is_a_config_error(part: str, key: str) -> None:
    """In each part of a state: a partition that is not understood would be read again without a word."""
    with pytest.raises(ConfigError):
        Positions(STREAM, {part: {key: moment(1)}})


def test_nothing_is_looked_through_while_there_is_room() -> None:
    """It would cost more than it saves."""
    position = PartitionPosition(lookback=10)
    for second in (100, 200, 300):
        position.see(second, 10_000)
        position.note(second.to_bytes(6, "big"), second)

    assert len(position.seen) == 3
    assert position.kept() == [(300).to_bytes(6, "big")]


@pytest.mark.parametrize(("held", "kept"), [(MOST - 1, 1), (MOST, 0), (MOST + 5, 0)])
def test_what_is_known_of_other_partitions_takes_room(held: int, kept: int) -> None:
    """A state that holds too many already takes no more; what it does not take is counted."""
    positions = Positions(STREAM, {"seen": {'["a"]': packed(versions(held))}})
    positions.close(["b"], filled(10, 1 << 20), None)

    assert (known(positions, "b"), positions.forgotten) == (kept, 10 - kept)
    assert known(positions, "a") == held


def test_a_partition_that_is_read_again_gives_its_room_back() -> None:
    """What was known of it is replaced."""
    positions = Positions(STREAM, {"seen": {'["a"]': packed(versions(MOST))}})
    positions.close(["a"], filled(3), None)
    positions.close(["b"], filled(MOST, 1 << 20), None)

    assert (known(positions, "a"), known(positions, "b"), positions.forgotten) == (3, MOST - 3, 3)


def test_partitions_that_were_neither_read_nor_kept_are_forgotten() -> None:
    """With all that is known of them, and with the room that it takes."""
    keys = [f'["{key}"]' for key in "abc"]
    positions = Positions(
        STREAM,
        {
            "cursors": dict.fromkeys(keys, moment(1)),
            "seen": {keys[0]: packed(versions(1)), keys[1]: packed(versions(1)), keys[2]: packed(versions(MOST - 2))},
            "parents": dict.fromkeys(keys, "x-1"),
        },
    )
    positions.close(["a"], filled(1), "y-2")
    positions.keep(["b"])
    positions.forget_unvisited()

    state = positions.state()
    assert [sorted(state[part]) for part in ("cursors", "seen", "parents")] == [keys[:2]] * 3
    assert [positions.parent([key]) for key in "abc"] == ["y-2", "x-1", None]
    positions.close(["d"], filled(MOST, 1 << 20), None)
    assert known(positions, "d") == MOST - 2


def test_a_partition_with_something_left_loses_the_mark_of_its_parent() -> None:
    """So that the next sync enters it."""
    positions = Positions(STREAM, {"parents": {'["a"]': "x-1"}})
    positions.close(["a"], PartitionPosition(), None)

    assert positions.parent(["a"]) is None


def test_states_of_many_partitions_come_when_a_fiftieth_was_read() -> None:
    """From the first one on."""
    positions = Positions(STREAM, {"cursors": {f'["{number}"]': moment(1) for number in range(150)}})

    assert [positions.close([str(number)], PartitionPosition(), None) for number in range(7)] == [
        False,
        False,
        True,
        False,
        False,
        True,
        False,
    ]


def member(second: int | None, **more: Any) -> Json:
    """Return a contact that changed in a second."""
    return {"id": "m", "last_changed": None if second is None else moment(second), **more}


def reading(
    position: PartitionPosition, *, after: int | None = None, name: str = "list_members", list_ids: tuple[str, ...] = ()
) -> Reading:
    """Return the reading of a partition."""
    row = table()[name]
    values = ("a",) if row.parent else ()
    return Reading(row, values, position, after, 100_000, times_of(stream_schema(row)), list_ids)


def emitted(made: Reading, *items: Any, remember: bool = True) -> list[Json]:
    """Return the records of a page that are emitted."""
    return [
        one.record if isinstance(one, Readable) else one
        for one in made.records([dict(i) if type(i) is dict else i for i in items], remember=remember)
    ]


@pytest.mark.parametrize(("second", "new"), [(99, False), (100, False), (101, True), (None, True)])
def test_only_what_is_newer_than_the_second_to_begin_after_is_emitted(second: int | None, new: bool) -> None:
    """What has no time may be new."""
    for remember in (True, False):
        assert bool(emitted(reading(PartitionPosition(lookback=600), after=100), member(second), remember=remember)) == new
        assert emitted(reading(PartitionPosition(lookback=600)), member(second), remember=remember)


def test_a_first_reading_emits_everything_and_notes_its_last_seconds() -> None:
    """In any order of times: what is older than the lookback is emitted without being noted."""
    position = PartitionPosition(lookback=600)

    assert len(emitted(reading(position), member(5_000), member(4_400), member(4_401), member(1), member(None))) == 5
    assert len(position.kept()) == 3
    assert position.newest == 5_000


def known_after(lookback: int | None, *items: Json, name: str = "list_members") -> frozenset[bytes]:
    """Return the versions that a first reading of some items notes."""
    position = PartitionPosition(lookback=lookback)
    emitted(reading(position, name=name), *items)
    return frozenset(position.kept())


def test_what_was_emitted_is_not_emitted_again_and_what_changed_is() -> None:
    """Within the lookback, and also before it where the state knows the version."""
    versions_ = known_after(None, member(4_000), member(4_900), member(5_000))
    again = reading(PartitionPosition(cursor=5_000, known=versions_, lookback=600))

    found = emitted(again, member(4_000), member(4_900), member(4_900, note="changed"), member(5_000), member(5_001))

    assert [(one["last_changed"], one.get("note")) for one in found] == [(moment(4_900), "changed"), (moment(5_001), None)]
    assert emitted(reading(PartitionPosition(cursor=5_000, lookback=600)), member(4_000)) != []


def test_what_is_newer_than_the_cursor_and_older_than_the_lookback_is_emitted() -> None:
    """It came meanwhile, and so did something much newer, which is all that has to be known."""
    position = PartitionPosition(cursor=1_000, known=known_after(600, member(1_000)), lookback=600)

    found = emitted(reading(position), member(5_000), member(2_000), member(1_000))

    assert [one["last_changed"] for one in found] == [moment(5_000), moment(2_000)]
    assert len(position.kept()) == 1
    # What is known was looked for although it is old.
    assert len(position.seen) == 2


def test_a_row_that_follows_its_parent_notes_nothing() -> None:
    """Its parent says what is new, and then all of it comes."""
    position = PartitionPosition()
    recipient = {"email_id": "e", "last_open": moment(100)}

    assert len(emitted(reading(position, name="report_sent_to"), recipient, recipient)) == 2
    assert (position.seen, position.newest) == ({}, None)


def test_a_full_reading_notes_nothing() -> None:
    """No sync continues from it."""
    position = PartitionPosition(lookback=600)

    assert len(emitted(reading(position), member(5), member(5), remember=False)) == 2
    assert (position.seen, position.newest) == ({}, None)


def test_what_is_odd_is_counted_and_left_out() -> None:
    """Items that are no objects, entries that are none, and lists of entries that are none."""
    made = reading(PartitionPosition(), name="email_activity")
    found = emitted(
        made, "odd", None, {"activity": [{"action": "open"}, 7, "x"]}, {"activity": "soon"}, {"activity": None}, {"email_id": "e"}
    )

    assert [one["action"] for one in found] == ["open"]
    assert made.odd == 2 + 2 + 1
    plain = reading(PartitionPosition())
    emitted(plain, member(1), [], member(2))
    assert plain.odd == 1


def test_records_that_lack_a_part_of_their_key_are_counted_when_they_are_emitted() -> None:
    """Not those that were emitted before or are too old."""
    made = reading(PartitionPosition(), after=100)

    emitted(made, {"last_changed": moment(50)}, {"last_changed": moment(200)}, member(300), {"id": None, "last_changed": moment(400)})

    assert made.keyless == 2


@pytest.mark.parametrize(
    ("name", "chosen", "found"), [("lists", ("b",), ["b"]), ("lists", (), ["a", "b"]), ("campaigns", ("b",), ["a", "b"])]
)
def test_chosen_audiences_choose_among_audiences_only(name: str, chosen: tuple[str, ...], found: list[str]) -> None:
    """Other collections may have ids of the same form."""
    assert [one["id"] for one in emitted(reading(PartitionPosition(), name=name, list_ids=chosen), {"id": "a"}, {"id": "b"})] == found


def test_a_record_comes_with_the_names_of_what_could_not_be_read() -> None:
    """Plainly, where there is nothing of that kind."""
    plain, odd = reading(PartitionPosition()).records([member(5), {"id": "n", "last_changed": "soon"}], remember=True)

    assert type(plain) is dict
    assert isinstance(odd, Readable)
    assert (odd.record["last_changed"], odd.nulled) == (None, ["last_changed"])


@pytest.mark.parametrize("values", [(), ("a", "b")])
def test_a_reading_has_a_key_for_each_parent(values: tuple[str, ...]) -> None:
    """Neither fewer nor more: the records would carry that of something else."""
    with pytest.raises(ValueError, match="argument"):
        Reading(table()["list_members"], values, PartitionPosition(), None, 0, {})
