from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.cost import BULK_SIZE, bulk_is_cheaper, may_pay, pages
from destination_mailchimp_unified.audience.statuses import Statuses
from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.intake.arrivals import Entry
from destination_mailchimp_unified.planning.changes import Change
from destination_mailchimp_unified.planning.plan import plan
from destination_mailchimp_unified.planning.tags import Delta, Tagging, by_segment, delta, is_managed, segments_are_fewer
from mailchimp_unified.entities.contact import STATUSES
from mailchimp_unified.identity import subscriber_hash

CONFIG = DestinationConfig.model_validate({"credentials": {"auth_type": "oauth2.0", "access_token": "t"}})
ALL_DUE = 1 << 32
FLAGS = st.fixed_dictionaries(
    {
        "apply_status": st.sampled_from(["never", "opt_outs", "always"]),
        "restore_archived": st.booleans(),
        "suppress_automations": st.booleans(),
    }
)


def audience_of(statuses: dict[int, str], *, whole: bool = True) -> Audience:
    """An audience with these statuses, by number."""
    known = Statuses()
    for number, status in statuses.items():
        known.put(subscriber_hash(f"p{number}@x.org"), status)
    return Audience("a1", statuses=known, listed_whole=whole)


def change(number: int, **more: object) -> Change:
    """What is wanted of contact number so and so."""
    email = f"p{number}@x.org"
    return Change(email, subscriber_hash(email), [Entry((None, "s"), 0, number)], body={"email_address": email}, **more)  # type: ignore[arg-type]


CHANGES = st.lists(
    st.builds(
        change,
        st.integers(0, 60),
        kind=st.sampled_from(["upsert", "upsert", "archive", "unsubscribe"]),
        status=st.sampled_from([None, *STATUSES]),
        existing_only=st.booleans(),
        tagging=st.sampled_from([Tagging(), Tagging({"a": ("a", True)}), Tagging({"a": ("a", False)})]),
    ),
    unique_by=lambda one: one.id,
    max_size=40,
)


@given(CHANGES, st.dictionaries(st.integers(0, 60), st.sampled_from(STATUSES)), FLAGS, st.booleans())
def test_bulk_holds_only_whom_it_cannot_subscribe_again(
    changes: list[Change], statuses: dict[int, str], flags: dict[str, Any], whole: bool
) -> None:
    """Created in bulk are contacts that a whole listing does not have, updated in bulk subscribed ones only; each has one way."""
    audience, config = audience_of(statuses, whole=whole), CONFIG.model_copy(update=flags)
    made = plan(changes, audience, config, ALL_DUE)
    placed = [*made.singles, *(one for batch in made.batches for one in batch.changes)]
    assert sorted(one.id for one in placed) == sorted(one.id for one in changes)
    for batch in made.batches:
        assert len({one.id for one in batch.changes}) == len(batch.changes) <= BULK_SIZE
        for one in batch.changes:
            status = audience.status_of(one.id)
            assert one.kind == "upsert"
            assert {"create": status is None, "update": status == "subscribed", "untag": status is not None}[batch.kind]
            assert batch.kind != "create" or (whole and not one.existing_only)


@given(CHANGES)
def test_without_statuses_everything_goes_singly(changes: list[Change]) -> None:
    """What is not known is not written in bulk."""
    made = plan(changes, Audience("a1"), CONFIG, ALL_DUE)
    assert made.singles == changes
    assert not made.batches


