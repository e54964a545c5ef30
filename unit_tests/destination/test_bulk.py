"""Many contacts by one call: what is sent, what is made of the answer, and the tags that the call could not carry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from destination_mailchimp_unified.audience.audience import Audience, Tag
from destination_mailchimp_unified.intake.arrivals import Entry
from destination_mailchimp_unified.planning.changes import Change
from destination_mailchimp_unified.planning.plan import Batch, Batched
from destination_mailchimp_unified.planning.tags import Tagging
from destination_mailchimp_unified.sending import dry_run
from destination_mailchimp_unified.sending.bulk import EXISTS, Rows, Settled, answered_rows, carry_out
from destination_mailchimp_unified.sending.dry_run import differences
from destination_mailchimp_unified.settling.outcomes import (
    ALREADY_THERE,
    CREATED,
    NO_AUDIENCE,
    NOT_CREATED,
    NOT_THERE,
    UNCHANGED,
    UPDATED,
    VANISHED,
    Outcome,
)
from integration_tests.simulation.clock import run
from mailchimp_unified.identity import subscriber_hash
from mailchimp_unified.transport import Outgoing, Received
from unit_tests.destination.asking import LIST, Steps, body_of, missing, path_of, refused, scope_of
from unit_tests.destination.test_single import knows
from unit_tests.kernel.conftest import Answers, answer

Json = dict[str, Any]

BEGAN, EARLIER = "2026-11-25T12:00:00+00:00", "2026-11-25T11:59:59+00:00"
DONE = answer(b"", 204)


def email_of(number: int) -> str:
    """Return an email address."""
    return f"p{number}@x.org"


def change(number: int, tagging: dict[str, bool] | None = None, *, whole: bool = False, **more: Any) -> Change:
    """What is wanted of a contact; tags by whether they should be there."""
    email, wanted = email_of(number), {name.casefold(): (name, present) for name, present in (tagging or {}).items()}
    entries = [Entry((None, "s"), 0, number)]
    return Change(email, subscriber_hash(email), entries, body={"email_address": email}, tagging=Tagging(wanted, whole), **more)


def audience(**tags: int) -> Audience:
    """An audience whose contacts are all known, with tags by id."""
    found = knows()
    found.tags = {name.casefold(): Tag(name, number) for name, number in tags.items()}
    return found


def shown(number: int, changed: str = BEGAN, **more: Any) -> Json:
    """A contact as an answer shows it."""
    email = email_of(number)
    return {"id": subscriber_hash(email), "email_address": email, "status": "subscribed", "last_changed": changed, **more}


def rows(new: Sequence[Json] = (), updated: Sequence[Json] = (), errors: Sequence[Json] = ()) -> Received:
    """The answer to a bulk call."""
    return answer({"new_members": list(new), "updated_members": list(updated), "errors": list(errors)})


def there(number: int) -> Json:
    """The row of a contact that is there already."""
    return {"email_address": email_of(number), "error_code": EXISTS}


def bad(number: int) -> Json:
    """The row of a contact that Mailchimp refuses."""
    return {"email_address": email_of(number), "error_code": "ERROR_GENERIC"}


def carried(kind: Batched, changes: Sequence[Change], answers: Answers, known: Audience | None = None, **options: Any) -> Settled:
    """Carry out a batch."""
    return run(carry_out(Batch(kind, tuple(changes)), scope_of(answers, known or audience(), **options)))


def told(settled: Settled) -> dict[int, Outcome | str]:
    """Return what became of each contact by number."""
    found: dict[int, Outcome | str] = {one.number: outcome for one, outcome in settled.outcomes}
    return found | {one.number: "left" for one in settled.left} | {one.number: "stale" for one in settled.stale}


# One call.


@pytest.mark.parametrize("kind", ["create", "update"])
def test_a_batch_is_one_call(kind: Batched) -> None:
    """With the status of new contacts, and without any of those who are there, who alone are overwritten."""
    steps = Steps(rows(new=[shown(1), shown(2)]))
    carried(kind, [change(1, status_if_new="pending"), change(2)], steps)

    body = steps.calls[0][2]
    assert (steps.methods, steps.calls[0][1], body["update_existing"]) == ("POST", "", kind == "update")
    assert [one.get("status") for one in body["members"]] == (["pending", "subscribed"] if kind == "create" else [None, None])
    assert [one["email_address"] for one in body["members"]] == [email_of(1), email_of(2)]
    assert all("tags" not in one for one in body["members"])


@pytest.mark.parametrize("required_fields", ["enforce", "skip"])
def test_a_batch_enforces_required_fields_as_the_configuration_says(required_fields: str) -> None:
    """As a call for one contact does."""
    steps = Steps(rows(new=[shown(1)]))
    carried("create", [change(1)], steps, required_fields=required_fields)

    assert ("skip_merge_validation" in steps.params[0]) == (required_fields == "skip")


def test_each_row_of_the_answer_tells_what_became_of_its_contact() -> None:
    """Who was created or updated is done with, everybody else is settled one by one; who was reported as there is remembered."""
    known = audience()
    steps = Steps(rows([shown(1)], [shown(2), shown(3, EARLIER)], [there(4), bad(5)]))

    settled = carried("create", [change(number) for number in range(1, 7)], steps, known)

    assert told(settled) == {1: CREATED, 2: UPDATED, 3: UNCHANGED, 4: "left", 5: "left", 6: "left"}
    assert known.appeared == {subscriber_hash(email_of(4))}
    assert [known.status_of(subscriber_hash(email_of(number))) for number in (1, 2, 6)] == ["subscribed", "subscribed", None]


def test_an_update_that_leaves_something_undone_says_so() -> None:
    """As a call for one contact does."""
    settled = carried("update", [change(1, status="unsubscribed")], Steps(rows(updated=[shown(1)])))

    [outcome] = told(settled).values()
    assert isinstance(outcome, Outcome)
    assert (outcome.kind, len(outcome.notes)) == ("updated", 1)


def test_a_batch_that_rests_on_old_statuses_is_not_sent() -> None:
    """It is planned again."""
    known = audience()
    known.statuses_asked = -61.0
    steps = Steps()

    assert told(carried("update", [change(1), change(2)], steps, known)) == {1: "stale", 2: "stale"}
    assert steps.calls == []


def test_without_its_audience_a_batch_is_rejected() -> None:
    """Each record of it."""
    assert told(carried("create", [change(1), change(2)], Steps(missing()))) == {1: NO_AUDIENCE, 2: NO_AUDIENCE}


def test_what_became_of_batches_adds_up() -> None:
    """Part by part."""
    first = Settled([(change(1), CREATED)], [change(2), change(3)], [change(4)])
    second = Settled([(change(5), UPDATED)], [change(6)], [change(7), change(8), change(9)])
    total = first + second

    assert (len(first), len(second), len(total)) == (4, 5, 9)
    assert told(total) == {1: CREATED, 2: "left", 3: "left", 4: "stale", 5: UPDATED, 6: "left", 7: "stale", 8: "stale", 9: "stale"}


# Rows.


def test_an_answer_without_rows_is_about_nobody() -> None:
    """Lists that are missing or null are empty."""
    for body in ({}, {"new_members": None, "updated_members": None, "errors": None}):
        assert answered_rows(body) == Rows({}, {})


def test_rows_are_sorted_by_what_they_say() -> None:
    """Who is there was not refused."""
    ids = {number: subscriber_hash(email_of(number)) for number in range(6)}
    found = answered_rows({"new_members": [shown(1)], "updated_members": [shown(2)], "errors": [there(3), bad(4)]})

    assert ({*found.created}, {*found.updated}, found.there, found.refused) == ({ids[1]}, {ids[2]}, {ids[3]}, {ids[4]})
    assert found.unseen(ids.values(), after_lost_answer=False) == {ids[0], ids[5]}
    assert found.unseen(ids.values(), after_lost_answer=True) == {ids[0], ids[3], ids[5]}


@pytest.mark.parametrize(("kind", "created"), [("create", 2), ("update", 0)])
def test_only_calls_that_create_count_as_new_contacts(kind: Batched, created: int) -> None:
    """Those who were created, and those of whom the answer says nothing."""
    scope = scope_of(Steps(rows([shown(1)] if kind == "create" else [], [], [there(2), bad(3)])), audience(), max_new_contacts="9")
    run(carry_out(Batch(kind, tuple(change(number) for number in range(1, 5))), scope))

    assert scope.new_contacts.created == created


# Refused batches.


def refusing(numbers: set[int], *, named: bool) -> tuple[Callable[[Outgoing], Received], list[list[int]]]:
    """Return a Mailchimp that refuses a whole batch for some of its contacts, and the batches that it saw."""
    seen: list[list[int]] = []

    def find(outgoing: Outgoing) -> Received:
        sent = [int(one["email_address"].partition("@")[0][1:]) for one in body_of(outgoing)["members"]]
        seen.append(sent)
        errors = [{"field": f"members.item:{place}", "message": "no"} for place, number in enumerate(sent) if number in numbers]
        if errors:
            return refused(errors=errors if named else [])
        return rows(new=[shown(number) for number in sent])

    return find, seen


@pytest.mark.parametrize(
    ("numbers", "named", "batches"),
    [
        (set(), True, [[0, 1, 2, 3, 4, 5]]),
        ({1, 4}, True, [[0, 1, 2, 3, 4, 5], [0, 2, 3, 5]]),
        ({0}, True, [[0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5]]),
        ({0, 1, 2, 3, 4, 5}, True, [[0, 1, 2, 3, 4, 5]]),
        ({5}, False, [[0, 1, 2, 3, 4, 5], [0, 1, 2], [3, 4, 5], [3], [4, 5], [4], [5]]),
        ({0, 3}, False, [[0, 1, 2, 3, 4, 5], [0, 1, 2], [3, 4, 5], [0], [1, 2], [3], [4, 5]]),
    ],
)
def test_a_refused_batch_is_sent_again_without_those_it_is_about(numbers: set[int], named: bool, batches: list[list[int]]) -> None:
    """Who is named is settled one by one; where nobody is, halves tell."""
    answers, seen = refusing(numbers, named=named)
    settled = carried("create", [change(number) for number in range(6)], answers)

    assert told(settled) == {number: "left" if number in numbers else CREATED for number in range(6)}
    assert [one.number for one in settled.left] == sorted(numbers)
    assert (seen[0], sorted(seen)) == (batches[0], sorted(batches))


@pytest.mark.parametrize("place", [2, 3, 99])
def test_a_place_that_no_row_has_names_nobody(place: int) -> None:
    """Then halves tell."""
    calls: list[int] = []

    def find(outgoing: Outgoing) -> Received:
        calls.append(len(body_of(outgoing)["members"]))
        return refused(errors=[{"field": f"members.item:{place}", "message": "no"}])

    assert told(carried("create", [change(1), change(2)], find)) == {1: "left", 2: "left"}
    assert calls == [2, 1, 1]


# Tags.

VIP, GONE = {"VIP": True}, {"VIP": False}


@pytest.mark.parametrize(
    ("tagging", "whole", "suppress", "member", "later"),
    [
        (VIP, False, False, {}, ""),
        (VIP, False, True, {}, "GET POST"),
        ({**VIP, "Old": False}, False, False, {}, "GET POST"),
        (VIP, True, False, {}, "GET POST"),
        (VIP, False, False, {"tags": [{"id": 1, "name": "VIP"}], "tags_count": 1}, ""),
        (VIP, False, False, {"tags": [], "tags_count": 0}, "POST"),
        ({}, False, False, {}, ""),
        ({}, False, False, {"tags": [], "tags_count": 0}, ""),
    ],
    ids=["in the row", "no automation", "one to remove", "whole", "shown", "not taken", "none", "none shown"],
)
def test_tags_go_with_the_row_where_that_is_all_there_is_to_say(
    tagging: dict[str, bool], whole: bool, suppress: bool, member: Json, later: str
) -> None:
    """Else a contact's tags are looked at, and edited by a call of its own."""
    answers = [rows(updated=[shown(1, EARLIER, **member)])]
    answers += [answer({"tags": [], "total_items": 0})] * later.count("GET") + [DONE] * later.count("POST")
    steps = Steps(*answers)
    settled = carried("update", [change(1, tagging, whole=whole)], steps, suppress_automations=suppress, managed_tags=["*"])

    assert (steps.methods, steps.answers) == (f"POST {later}".strip(), [])
    assert steps.calls[0][2]["members"][0].get("tags") == (["VIP"] if tagging and not suppress else None)
    assert told(settled) == {1: UPDATED if "POST" in later else UNCHANGED}


