"""One contact at a time: which calls are made, one after another, and what is made of each answer."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.statuses import Statuses
from destination_mailchimp_unified.intake.arrivals import Entry
from destination_mailchimp_unified.planning.changes import Change
from destination_mailchimp_unified.planning.tags import Tagging
from destination_mailchimp_unified.sending.single import carry_out
from destination_mailchimp_unified.settling.outcomes import (
    ALREADY_THERE,
    COMPLIANCE_STATE,
    CREATED,
    INCOMPLETE_ADDRESS,
    MEMBER_EXISTS,
    NO_AUDIENCE,
    NOT_ALLOWED,
    NOT_ARCHIVED,
    NOT_CREATED,
    NOT_THERE,
    TWO_CONTACTS,
    UNCHANGED,
    UPDATED,
    VANISHED,
    Outcome,
)
from integration_tests.simulation.clock import run
from mailchimp_unified.entities.merge_field import merge_field_of
from mailchimp_unified.identity import subscriber_hash
from mailchimp_unified.transport import Received
from unit_tests.destination.asking import LIST, Steps, missing, refused, scope_of
from unit_tests.kernel.conftest import answer

Json = dict[str, Any]

EMAIL, OLD_EMAIL = "ada@x.org", "old@x.org"
ME, OLD = subscriber_hash(EMAIL), subscriber_hash(OLD_EMAIL)
BEGAN, EARLIER = "2026-11-25T12:00:00+00:00", "2026-11-25T11:59:59+00:00"
FIELDS = {"merge_fields": {"FNAME": "Ada"}}
TAGS = Tagging({"vip": ("VIP", True)})


def is_now(status: str, changed: str = BEGAN, **more: Any) -> Received:
    """The answer that shows the contact with a status, and without tags unless they are given."""
    return answer({"id": ME, "email_address": EMAIL, "status": status, "last_changed": changed, "tags": [], "tags_count": 0, **more})


GONE = missing()
TAKES_NO_PATCH = answer({"type": "t", "title": NOT_ALLOWED, "status": 405, "detail": "", "instance": "i"}, 405)
HELD = refused(title=COMPLIANCE_STATE)
EXISTS = refused(title=MEMBER_EXISTS)
REFUSED = refused("no")
ASKS_FOR_STATUS = refused("status_if_new is required")
ASKS_FOR_STATUS_BY_FIELD = refused(errors=[{"field": "status_if_new", "message": "required"}])
DONE = answer(b"", 204)


def change(**more: Any) -> Change:
    """What is wanted of the contact."""
    return Change(EMAIL, ME, [Entry((None, "s"), 0, 1)], **{"body": {"email_address": EMAIL, **FIELDS}, **more})


class Told(NamedTuple):
    """What became of a change: its outcome, the calls, and the audience."""

    outcome: Outcome
    steps: Steps
    audience: Audience

    @property
    def bodies(self) -> list[Any]:
        """The bodies of the calls that write."""
        return [body for method, _, body in self.steps.calls if method != "GET"]


def told(wanted: Change, *answers: Received, audience: Audience | None = None, **options: Any) -> Told:
    """Carry out a change while Mailchimp answers so; every answer is asked for."""
    steps, found = Steps(*answers), audience or Audience(LIST, began=BEGAN, tags={})
    outcome = run(carry_out(wanted, scope_of(steps, found, **options)))
    assert steps.answers == []
    return Told(outcome, steps, found)


def knows(**statuses: str) -> Audience:
    """An audience of which all statuses are known: those of the contact (`me`) and of its old email address (`old`)."""
    table = Statuses()
    for name, status in statuses.items():
        table.put({"me": ME, "old": OLD}[name], status)
    return Audience(LIST, began=BEGAN, tags={}, statuses=table, listed_whole=True)


# Taking out.


@pytest.mark.parametrize(
    ("answers", "outcome"), [([DONE], UPDATED), ([GONE], NOT_THERE), ([TAKES_NO_PATCH], NOT_ARCHIVED)], ids=["there", "gone", "archived"]
)
def test_archiving_is_one_call(answers: list[Received], outcome: Outcome) -> None:
    """However it ends, the contact does not count as subscribed any more."""
    found = told(change(kind="archive"), *answers, audience=knows(me="subscribed"))

    assert (found.outcome, found.steps.calls) == (outcome, [("DELETE", f"/members/{ME}", None)])
    assert found.audience.status_of(ME) == "archived"


@pytest.mark.parametrize("kind", ["archive", "unsubscribe"])
def test_a_refusal_to_take_somebody_out_is_a_reject(kind: str) -> None:
    """Any that says something else than that the contact is archived."""
    answers = [REFUSED] if kind == "archive" else [is_now("subscribed"), REFUSED]
    assert told(change(kind=kind), *answers).outcome.kind == "rejected"


@pytest.mark.parametrize(
    ("answers", "outcome", "methods"),
    [
        ([is_now("subscribed"), is_now("unsubscribed")], UPDATED, "GET PATCH"),
        ([is_now("pending"), is_now("unsubscribed")], UPDATED, "GET PATCH"),
        ([is_now("unsubscribed")], UNCHANGED, "GET"),
        ([is_now("cleaned")], UNCHANGED, "GET"),
        ([GONE], NOT_THERE, "GET"),
        ([is_now("subscribed"), GONE], NOT_THERE, "GET PATCH"),
        ([is_now("subscribed"), TAKES_NO_PATCH], UNCHANGED, "GET PATCH"),
    ],
)
def test_only_who_can_get_mail_is_unsubscribed(answers: list[Received], outcome: Outcome, methods: str) -> None:
    """Mailchimp says who that is."""
    found = told(change(kind="unsubscribe"), *answers, audience=knows(me="subscribed"))

    assert (found.outcome, found.steps.methods) == (outcome, methods)
    assert found.bodies in ([], [{"status": "unsubscribed"}])
    assert found.audience.status_of(ME) == "unsubscribed"


# Updating and creating.


@pytest.mark.parametrize(("changed", "outcome"), [(BEGAN, UPDATED), (EARLIER, UNCHANGED)])
def test_a_contact_that_is_there_is_updated_by_one_call(changed: str, outcome: Outcome) -> None:
    """That keeps the spelling of its email address. What did not change since the sync began was as it should be."""
    found = told(change(), is_now("subscribed", changed))

    assert (found.outcome, found.steps.calls) == (outcome, [("PATCH", f"/members/{ME}", FIELDS)])


LOOKED_FOR: list[tuple[str, Json, list[Received], Outcome, str]] = [
    ("new", {}, [GONE, GONE, is_now("subscribed")], CREATED, "PATCH GET PUT"),
    ("new, only updates", {"existing_only": True}, [GONE, GONE], NOT_THERE, "PATCH GET"),
    ("new, cleaned", {"status": "cleaned"}, [GONE, GONE], NOT_CREATED, "PATCH GET"),
    ("archived", {}, [TAKES_NO_PATCH, is_now("archived"), is_now("archived")], UPDATED.noting(("stay archived",)), "PATCH GET PUT"),
    ("archived, hidden", {}, [GONE, is_now("archived"), is_now("archived")], UPDATED.noting(("stay archived",)), "PATCH GET PUT"),
    ("back meanwhile", {}, [GONE, is_now("subscribed"), is_now("subscribed")], UPDATED, "PATCH GET PATCH"),
    ("gone meanwhile", {}, [TAKES_NO_PATCH, is_now("archived"), ASKS_FOR_STATUS, GONE, is_now("subscribed")], CREATED, "PATCH GET PUT GET PUT"),
    (
        "gone meanwhile, by field", {},
        [TAKES_NO_PATCH, is_now("archived"), ASKS_FOR_STATUS_BY_FIELD, GONE, is_now("subscribed")], CREATED, "PATCH GET PUT GET PUT",
    ),
    ("gone meanwhile, 404", {}, [TAKES_NO_PATCH, is_now("archived"), GONE, GONE, is_now("subscribed")], CREATED, "PATCH GET PUT GET PUT"),
    (
        "there at the third look", {},
        [GONE, is_now("subscribed"), GONE, is_now("subscribed"), GONE, is_now("subscribed"), is_now("subscribed")], UPDATED,
        "PATCH GET PATCH GET PATCH GET PATCH",
    ),
    (
        "never there", {}, [GONE, is_now("subscribed"), GONE, is_now("subscribed"), GONE, is_now("subscribed"), GONE], VANISHED,
        "PATCH GET PATCH GET PATCH GET PATCH",
    ),
    ("the audience is gone", {}, [GONE, GONE, GONE], NO_AUDIENCE, "PATCH GET PUT"),
]  # fmt: skip


@pytest.mark.parametrize(("wanted", "answers", "outcome", "methods"), [one[1:] for one in LOOKED_FOR], ids=[one[0] for one in LOOKED_FOR])
def test_who_takes_no_update_is_looked_at(wanted: Json, answers: list[Received], outcome: Outcome, methods: str) -> None:
    """Who is not there is created, who is archived is put; one that comes and goes is looked at three times."""
    found = told(change(**wanted), *answers)

    assert (found.outcome, found.steps.methods) == (outcome, methods)
    for method, _, body in found.steps.calls:
        if method == "PUT":
            assert (body["email_address"], body["merge_fields"]) == (EMAIL, FIELDS["merge_fields"])


@pytest.mark.parametrize(
    "answers",
    [[REFUSED], [TAKES_NO_PATCH, is_now("archived"), REFUSED], [GONE, GONE, REFUSED], [GONE, is_now("subscribed"), REFUSED]],
    ids=["update", "archived", "create", "second update"],
)
def test_a_refusal_is_a_reject(answers: list[Received]) -> None:
    """In Mailchimp's words, and nothing is tried again."""
    outcome = told(change(), *answers).outcome
    assert (outcome.kind, outcome.words) == ("rejected", "no")


