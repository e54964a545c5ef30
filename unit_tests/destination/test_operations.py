"""What a stream may do: its sync mode, as far as `write_policy` allows it."""

from __future__ import annotations

import itertools

import pytest

from destination_mailchimp_unified.intake.operations import CREATING, MODES, OFFERED_MODES, operation_of

POLICIES = ("upsert", "update_only", "create_only")


@pytest.mark.parametrize(
    ("mode", "by_policy"),
    [
        ("append", ("create", None, "create")),
        ("append_dedup", ("upsert", "update", "create")),
        ("update", ("update", "update", None)),
        ("soft_delete", ("archive", "archive", None)),
    ],
)
def test_the_stricter_of_mode_and_policy_counts(mode: str, by_policy: tuple[str | None, ...]) -> None:
    """With a destination object append inserts; what mode and policy rule out together is nothing that can be configured."""
    assert tuple(operation_of(mode, policy, has_object=True) for policy in POLICIES) == by_policy


@pytest.mark.parametrize(("mode", "policy"), itertools.product(MODES, POLICIES))
def test_a_policy_is_never_exceeded(mode: str, policy: str) -> None:
    """With and without an object nobody is created under update_only, and nobody who is there is written under create_only."""
    for has_object in (True, False):
        operation = operation_of(mode, policy, has_object=has_object)
        assert not (policy == "update_only" and operation in CREATING)
        assert not (policy == "create_only" and operation not in ("create", None))


def test_without_an_object_append_is_an_upsert() -> None:
    """A table that is appended to an audience brings its contacts up to date: an audience holds each contact once."""
    assert operation_of("append", "upsert", has_object=False) == "upsert"
    assert set(OFFERED_MODES) <= set(MODES)