@pytest.mark.parametrize(
    ("answers", "kind"),
    [([missing()], "skipped"), ([refused()], "rejected"), ([DONE], "updated")],
)
def test_what_becomes_of_the_tags_is_the_outcome(answers: list[Received], kind: str) -> None:
    """Of a contact that was written without them."""
    member = {"tags": [], "tags_count": 0}
    for new, updated in (([shown(1, **member)], []), ([], [shown(1, EARLIER, **member)])):
        [outcome] = told(carried("create", [change(1, VIP)], Steps(rows(new, updated), *answers))).values()
        assert isinstance(outcome, Outcome)
        assert outcome.kind == ("created" if new and kind == "updated" else kind)


def test_who_vanishes_before_the_tags_are_looked_at_is_skipped() -> None:
    """The others keep their outcomes."""

    def find(outgoing: Outgoing) -> Received:
        if path_of(outgoing) == "":
            return rows(updated=[shown(1), shown(2)])
        return missing() if subscriber_hash(email_of(1)) in path_of(outgoing) else answer({"tags": [], "total_items": 0})

    assert told(carried("update", [change(1, GONE), change(2, GONE)], find)) == {1: VANISHED, 2: UPDATED}


def untagged(
    answers: Callable[[Outgoing], Received], changes: Sequence[Change], known: Audience, **options: Any
) -> tuple[dict[int, Outcome | str], list[tuple[str, Any]]]:
    """Take tags from contacts; return what became of each, and path and body of the calls that write."""
    calls: list[tuple[str, Any]] = []

    def find(outgoing: Outgoing) -> Received:
        if outgoing.method != "GET":
            calls.append((path_of(outgoing), body_of(outgoing)))
        return answers(outgoing)

    return told(carried("untag", changes, find, known, **options)), calls