def test_an_archived_contact_keeps_the_spelling_of_its_email_address() -> None:
    """Where the look shows it; without, the record's is sent, since PUT wants one."""
    spelled = told(change(), GONE, is_now("archived", email_address="Ada@X.org"), is_now("archived")).bodies[-1]
    unspelled = told(change(), GONE, is_now("archived", email_address=""), is_now("archived")).bodies[-1]

    assert [one["email_address"] for one in (spelled, unspelled)] == ["Ada@X.org", EMAIL]


def test_after_a_new_contact_the_next_is_looked_at_first() -> None:
    """It saves a call; and after one that was there the next is updated first again."""
    audience = Audience(LIST, began=BEGAN, tags={})
    methods = [
        told(change(**wanted), *answers, audience=audience).steps.methods
        for wanted, answers in [
            ({}, [GONE, GONE, is_now("subscribed")]),
            ({}, [GONE, is_now("subscribed")]),
            ({"existing_only": True}, [GONE, GONE]),
            ({}, [is_now("subscribed"), is_now("subscribed")]),
            ({}, [is_now("subscribed")]),
            ({}, [GONE, GONE, is_now("subscribed")]),
            ({"existing_only": True}, [is_now("subscribed")]),
            ({}, [GONE, is_now("archived"), is_now("archived")]),
            ({}, [is_now("subscribed")]),
        ]
    ]
    assert methods == ["PATCH GET PUT", "GET PUT", "PATCH GET", "GET PATCH", "PATCH", "PATCH GET PUT", "PATCH", "PATCH GET PUT", "PATCH"]


