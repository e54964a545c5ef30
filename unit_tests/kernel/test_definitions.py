"""What every task shares is never changed."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest

from mailchimp_unified.entities import ENTITIES
from mailchimp_unified.entities.contact_fields import FIELDS
from mailchimp_unified.entities.merge_field import VALUE_TYPES, MergeField
from mailchimp_unified.sign_in.command import Application

SHARED = [ENTITIES["contacts"], FIELDS["email"], VALUE_TYPES["text"], MergeField("FNAME", "text"), Application("app", "made-up")]


@pytest.mark.parametrize("shared", SHARED, ids=lambda shared: type(shared).__name__)
def test_a_definition_cannot_be_changed(shared: Any) -> None:
    """Streams, lanes and tasks hold the same one: nobody may change it for the others."""
    for field in fields(shared):
        with pytest.raises(FrozenInstanceError):
            setattr(shared, field.name, None)