def all_removed(outgoing: Outgoing) -> Received:
    """Take the tag from everybody who is named."""
    return answer({"members_removed": [{"email_address": email} for email in body_of(outgoing).get("members_to_remove", [])]})


def test_a_tag_is_taken_from_many_by_one_call() -> None:
    """Who had it is updated, who had not is unchanged; and so is who is not named in the answer."""
    half = answer({"members_removed": [{"email_address": email_of(1).upper()}]})
    outcomes, calls = untagged(lambda _: half, [change(1, GONE), change(2, GONE)], audience(VIP=7))

    assert outcomes == {1: UPDATED, 2: UNCHANGED}
    assert calls == [("/segments/7", {"members_to_remove": [email_of(1), email_of(2)]})]


@pytest.mark.parametrize(("reply", "kind"), [(missing(), "unchanged"), (refused(), "rejected"), (answer({}), "unchanged")])
def test_a_call_that_takes_a_tag_from_many_tells_of_all(reply: Received, kind: str) -> None:
    """Nobody has a tag that is gone; a refusal is of each."""
    outcomes, _ = untagged(lambda _: reply, [change(1, GONE), change(2, GONE)], audience(VIP=7))

    assert [one.kind for one in outcomes.values() if isinstance(one, Outcome)] == [kind] * 2