def test_who_is_surely_new_is_created_at_once() -> None:
    """Where the whole audience is known, and the contact is neither in it nor was ever reported as being there."""
    whole, part, appeared = knows(), knows(), knows()
    part.listed_whole = False
    appeared.appeared.add(ME)
    assert told(change(), is_now("subscribed"), audience=whole).steps.methods == "PUT"
    assert told(change(), is_now("subscribed"), audience=part).steps.methods == "PATCH"
    assert told(change(), is_now("subscribed"), audience=appeared).steps.methods == "PATCH"
    assert told(change(), is_now("subscribed"), audience=knows(me="cleaned")).steps.methods == "PATCH"
    assert told(change(existing_only=True), GONE, GONE, audience=knows()).steps.methods == "PATCH GET"
    stale = knows()
    stale.statuses_asked = -61.0
    assert told(change(), is_now("subscribed"), audience=stale).steps.methods == "PATCH"
    assert whole.status_of(ME) == "subscribed"


NEW = [GONE, GONE]


@pytest.mark.parametrize(
    ("options", "wanted", "answers", "kind", "statuses"),
    [
        ({}, {}, [is_now("subscribed")], "created", ["subscribed"]),
        ({}, {}, [HELD], "rejected", ["subscribed"]),
        ({"on_compliance_state": "pending"}, {}, [HELD, is_now("pending")], "created", ["subscribed", "pending"]),
        ({"on_compliance_state": "pending"}, {}, [HELD, HELD], "rejected", ["subscribed", "pending"]),
        ({"on_compliance_state": "pending"}, {"status_if_new": "pending"}, [HELD], "rejected", ["pending"]),
        ({"on_compliance_state": "pending"}, {}, [REFUSED], "rejected", ["subscribed"]),
    ],
)
def test_who_may_not_be_subscribed_is_asked_where_the_configuration_says_so(
    options: Json, wanted: Json, answers: list[Received], kind: str, statuses: list[str]
) -> None:
    """Once, and nobody who was to be asked anyway."""
    found = told(change(**wanted), *NEW, *answers, **options)

    assert found.outcome.kind == kind
    assert [body["status_if_new"] for body in found.bodies[1:]] == statuses


