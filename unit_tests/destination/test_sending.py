"""What becomes of a contact, by each route and from each status, against the emulator's rules."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.intake.arrivals import Entry
from destination_mailchimp_unified.settling.ledger import Ledger
from destination_mailchimp_unified.settling.outcomes import CREATED
from unit_tests.destination.writing import STATE, Mailchimp, Sync, person, record, write

STATUSES = ("subscribed", "unsubscribed", "cleaned", "pending", "transactional", "archived")
OPT_OUTS = ("unsubscribed", "cleaned", "transactional")
ROUTES = ("single", "bulk")
NEW = 90


def everybody() -> Mailchimp:
    """An audience with one contact of each status, in the order of STATUSES."""
    return Mailchimp(*[person(number, status, first_name="Old") for number, status in enumerate(STATUSES)])


def ends(world: Mailchimp, *numbers: int) -> dict[int, tuple[str, str] | None]:
    """Return status and first name of contacts by number, None for one who is not there."""
    known = {email: (status, world.values()[email]) for email, status in world.statuses().items()}
    return {number: known.get(f"p{number}@contacts.example") for number in numbers}


def moved(now: str, wanted: str, apply_status: str, on_compliance_state: str) -> str:
    """Return the status after a record that asks for another, as docs/destination.md says it."""
    held = now in ("unsubscribed", "cleaned")
    if wanted == "archived":
        # Mailchimp archives nobody who is cleaned or pending.
        return now if apply_status == "never" or now in ("cleaned", "pending") else "archived"
    if apply_status == "always":
        if wanted == "subscribed" and now == "pending":
            return now
        if wanted == "subscribed" and held:
            return "pending" if on_compliance_state == "pending" else now
        return wanted
    leaves = now in ("subscribed", "pending") or (now, wanted) == ("transactional", "unsubscribed")
    return wanted if apply_status == "opt_outs" and wanted in OPT_OUTS and leaves else now


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    ("apply_status", "on_compliance_state"), [("never", "reject"), ("opt_outs", "reject"), ("always", "reject"), ("always", "pending")]
)
@pytest.mark.parametrize("wanted", STATUSES)
def test_a_status_is_applied_as_the_configuration_says(wanted: str, apply_status: str, on_compliance_state: str, route: str) -> None:
    """From each status to each, by both routes: and the fields are written unless the record archives."""
    world = everybody()
    records = [record(number, first_name="New", status=wanted) for number in range(len(STATUSES))]

    sync = write(world, *records, STATE, write_mode=route, apply_status=apply_status, on_compliance_state=on_compliance_state)

    name = "Old" if wanted == "archived" and apply_status != "never" else "New"
    expected = {number: (moved(now, wanted, apply_status, on_compliance_state), name) for number, now in enumerate(STATUSES)}
    assert ends(world, *expected) == expected
    refused = apply_status == "always" and wanted == "subscribed" and on_compliance_state == "reject"
    assert sync.counts == ((4, 2) if refused else (6, 0))


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("mode", ["append", "update"])
@pytest.mark.parametrize("double_optin", [False, True])
@pytest.mark.parametrize(
    ("columns", "status"),
    [
        ({}, "subscribed"),
        ({"status": "unsubscribed"}, "unsubscribed"),
        ({"status": "pending"}, "pending"),
        ({"status": "cleaned"}, None),
        ({"status_if_new": "unsubscribed"}, "unsubscribed"),
        ({"status": "subscribed", "status_if_new": "pending"}, "pending"),
    ],
)
def test_a_new_contact_gets_the_status_for_new_ones(
    columns: dict[str, str], status: str | None, double_optin: bool, mode: str, route: str
) -> None:
    """Of the record, or what the audience wants; asked first on double opt-in; and nobody where only updates are wanted."""
    world = everybody()
    world.state.account.audiences["abc1234567"].settings["double_optin"] = double_optin

    assert write(world, record(NEW, **columns), STATE, mode=mode, write_mode=route).error is None

    status = "pending" if status == "subscribed" and double_optin else status
    expected = None if status is None or mode == "update" else (status, "")
    assert ends(world, NEW) == {NEW: expected}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    ("on_delete", "expected"),
    [
        ("archive", ("archived", "unsubscribed to archived", "cleaned", "pending", "archived", "archived")),
        ("unsubscribe", ("unsubscribed", "unsubscribed", "cleaned", "unsubscribed", "transactional", "archived")),
        ("ignore", STATUSES),
    ],
)
def test_a_deleted_row_takes_its_contact_out_as_the_configuration_says(on_delete: str, expected: tuple[str, ...], route: str) -> None:
    """Contacts that can be archived or unsubscribed are; one who is not there is not created."""
    world = everybody()

    sync = write(world, *[record(n, is_deleted=True) for n in (*range(6), NEW)], STATE, write_mode=route, on_delete=on_delete)

    assert {n: found[0] for n, found in ends(world, *range(6)).items() if found} == {
        n: one.rpartition(" ")[2] for n, one in enumerate(expected)
    }
    assert ends(world, NEW) == {NEW: None}
    assert sync.counts == (7, 0)


def test_a_contact_that_comes_back_is_not_taken_out() -> None:
    """A later record of the same contact makes the deletion void: it keeps the status it has, and is written once."""
    world = everybody()

    sync = write(world, record(0, is_deleted=True), record(0, first_name="Back"), STATE)

    assert ends(world, 0) == {0: ("subscribed", "Back")}
    assert sync.counts == (2, 0)
    assert [method for _, method, _, _ in sync.writes] == ["PATCH"]


@pytest.mark.parametrize("route", ROUTES)
def test_several_records_of_a_contact_are_written_as_one(route: str) -> None:
    """The last value of each field counts."""
    world = everybody()

    sync = write(world, record(0, first_name="A", last_name="L"), record(0, first_name="B"), STATE, write_mode=route)

    assert world.member("p0@contacts.example").merge_fields == {"FNAME": "B", "LNAME": "L"}
    assert len(sync.writes) == 1
    assert sync.counts == (2, 0)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("there", [False, True])
def test_a_new_email_address_moves_the_contact(there: bool, route: str) -> None:
    """Under its old one it is found and keeps what it has; where somebody has the new one already, nothing is lost and it is rejected."""
    world = everybody()
    columns = record(1 if there else NEW, previous_email="p0@contacts.example", first_name="Moved")

    sync = write(world, columns, STATE, write_mode=route)

    if there:
        assert sync.counts == (0, 1)
        assert ends(world, 0, 1) == {0: ("subscribed", "Old"), 1: ("unsubscribed", "Old")}
    else:
        assert ends(world, 0, NEW) == {0: None, NEW: ("subscribed", "Moved")}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("suppress", [False, True])
def test_tags_are_added_and_taken_away_one_by_one(suppress: bool, route: str) -> None:
    """Of new contacts and of those who are there; other tags stay."""
    world = Mailchimp(*[person(n, tags=("Stays", "Goes")) for n in range(3)])
    records = [record(n, tags=["Comes"], tags_to_remove=["Goes"]) for n in (0, 1, 2, NEW)]

    assert write(world, *records, STATE, write_mode=route, suppress_automations=suppress).counts == (4, 0)

    audience = world.state.account.audiences["abc1234567"]
    tags = {one.email: {audience.segments[tag].name for tag in one.tags} for one in audience.members.values()}
    assert tags == {**{f"p{n}@contacts.example": {"Stays", "Comes"} for n in range(3)}, f"p{NEW}@contacts.example": {"Comes"}}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    ("policy", "first_names", "there"), [("update_only", {"New"}, False), ("create_only", {"Old"}, True), ("upsert", {"New"}, True)]
)
def test_a_write_policy_holds_for_both_routes(policy: str, first_names: set[str], there: bool, route: str) -> None:
    """update_only creates nobody, create_only touches nobody who is there, archived ones included."""
    world = everybody()

    write(world, *[record(n, first_name="New") for n in (*range(6), NEW)], STATE, write_mode=route, write_policy=policy)

    assert {found[1] for found in ends(world, *range(6)).values() if found} == first_names
    assert (ends(world, NEW)[NEW] is not None) == there


# What is kept of each record.


def kept(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a file of rejected records."""
    return [orjson.loads(line) for line in path.read_text().splitlines()]