def test_tags_are_taken_singly_where_that_takes_no_more_calls() -> None:
    """One call takes all tags from one contact."""
    both = {"VIP": False, "Old": False}
    outcomes, calls = untagged(lambda _: DONE, [change(1, both)], audience(VIP=7, Old=8))

    assert outcomes == {1: UPDATED}
    assert calls == [
        (f"/members/{subscriber_hash(email_of(1))}/tags", {"tags": [{"name": name, "status": "inactive"} for name in ("VIP", "Old")]})
    ]


def test_where_no_automation_may_begin_tags_are_taken_singly() -> None:
    """Only that call can say so."""
    outcomes, calls = untagged(lambda _: DONE, [change(1, GONE), change(2, GONE)], audience(VIP=7), suppress_automations=True)

    assert outcomes == {1: UPDATED, 2: UPDATED}
    assert [body["is_syncing"] for _, body in calls] == [True, True]


def test_what_is_to_be_added_as_well_is_added_singly() -> None:
    """The tags that were taken from many are not taken again."""
    member = {"tags": [{"id": 7, "name": "VIP"}], "tags_count": 1}
    changes = [change(1, {**GONE, "New": True}), *[change(number, GONE) for number in (2, 3, 4)]]
    calls: list[tuple[str, Any]] = []

    def find(outgoing: Outgoing) -> Received:
        path = path_of(outgoing)
        calls.append((path, body_of(outgoing)))
        return rows(updated=[shown(number, EARLIER, **member) for number in range(1, 5)]) if path == "" else all_removed(outgoing)

    settled = carried("update", changes, find, audience(VIP=7))

    assert told(settled) == dict.fromkeys(range(1, 5), UPDATED)
    assert sorted(calls[1:]) == [
        (f"/members/{subscriber_hash(email_of(1))}/tags", {"tags": [{"name": "New", "status": "active"}]}),
        ("/segments/7", {"members_to_remove": [email_of(number) for number in range(1, 5)]}),
    ]