@pytest.mark.parametrize(
    ("suppress", "shown", "answers", "outcome", "sent", "methods"),
    [
        (False, {"tags": [{"id": 1, "name": "VIP"}], "tags_count": 1}, [], CREATED, ["VIP"], ""),
        (False, {}, [DONE], CREATED, ["VIP"], " POST"),
        (True, {}, [DONE], CREATED, None, " POST"),
        (True, {}, [GONE], VANISHED, None, " POST"),
        (False, {}, [REFUSED], None, ["VIP"], " POST"),
    ],
)
def test_a_new_contact_gets_its_tags_by_the_same_call(
    suppress: bool, shown: Json, answers: list[Received], outcome: Outcome | None, sent: list[str] | None, methods: str
) -> None:
    """Unless no automation may begin; those that it lacks afterwards by one of their own."""
    found = told(change(tagging=TAGS), *NEW, is_now("subscribed", **shown), *answers, suppress_automations=suppress)

    assert found.outcome == outcome or (outcome is None and found.outcome.kind == "rejected")
    assert (found.bodies[1].get("tags"), found.steps.methods) == (sent, f"PATCH GET PUT{methods}")


# Only new contacts.


@pytest.mark.parametrize(
    ("audience", "wanted", "answers", "outcome", "methods"),
    [
        (None, {}, [is_now("archived")], ALREADY_THERE, "GET"),
        (None, {}, [GONE, is_now("subscribed")], CREATED, "GET PUT"),
        (None, {"previous_id": OLD}, [GONE, is_now("subscribed")], ALREADY_THERE, "GET GET"),
        (None, {"previous_id": OLD}, [GONE, GONE, is_now("subscribed")], CREATED, "GET GET PUT"),
        (None, {"status": "cleaned"}, [GONE], NOT_CREATED, "GET"),
        ({"me": "archived"}, {}, [], ALREADY_THERE, ""),
        ({"old": "subscribed"}, {"previous_id": OLD}, [GONE], ALREADY_THERE, "GET"),
        ({"me": "subscribed", "stale": "yes"}, {}, [is_now("subscribed")], ALREADY_THERE, "GET"),
        ({}, {}, [is_now("subscribed")], ALREADY_THERE, "GET"),
    ],
)
def test_only_new_contacts_are_created_and_nobody_else_is_touched(
    audience: dict[str, str] | None, wanted: Json, answers: list[Received], outcome: Outcome, methods: str
) -> None:
    """Under the new or the old email address, as Mailchimp says, or as was read within the last minute."""
    known = None
    if audience is not None:
        known = knows(**{name: status for name, status in audience.items() if name != "stale"})
        known.statuses_asked = -61.0 if "stale" in audience else 0.0
    found = told(change(new_only=True, **wanted), *answers, audience=known)

    assert (found.outcome, found.steps.methods) == (outcome, methods)


# A new email address.