def test_a_reject_is_kept_with_the_number_of_its_row(tmp_path: Path) -> None:
    """Counted from 1 among the records of its stream, states not among them."""
    path = tmp_path / "rejects.jsonl"
    messages = [record(0), record(1, email="nobody"), STATE, record(2, email="nobody either"), STATE]

    write(everybody(), *messages, rejected_records="file", rejected_records_file=str(path))

    assert [(one["number"], one["field"], one["record"]["email"]) for one in kept(path)] == [
        (2, "email", "nobody"),
        (3, "email", "nobody either"),
    ]


def rehearsed(tmp_path: Path, world: Mailchimp, *records: Any, **options: Any) -> tuple[Sync, list[dict[str, Any]]]:
    """Return what a dry run keeps."""
    path = tmp_path / "planned.jsonl"
    sync = write(world, *records, STATE, dry_run=True, rejected_records="file", rejected_records_file=str(path), **options)
    return sync, kept(path)


@pytest.mark.parametrize("route", ROUTES)
def test_a_dry_run_writes_nothing_and_tells_every_outcome(tmp_path: Path, route: str) -> None:
    """As the write would have it."""
    records = [
        record(0, first_name="New"),
        record(NEW),
        record(3, is_deleted=True),
        record(5, is_deleted=True),
        record(91, is_deleted=True),
    ]

    sync, lines = rehearsed(tmp_path, everybody(), *records, write_mode=route)

    assert sync.writes == []
    assert Counter(one["outcome"] for one in lines) == {"updated": 2, "created": 1, "unchanged": 1, "skipped": 1}