def test_a_tag_without_an_id_is_taken_singly() -> None:
    """The call for many needs one."""
    member = {"tags": [{"id": None, "name": "VIP"}], "tags_count": 1}
    calls: list[str] = []

    def find(outgoing: Outgoing) -> Received:
        calls.append(path_of(outgoing).rpartition("/")[2])
        return rows(updated=[shown(1, **member), shown(2, **member)]) if len(calls) == 1 else DONE

    assert told(carried("update", [change(1, GONE), change(2, GONE)], find)) == {1: UPDATED, 2: UPDATED}
    assert calls == ["", "tags", "tags"]


@pytest.mark.parametrize(("appears", "outcome"), [(True, UPDATED), (False, UNCHANGED)])
def test_a_tag_that_is_not_known_is_looked_for_once_more(appears: bool, outcome: Outcome) -> None:
    """It may have been made since; if not, nobody has it, and nothing is asked."""
    segments = [{"id": 7, "name": "vip"}] if appears else []
    looks: list[str] = []

    def find(outgoing: Outgoing) -> Received:
        if outgoing.method == "GET":
            looks.append(path_of(outgoing))
            return answer({"segments": segments, "total_items": len(segments)})
        return all_removed(outgoing)

    outcomes, calls = untagged(find, [change(1, GONE), change(2, GONE)], audience())

    assert (looks, outcomes) == (["/segments"], {1: outcome, 2: outcome})
    assert [path for path, _ in calls] == (["/segments/7"] if appears else [])


def test_tags_that_are_known_are_not_looked_for() -> None:
    """It would cost a request."""
    looks: list[str] = []

    def find(outgoing: Outgoing) -> Received:
        looks.append(outgoing.method)
        return all_removed(outgoing)

    untagged(find, [change(1, GONE), change(2, GONE)], audience(VIP=7))
    assert looks == ["POST"]


# A dry run.


def rehearsed(wanted: Change, *answers: Received, known: Audience | None = None, **options: Any) -> tuple[Outcome, Steps]:
    """Rehearse a change; every answer is asked for."""
    steps = Steps(*answers)
    outcome = run(dry_run.carry_out(wanted, scope_of(steps, known or Audience(LIST, began=BEGAN, tags={}), dry_run=True, **options)))
    assert steps.answers == []
    return outcome, steps


def seen(status: str = "subscribed", **more: Any) -> Received:
    """The answer to a look at a contact."""
    return answer(shown(1, **{"status": status, **more}))


KEPT = {"rejected_records": "file", "rejected_records_file": "/nowhere"}


@pytest.mark.parametrize(
    ("wanted", "answers", "outcome"),
    [
        ({}, [seen()], UPDATED),
        ({}, [missing()], CREATED),
        ({"status": "cleaned"}, [missing()], NOT_CREATED),
        ({"existing_only": True}, [missing()], NOT_THERE),
        ({"existing_only": True}, [seen()], UPDATED),
        ({"new_only": True}, [seen()], ALREADY_THERE),
        ({"new_only": True}, [missing()], CREATED),
        ({"kind": "archive"}, [seen()], UPDATED),
        ({"kind": "archive"}, [seen("archived")], UNCHANGED),
        ({"kind": "archive"}, [seen("unsubscribed")], UPDATED),
        ({"kind": "archive"}, [missing()], NOT_THERE),
        ({"kind": "unsubscribe"}, [seen("pending")], UPDATED),
        ({"kind": "unsubscribe"}, [seen("cleaned")], UNCHANGED),
        ({"kind": "unsubscribe"}, [missing()], NOT_THERE),
        ({}, [seen("archived")], UPDATED.noting(("stay archived",))),
        ({"previous_id": "0" * 32}, [missing(), seen()], UPDATED),
        ({"previous_id": "0" * 32}, [seen()], UPDATED),
        ({"previous_id": "0" * 32}, [missing(), missing()], CREATED),
    ],
)
def test_a_dry_run_tells_what_the_write_would_do(wanted: Json, answers: list[Received], outcome: Outcome) -> None:
    """By looks at the contact only, the old email address first."""
    found, steps = rehearsed(change(1, **wanted), *answers)

    assert (found, {*steps.methods.split()}) == (outcome, {"GET"})