MOVES: list[tuple[str, list[Received], Outcome | str, list[str]]] = [
    ("there", [is_now("subscribed")], UPDATED, [f"PATCH {OLD}"]),
    ("not there", [GONE, GONE, is_now("subscribed")], UPDATED, [f"PATCH {OLD}", f"GET {OLD}", f"PATCH {ME}"]),
    (
        "archived", [TAKES_NO_PATCH, is_now("archived"), is_now("archived")], UPDATED.noting(("stay archived",)),
        [f"PATCH {OLD}", f"GET {OLD}", f"PUT {OLD}"],
    ),
    ("both there", [EXISTS], TWO_CONTACTS, [f"PATCH {OLD}"]),
    ("both there, archived", [GONE, is_now("archived"), EXISTS], TWO_CONTACTS, [f"PATCH {OLD}", f"GET {OLD}", f"PUT {OLD}"]),
    ("refused", [REFUSED], "rejected", [f"PATCH {OLD}"]),
    ("refused, archived", [GONE, is_now("archived"), REFUSED], "rejected", [f"PATCH {OLD}", f"GET {OLD}", f"PUT {OLD}"]),
]  # fmt: skip


@pytest.mark.parametrize(("answers", "outcome", "calls"), [one[1:] for one in MOVES], ids=[one[0] for one in MOVES])
def test_a_contact_moves_to_its_new_email_address(answers: list[Received], outcome: Outcome | str, calls: list[str]) -> None:
    """Found under the old one; where both are there nothing is lost, and where neither is it is written as usual."""
    found = told(change(previous_id=OLD), *answers)

    assert found.outcome.kind == outcome if isinstance(outcome, str) else found.outcome == outcome
    assert [f"{method} {path.removeprefix('/members/')}" for method, path, _ in found.steps.calls] == calls
    assert all(body["email_address"] == EMAIL for method, path, body in found.steps.calls if method != "GET" and path.endswith(OLD))


ALWAYS = {"apply_status": "always"}


@pytest.mark.parametrize(
    ("wanted", "answers"),
    [
        ({}, [is_now("unsubscribed")]),
        ({}, [GONE, is_now("archived"), is_now("unsubscribed")]),
        ({"previous_id": OLD}, [is_now("unsubscribed")]),
        ({"previous_id": OLD}, [GONE, is_now("archived"), is_now("unsubscribed")]),
    ],
)
def test_an_opt_out_is_in_every_call_that_writes_the_fields(wanted: Json, answers: list[Received]) -> None:
    """So that nobody gets mail in between."""
    found = told(change(status="unsubscribed", **wanted), *answers, **ALWAYS)

    assert {body["status"] for body in found.bodies} == {"unsubscribed"}
    assert all("status" not in body for body in told(change(**wanted), *answers, **ALWAYS).bodies)


# The status afterwards.


ASKED = {**ALWAYS, "on_compliance_state": "pending"}
OPT_OUTS = {"apply_status": "opt_outs"}
RESTORES = {"restore_archived": True}
STAYS = "stay archived"
MOVED: list[tuple[str, Json, str | None, list[Received], Outcome | str, list[str]]] = [
    ("kept", {}, "subscribed", [is_now("unsubscribed", EARLIER)], "unchanged", []),
    ("moved", ALWAYS, "subscribed", [is_now("unsubscribed", EARLIER), is_now("subscribed")], UPDATED, ["PATCH subscribed"]),
    ("by opt-out", OPT_OUTS, "unsubscribed", [is_now("pending", EARLIER), is_now("unsubscribed", EARLIER)], UPDATED, ["PATCH unsubscribed"]),
    ("transactional", OPT_OUTS, "transactional", [is_now("subscribed"), is_now("transactional")], UPDATED, ["PUT transactional"]),
    ("held", ALWAYS, "subscribed", [is_now("unsubscribed"), HELD], "rejected", ["PATCH subscribed"]),
    (
        "held and asked", ASKED, "subscribed", [is_now("unsubscribed"), HELD, is_now("pending")], "updated",
        ["PATCH subscribed", "PATCH pending"],
    ),
    ("held, was to be asked", ASKED, "pending", [is_now("unsubscribed"), HELD], "rejected", ["PATCH pending"]),
    ("refused, could be asked", ASKED, "subscribed", [is_now("unsubscribed"), REFUSED], "rejected", ["PATCH subscribed"]),
    (
        "archived", ALWAYS, "subscribed", [TAKES_NO_PATCH, is_now("archived"), is_now("archived"), is_now("subscribed")], UPDATED,
        ["PUT subscribed"],
    ),
    (
        "archived, held", ASKED, "subscribed", [TAKES_NO_PATCH, is_now("archived"), is_now("archived"), HELD, is_now("pending")], "updated",
        ["PUT subscribed", "PUT pending"],
    ),
    ("restored", RESTORES, None, [GONE, is_now("archived"), is_now("archived"), is_now("subscribed")], UPDATED, ["PUT subscribed"]),
    (
        "archived meanwhile", ALWAYS, "subscribed", [is_now("unsubscribed"), TAKES_NO_PATCH, is_now("archived"), is_now("subscribed")],
        UPDATED, ["PATCH subscribed", "PUT subscribed"],
    ),
    (
        "archived meanwhile, hidden", ALWAYS, "subscribed", [is_now("unsubscribed"), GONE, is_now("archived"), is_now("subscribed")],
        UPDATED, ["PATCH subscribed", "PUT subscribed"],
    ),
    (
        "archived meanwhile, and stays so", OPT_OUTS, "unsubscribed", [is_now("pending"), TAKES_NO_PATCH, is_now("archived", EARLIER)],
        "updated", ["PATCH unsubscribed"],
    ),
    ("gone meanwhile", ALWAYS, "subscribed", [is_now("unsubscribed"), GONE, GONE], VANISHED, ["PATCH subscribed"]),
    ("there and not", ALWAYS, "subscribed", [is_now("unsubscribed"), GONE, is_now("unsubscribed")], VANISHED, ["PATCH subscribed"]),
    ("not archived", ALWAYS, "subscribed", [is_now("unsubscribed"), TAKES_NO_PATCH, is_now("cleaned")], "rejected", ["PATCH subscribed"]),
]  # fmt: skip


