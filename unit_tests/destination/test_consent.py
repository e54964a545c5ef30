"""Which status a new contact gets, and which status an existing one is moved to: every case, without a call."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.intake.arrivals import Entry
from destination_mailchimp_unified.planning.changes import Change
from destination_mailchimp_unified.planning.consent import STAYS_ARCHIVED, direct_status, new_status, notes, status_to_set, wants_status
from mailchimp_unified.entities.contact import STATUSES

ASKS_FIRST = Audience("a1", double_optin=True)
ASKS_NOBODY = Audience("a1")


def config(**options: Any) -> DestinationConfig:
    """Return a configuration with options."""
    return DestinationConfig.model_validate({"credentials": {"auth_type": "oauth2.0", "access_token": "t"}, **options})


def change(**more: Any) -> Change:
    """Return what is wanted of a contact."""
    return Change("ada@contacts.example", "1" * 32, [Entry((None, "s"), 0, 1)], **more)


NEW: list[tuple[dict[str, Any], dict[str, Any], str | None]] = [
    # The configuration, what the record says, and the status of the new contact.
    ({}, {}, "subscribed"),
    ({"status_if_new": "pending"}, {}, "pending"),
    ({"status_if_new": "transactional"}, {}, "transactional"),
    # A status can only ask for less than the configuration gives.
    *(({}, {"status": status}, status) for status in ("subscribed", "pending", "unsubscribed", "transactional")),
    ({"status_if_new": "pending"}, {"status": "subscribed"}, "pending"),
    ({"status_if_new": "pending"}, {"status": "pending"}, "pending"),
    ({"status_if_new": "pending"}, {"status": "unsubscribed"}, "unsubscribed"),
    ({"status_if_new": "unsubscribed"}, {"status": "subscribed"}, "unsubscribed"),
    ({"status_if_new": "unsubscribed"}, {"status": "pending"}, "unsubscribed"),
    ({"status_if_new": "unsubscribed"}, {"status": "transactional"}, "transactional"),
    ({"status_if_new": "transactional"}, {"status": "unsubscribed"}, "unsubscribed"),
    ({"status_if_new": "unsubscribed", "apply_status": "opt_outs"}, {"status": "subscribed"}, "unsubscribed"),
    ({"status_if_new": "unsubscribed", "apply_status": "always"}, {"status": "subscribed"}, "subscribed"),
    # What the record says of new contacts comes first.
    ({"status_if_new": "unsubscribed"}, {"status_if_new": "subscribed"}, "subscribed"),
    ({}, {"status": "unsubscribed", "status_if_new": "pending"}, "pending"),
    # Nobody is created as one of these, or where only contacts that are there are written.
    *(({"apply_status": "always"}, {"status": status}, None) for status in ("cleaned", "archived")),
    ({}, {"status": "cleaned", "status_if_new": "subscribed"}, None),
    ({}, {"existing_only": True}, None),
    ({}, {"existing_only": True, "status": "subscribed"}, None),
]


@pytest.mark.parametrize(("options", "said", "status"), NEW)
def test_a_new_contact_gets_what_configuration_and_record_give(options: dict[str, Any], said: dict[str, Any], status: str | None) -> None:
    """The record's own word for new contacts comes first, then the lesser of its status and the configuration."""
    assert new_status(change(**said), ASKS_NOBODY, config(**options)) == status


@pytest.mark.parametrize(("options", "said", "status"), NEW)
def test_on_double_opt_in_a_new_contact_is_asked_first(options: dict[str, Any], said: dict[str, Any], status: str | None) -> None:
    """Who would be subscribed is pending; every other status is as without."""
    assert new_status(change(**said), ASKS_FIRST, config(**options)) == ("pending" if status == "subscribed" else status)


@pytest.mark.parametrize("said", [{}, {"status": "subscribed"}, {"status_if_new": "subscribed"}])
def test_nobody_is_asked_where_the_configuration_subscribes(said: dict[str, Any]) -> None:
    """A configuration that says subscribed holds on double opt-in, too."""
    assert new_status(change(**said), ASKS_FIRST, config(status_if_new="subscribed")) == "subscribed"


LEAVING = {(now, wanted) for now in ("subscribed", "pending") for wanted in ("unsubscribed", "cleaned", "transactional")}
MOVES: dict[str, set[tuple[str, str]]] = {
    "never": set(),
    "opt_outs": {*LEAVING, ("transactional", "unsubscribed")},
    "always": {
        (now, wanted)
        for now, wanted in product(STATUSES, STATUSES)
        if wanted not in (now, "archived") and (now, wanted) != ("pending", "subscribed")
    },
}


@pytest.mark.parametrize("apply_status", MOVES)
def test_a_contact_is_moved_as_apply_status_allows(apply_status: str) -> None:
    """Opt-outs take contacts out only; always moves to every status, but who was asked has to answer; archived is another call."""
    given = config(apply_status=apply_status)
    for now, wanted in product(STATUSES, STATUSES):
        moved = (now, wanted) in MOVES[apply_status]
        assert status_to_set(change(status=wanted), now, ASKS_NOBODY, given) == (wanted if moved else None)
    assert all(status_to_set(change(), now, ASKS_NOBODY, given) is None for now in STATUSES)