def test_a_dry_run_believes_what_was_read() -> None:
    """Nobody is looked at whose status is known; and who would be created is there for the next record."""
    known = knows(me="subscribed")
    known.tags = {}
    first, steps = rehearsed(change(1), known=known)
    second, _ = rehearsed(change(1), known=known)

    assert (first, second, steps.calls) == (CREATED, UPDATED, [])


def test_a_dry_run_stops_where_the_write_would() -> None:
    """At the limit of new contacts."""
    scope = scope_of(Steps(missing()), Audience(LIST), dry_run=True, max_new_contacts="1")
    assert (run(dry_run.carry_out(change(1), scope)), scope.new_contacts.created) == (CREATED, 1)


@pytest.mark.parametrize(
    ("answers", "kind"), [([seen(), seen()], "updated"), ([missing(), missing()], "created"), ([seen(), seen()], "skipped")]
)
def test_where_outcomes_are_kept_they_say_what_would_change(answers: list[Received], kind: str) -> None:
    """Of contacts that would be written: the whole contact is looked at for it."""
    wanted = change(1, new_only=kind == "skipped")
    wanted.body["language"] = "de"
    outcome, steps = rehearsed(wanted, *answers, **KEPT)
    plain, _ = rehearsed(wanted, *answers[1:])

    assert (outcome.kind, [name for name, _, _ in outcome.changes if name == "language"]) == (kind, ["language"] * (kind != "skipped"))
    assert plain.changes == ()
    assert ["fields" in params for params in steps.params] == [False, True]


def test_what_would_change_is_told_of_the_contact_under_either_email_address() -> None:
    """It has a status already under the one where it is found."""
    outcome, _ = rehearsed(change(1, previous_id="0" * 32), missing(), seen(), missing(), seen(), **KEPT)

    assert (outcome.kind, outcome.changes) == ("updated", ())


@pytest.mark.parametrize(
    ("wanted", "member", "options", "expected"),
    [
        ({"kind": "archive"}, {"status": "subscribed"}, {}, [("status", "subscribed", "archived")]),
        ({"kind": "unsubscribe"}, {"status": "pending"}, {}, [("status", "pending", "unsubscribed")]),
        ({"body": {"email_address": "new@x.org", "vip": True, "language": "de"}}, {"status": "subscribed", "vip": False, "language": "de"}, {},
         [("vip", False, True)]),
        ({"body": {"merge_fields": {"A": "1", "B": "2", "C": ""}}}, {"status": "subscribed", "merge_fields": {"A": "1", "B": "1", "C": ""}}, {},
         [("merge_fields.B", "1", "2")]),
        ({"body": {}}, {}, {}, [("status", None, "subscribed")]),
        ({"body": {}, "status": "unsubscribed"}, {"status": "subscribed"}, {"apply_status": "always"}, [("status", "subscribed", "unsubscribed")]),
        ({"body": {}, "status": "unsubscribed"}, {"status": "subscribed"}, {}, []),
        ({"body": {}, "tagging": Tagging({"vip": ("VIP", True), "old": ("Old", False)})},
         {"status": "subscribed", "tags": [{"name": "Old"}, {"name": "Kept"}]}, {}, [("tags", ["Old", "Kept"], ["Kept", "VIP"])]),
        ({"body": {}, "tagging": Tagging({"vip": ("VIP", True)})}, {"status": "subscribed", "tags": [{"name": "vip"}]}, {}, []),
    ],
)  # fmt: skip
def test_old_and_new_value_of_each_field_that_would_change(
    wanted: Json, member: Json, options: Json, expected: list[tuple[str, Any, Any]]
) -> None:
    """And of none that stays as it is, nor of the email address."""
    asked = Change(email_of(1), subscriber_hash(email_of(1)), [], **wanted)

    assert list(differences(asked, member, scope_of(Steps(), Audience(LIST), **options))) == expected