@given(st.integers(0, 1300), st.integers(0, 1300))
def test_batches_wait_until_full_or_due(count: int, due: int) -> None:
    """A batch that is neither full nor holds a due change waits; deletions wait until they are due."""
    changes = [change(number) for number in range(count)]
    made = plan(changes, audience_of({}), CONFIG, due)
    sent = sum(len(batch.changes) for batch in made.batches)
    assert sent == min(count, -(-max(due, count // BULK_SIZE * BULK_SIZE) // BULK_SIZE * BULK_SIZE))
    deletion = change(1, kind="archive")
    assert plan([deletion], audience_of({1: "subscribed"}), CONFIG, 0).singles == []


@given(st.integers(1, 5000), st.integers(0, 200_000), st.integers(0, 50_000), st.floats(0, 1), st.floats(0, 1))
def test_bulk_is_chosen_only_when_it_takes_fewer_requests(
    contacts: int, plain: int, archived: int, share: float, apart_share: float
) -> None:
    """Counted one by one, bulk takes fewer requests whenever the model says so."""
    apart, subscribed = round(contacts * apart_share), round(plain * share)
    if bulk_is_cheaper(contacts, apart, (plain, archived), subscribed):
        assert pages(plain) + pages(archived) < contacts
        assert apart < contacts
        assert may_pay(contacts) or plain + archived == 0


def test_cost_of_known_cases() -> None:
    """Few contacts of a big audience go singly, many go in bulk; nobody reads a million statuses for 500 contacts."""
    assert bulk_is_cheaper(500, 0, (0, 0), 0)
    assert bulk_is_cheaper(10_000, 0, (10_000, 0), 10_000)
    assert not bulk_is_cheaper(500, 0, (1_000_000, 0), 1_000_000)
    assert not bulk_is_cheaper(500, 500, (1000, 0), 1000)
    assert not bulk_is_cheaper(100, 0, (10_000, 90_000), 0)


@given(st.dictionaries(st.integers(0, 2**64 - 2), st.sampled_from(STATUSES), max_size=3000))
def test_statuses_are_a_map(expected: dict[int, str]) -> None:
    """The compact table gives back what was put in, the last word winning, and nothing else."""
    table, ids = Statuses(), {f"{number:032x}"[::-1]: status for number, status in expected.items()}
    for contact_id in ids:
        table.put(contact_id, "pending")
    for contact_id, status in ids.items():
        table.put(contact_id, status)
    assert {contact_id: table.get(contact_id) for contact_id in ids} == ids
    assert len(table) == len(ids)
    assert table.get("f" * 32) is None
    table.put("e" * 32, "a status of tomorrow")
    assert table.get("e" * 32) is None


NAMES = st.sampled_from(["a", "A", "m1", "M1", "m2", "z"])


@given(st.lists(NAMES), st.lists(NAMES), st.lists(NAMES), st.booleans())
def test_tag_edits_lead_to_what_is_wanted(present: list[str], add: list[str], remove: list[str], whole: bool) -> None:
    """After the edits the tags are as wanted, those outside the managed ones untouched; doing it again edits nothing."""
    there = list({name.casefold(): name for name in present}.values())
    wanted = {name.casefold(): (name, True) for name in add}
    wanted.update({name.casefold(): (name, False) for name in remove})
    tagging, managed = Tagging(wanted, whole), is_managed(["M*"])
    edits = delta(tagging, there, managed)
    after = [name for name in there if name not in edits.remove] + list(edits.add)
    folded = {name.casefold() for name in after}
    assert len(folded) == len(after)
    assert all((key in folded) == on for key, (_, on) in wanted.items())
    untouched = {name.casefold() for name in there if name.casefold() not in wanted and not (whole and managed(name.casefold()))}
    assert untouched <= folded
    if whole:
        assert {name for name in folded if managed(name)} == {key for key, (_, on) in wanted.items() if on and managed(key)}
    assert not delta(tagging, after, managed)


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=4), st.builds(Delta, st.just(()), st.lists(NAMES, unique_by=str.casefold).map(tuple)), max_size=30
    )
)
def test_removals_are_grouped_without_loss(deltas: dict[str, Delta]) -> None:
    """Every tag of every contact is in one call; grouping is chosen only when it takes fewer calls."""
    calls = by_segment(deltas)
    pairs = sorted((email, call.tag.casefold()) for call in calls for email in call.contacts)
    assert pairs == sorted((email, name.casefold()) for email, one in deltas.items() for name in one.remove)
    assert segments_are_fewer(deltas) == (len(calls) < len(deltas))