@pytest.mark.parametrize("now", ["unsubscribed", "cleaned", "transactional", "archived"])
@pytest.mark.parametrize(("status_if_new", "moved"), [("auto", "pending"), ("unsubscribed", "pending"), ("subscribed", "subscribed")])
def test_who_is_subscribed_again_on_double_opt_in_is_asked_first(now: str, status_if_new: str, moved: str) -> None:
    """Unless the configuration says that new contacts are subscribed."""
    given = config(apply_status="always", status_if_new=status_if_new)
    assert status_to_set(change(status="subscribed"), now, ASKS_FIRST, given) == moved
    assert status_to_set(change(status="unsubscribed"), "subscribed", ASKS_FIRST, given) == "unsubscribed"


@pytest.mark.parametrize(
    ("options", "said", "status"),
    [
        ({}, {}, "subscribed"),
        ({"status_if_new": "pending"}, {}, "pending"),
        ({}, {"status": "unsubscribed"}, "unsubscribed"),
        ({"apply_status": "opt_outs"}, {"status": "unsubscribed"}, "unsubscribed"),
        ({"apply_status": "always"}, {"status": "pending"}, "pending"),
        ({"apply_status": "always"}, {"status": "archived"}, None),
        ({}, {"status": "cleaned"}, None),
        ({}, {"existing_only": True}, None),
    ],
)
def test_who_comes_back_from_the_archive_is_as_new(options: dict[str, Any], said: dict[str, Any], status: str | None) -> None:
    """With restore_archived an archived contact gets the status of a new one; nobody else does."""
    given = config(restore_archived=True, **options)
    assert status_to_set(change(**said), "archived", ASKS_NOBODY, given) == status
    if given.apply_status == "never":
        assert status_to_set(change(**said), "archived", ASKS_NOBODY, config(**options)) is None
        assert status_to_set(change(**said), "transactional", ASKS_NOBODY, given) is None


@pytest.mark.parametrize("apply_status", ["never", "opt_outs", "always"])
@pytest.mark.parametrize("status", [None, *STATUSES])
def test_two_statuses_go_with_the_fields(status: str | None, apply_status: str) -> None:
    """Mailchimp takes unsubscribed and cleaned together with fields; that is done where every status is applied."""
    direct = apply_status == "always" and status in ("unsubscribed", "cleaned")
    assert direct_status(change(status=status), config(apply_status=apply_status)) == (status if direct else None)


@pytest.mark.parametrize(
    ("apply_status", "status", "now", "wants"),
    [
        ("never", "unsubscribed", "subscribed", False),
        ("never", None, "subscribed", False),
        ("opt_outs", "unsubscribed", "subscribed", True),
        ("opt_outs", "subscribed", "unsubscribed", True),
        ("opt_outs", "unsubscribed", "unsubscribed", False),
        ("opt_outs", None, "unsubscribed", False),
        ("always", "pending", "archived", True),
        ("always", None, "archived", False),
    ],
)
def test_a_status_is_wanted_where_it_differs_and_may_be_applied(apply_status: str, status: str | None, now: str, wants: bool) -> None:
    """A record without a status, or with the one that the contact has, wants none."""
    assert wants_status(change(status=status), now, config(apply_status=apply_status)) is wants


@pytest.mark.parametrize(
    ("said", "now", "apply_status", "archived", "others"),
    [
        ({}, "subscribed", "never", False, 0),
        ({}, "archived", "never", True, 0),
        ({"status": "archived"}, "archived", "never", True, 0),
        ({"status": "subscribed"}, "archived", "never", True, 1),
        ({"status": "subscribed"}, "subscribed", "never", False, 0),
        ({"status": "subscribed"}, "unsubscribed", "never", False, 1),
        ({"status": "subscribed"}, "unsubscribed", "opt_outs", False, 1),
        ({"status": "subscribed"}, "pending", "always", False, 1),
        ({"status": "subscribed", "kind": "archive"}, "unsubscribed", "never", False, 0),
        ({"kind": "archive"}, "archived", "never", False, 0),
        ({"kind": "unsubscribe", "status": "subscribed"}, "archived", "always", False, 0),
    ],
)
def test_what_was_left_undone_is_noted(said: dict[str, Any], now: str, apply_status: str, archived: bool, others: int) -> None:
    """That a contact stays archived, and that its status was not applied; a deletion leaves nothing undone."""
    found = notes(change(**said), now, config(apply_status=apply_status))
    assert (STAYS_ARCHIVED in found) is archived
    assert len(found) == archived + others
    # Only an option that can be changed is named.
    assert any("apply_status" in note for note in found) is (others == 1 and apply_status != "always")