def test_a_dry_run_tells_old_and_new_of_what_differs(tmp_path: Path) -> None:
    """And nothing of what stays as it is."""
    world = everybody()
    world.member("p0@contacts.example").merge_fields["LNAME"] = "Same"
    records = [
        record(0, first_name="New", last_name="Same", status="unsubscribed", tags=["Comes"]),
        record(NEW, first_name="New"),
        record(1, is_deleted=True),
    ]

    _, lines = rehearsed(tmp_path, world, *records, apply_status="always")

    assert [one["changes"] for one in sorted(lines, key=lambda line: int(line["number"]))] == [
        {
            "merge_fields.FNAME": {"old": "Old", "new": "New"},
            "status": {"old": "subscribed", "new": "unsubscribed"},
            "tags": {"old": [], "new": ["Comes"]},
        },
        {"merge_fields.FNAME": {"old": None, "new": "New"}, "status": {"old": None, "new": "subscribed"}},
        {"status": {"old": "unsubscribed", "new": "archived"}},
    ]


@pytest.mark.parametrize(("number", "created"), [(20, 20), (21, 0)])
def test_twenty_missing_merge_fields_are_created_and_hidden_from_forms(number: int, created: int) -> None:
    """Where the configuration asks for it. More are a mistake in the mapping rather than a wish: nothing is written."""
    columns = {f"c{n}": "x" for n in range(number)}
    rules = [{"column": name, "field": f"custom_fields.{name.upper()}"} for name in columns]
    options: dict[str, Any] = {"field_mapping": rules, "create_missing_merge_fields": True}

    sync = write(everybody(), record(0, **columns), STATE, properties={"email": {}, **{name: {} for name in columns}}, **options)

    bodies = [body for _, _, path, body in sync.writes if path == "/merge-fields"]
    assert len(bodies) == created
    assert {body["public"] for body in bodies} <= {False}
    assert sync.counts == ((1, 0) if created else (0, 0))