@pytest.mark.parametrize(("options", "status", "answers", "outcome", "calls"), [one[1:] for one in MOVED], ids=[one[0] for one in MOVED])
def test_a_contact_is_moved_to_the_status_that_it_should_have(
    options: Json, status: str | None, answers: list[Received], outcome: Outcome | str, calls: list[str]
) -> None:
    """By a call of its own, after the fields: by PUT where the contact is archived, or where PATCH does not take the status."""
    found = told(change(status=status), *answers, **options)

    assert found.outcome.kind == outcome if isinstance(outcome, str) else found.outcome == outcome
    moves = [(method, body) for method, _, body in found.steps.calls if method != "GET" and "merge_fields" not in body]
    assert [f"{method} {body['status']}" for method, body in moves] == calls
    for method, body in moves:
        more = {"email_address": EMAIL, "status_if_new": body["status"]} if method == "PUT" else {}
        assert body == {"status": body["status"], **more}


def test_who_was_archived_meanwhile_is_noted_as_archived() -> None:
    """The record was written, and the contact stays where it is."""
    found = told(
        change(status="unsubscribed"),
        is_now("pending"),
        TAKES_NO_PATCH,
        is_now("archived", EARLIER),
        audience=knows(me="pending"),
        **OPT_OUTS,
    )
    assert (STAYS in found.outcome.notes, found.audience.status_of(ME)) == (True, "archived")


def test_a_status_that_is_refused_leaves_the_tags_to_be_edited() -> None:
    """The rest of what the record says may still be right."""
    found = told(change(status="subscribed", tagging=TAGS), is_now("unsubscribed"), HELD, DONE, **ALWAYS)

    assert (found.outcome.kind, found.steps.methods) == ("rejected", "PATCH PATCH POST")
    assert found.bodies[-1] == {"tags": [{"name": "VIP", "status": "active"}]}


@pytest.mark.parametrize(
    ("shown", "answers", "kind", "methods"),
    [
        ({"tags": [{"id": 1, "name": "vip"}], "tags_count": 1}, [], "unchanged", "PATCH"),
        ({"tags": [{"id": 1, "name": "Other"}], "tags_count": 1}, [DONE], "updated", "PATCH POST"),
        ({"tags": [{"id": 1, "name": "Other"}], "tags_count": 2}, [answer({"tags": [{"name": "VIP"}], "total_items": 1})], "unchanged", "PATCH GET"),
        ({"tags": None, "tags_count": None}, [DONE], "updated", "PATCH POST"),
        ({"tags": [], "tags_count": 0}, [GONE], "skipped", "PATCH POST"),
        ({"tags": [], "tags_count": 1}, [GONE], "skipped", "PATCH GET"),
    ],
)  # fmt: skip
def test_the_tags_of_a_contact_that_is_there_are_edited_where_they_differ(
    shown: Json, answers: list[Received], kind: str, methods: str
) -> None:
    """All of them are asked for where the answer shows only the first."""
    found = told(change(tagging=TAGS), is_now("subscribed", EARLIER, **shown), *answers)

    assert (found.outcome.kind, found.steps.methods) == (kind, methods)