@pytest.mark.parametrize(("wanted", "methods"), [("unsubscribed", ["PATCH"]), ("cleaned", ["PATCH"]), ("transactional", ["PATCH", "PUT"])])
def test_an_opt_out_goes_with_the_fields_where_mailchimp_takes_it_so(wanted: str, methods: list[str]) -> None:
    """In the same call, so that nobody stays subscribed in between; PATCH takes no `transactional`."""
    world = everybody()

    sync = write(world, record(0, first_name="New", status=wanted), STATE, write_mode="single", apply_status="always")

    assert [method for _, method, _, _ in sync.writes] == methods
    assert ("status" in sync.writes[0][3]) == (len(methods) == 1)
    assert ends(world, 0) == {0: (wanted, "New")}


@pytest.mark.parametrize("route", ROUTES)
def test_who_is_archived_and_under_compliance_is_asked_again(route: str) -> None:
    """Mailchimp takes no PATCH for the archived: to be pending they are put."""
    world = Mailchimp(person(0, "archived"), compliance_survives_archive=True)
    world.member("p0@contacts.example").compliance = "self"

    sync = write(world, record(0, status="subscribed"), STATE, write_mode=route, apply_status="always", on_compliance_state="pending")

    assert (sync.counts, world.statuses()) == ((1, 0), {"p0@contacts.example": "pending"})


@pytest.mark.parametrize("suppress", [False, True])
@pytest.mark.parametrize("tags", [None, ["Comes"]])
def test_tags_go_with_a_new_contact_only_where_there_are_some(tags: list[str] | None, suppress: bool) -> None:
    """With the call that creates it, unless no automation may begin: then by a call that says so."""
    sync = write(everybody(), record(NEW, tags=tags), STATE, write_mode="single", suppress_automations=suppress)

    bodies = [body for _, method, _, body in sync.writes if method == "PUT"]
    assert [body.get("tags") for body in bodies] == [tags if tags and not suppress else None]
    syncing = [body.get("is_syncing") for _, method, _, body in sync.writes if method == "POST"]
    assert syncing == ([True] if tags and suppress else [])


def test_the_id_of_a_tag_is_learned_once() -> None:
    """A tag that a record named first has none until Mailchimp tells it; from then on it keeps it, and its spelling."""
    audience = Audience("a", tags={})
    audience.spelled("VIP")
    assert audience.tag_id("vip") is None

    audience.note_tags([{"name": "Vip", "id": 7}])
    audience.note_tags([{"name": "vIP", "id": 8}])

    assert (audience.tag_id("VIP"), audience.spelled("vip")) == (7, "Vip")


def test_nothing_is_in_memory_before_and_after_a_record() -> None:
    """What limits the input counts the bytes of open records exactly."""
    ledger = Ledger()
    sizes = [ledger.open_bytes]
    entry = Entry((None, "s"), ledger.admit(100), 1, size=100)
    sizes.append(ledger.open_bytes)
    ledger.settle(entry, CREATED)

    assert [*sizes, ledger.open_bytes] == [0, 100, 0]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(("invalid_values", "counts", "first_name"), [("reject", (0, 1), "Old"), ("leave_out", (1, 0), "New")])
def test_a_value_that_cannot_be_read_rejects_its_record_or_is_left_out(
    invalid_values: str, counts: tuple[int, int], first_name: str, route: str
) -> None:
    """As the configuration says: the record is a reject, or is written without the field."""
    world = everybody()

    sync = write(world, record(0, first_name="New", vip="perhaps"), STATE, write_mode=route, invalid_values=invalid_values)

    assert (sync.counts, ends(world, 0)) == (counts, {0: ("subscribed", first_name)})