def test_an_answer_that_shows_no_tags_is_asked_for_them() -> None:
    """And one to a record that says nothing about tags is not."""
    bare = answer({"id": ME, "email_address": EMAIL, "status": "subscribed", "last_changed": EARLIER})

    assert told(change(tagging=TAGS), bare, answer({"tags": [{"name": "VIP"}], "total_items": 1})).steps.methods == "PATCH GET"
    assert told(change(), bare).outcome == UNCHANGED


# What Mailchimp complains about.


def complaint(*fields: str, words: str = "odd") -> Received:
    """The refusal of a record for these fields."""
    return refused(errors=[{"field": name, "message": words} for name in fields])


BOTH = {"body": {"email_address": EMAIL, "merge_fields": {"FNAME": "Ada", "LTV": "x"}, "language": "??"}}
LEAVES_OUT = {"invalid_values": "leave_out"}


def test_fields_that_mailchimp_refuses_by_name_are_left_out() -> None:
    """As long as it names some that were sent."""
    found = told(change(**BOTH), complaint("LTV"), complaint("merge_fields.LTV", "language"), is_now("subscribed"), **LEAVES_OUT)

    assert (found.outcome.kind, found.steps.methods) == ("updated", "PATCH PATCH PATCH")
    assert [sorted({*body, *body["merge_fields"]} - {"merge_fields"}) for body in found.bodies] == [
        ["FNAME", "LTV", "language"], ["FNAME", "language"], ["FNAME"]
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "answers"),
    [
        ({}, [complaint("LTV")]),
        (LEAVES_OUT, [complaint("OTHER")]),
        (LEAVES_OUT, [REFUSED]),
        (LEAVES_OUT, [complaint("LTV"), complaint("LTV")]),
    ],
)
def test_what_cannot_be_left_out_rejects_the_record(options: Json, answers: list[Received]) -> None:
    """Nothing that was sent is named, or nothing is to be left out."""
    assert told(change(**BOTH), *answers, **options).outcome.kind == "rejected"


@pytest.mark.parametrize(
    ("name", "kind", "words", "sent", "stored"),
    [
        ("merge_fields.ADDRESS", "address", "Please enter a complete address", {}, True),
        ("ADDRESS", "address", "Please enter a complete address", {"FNAME": "Ada"}, True),
        ("ADDRESS", "address", "Please enter a complete address", {"ADDRESS": {"addr1": "1"}}, False),
        ("ADDRESS", "text", "Please enter a complete address", {}, False),
        ("OTHER", "address", "Please enter a complete address", {}, False),
        ("ADDRESS", "address", "odd", {}, False),
    ],
)
def test_an_address_that_mailchimp_has_is_told_from_one_that_was_sent(name: str, kind: str, words: str, sent: Json, stored: bool) -> None:
    """The owner of the record can do nothing about the first."""
    audience = Audience(LIST, began=BEGAN, tags={}, merge_fields={"ADDRESS": merge_field_of({"tag": "ADDRESS", "type": kind})})
    body: Json = {"email_address": EMAIL, **({"merge_fields": sent} if sent else {"language": "de"})}

    assert (told(change(body=body), complaint(name, words=words), audience=audience).outcome == INCOMPLETE_ADDRESS) == stored


@pytest.mark.parametrize("required_fields", ["enforce", "skip"])
def test_required_merge_fields_are_enforced_as_the_configuration_says(required_fields: str) -> None:
    """In every call that writes a contact, and in no other."""
    new = told(change(), *NEW, is_now("subscribed"), required_fields=required_fields).steps
    archived = told(change(kind="archive"), DONE, required_fields=required_fields).steps
    skips = [method for method, params in zip(new.methods.split(), new.params, strict=True) if "skip_merge_validation" in params]

    assert skips == ([] if required_fields == "enforce" else ["PATCH", "PUT"])
    assert "skip_merge_validation" not in archived.params[0]
