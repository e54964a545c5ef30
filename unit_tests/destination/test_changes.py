from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.intake.arrivals import Arrival, Entry
from destination_mailchimp_unified.intake.contact import MappedContact
from destination_mailchimp_unified.planning.changes import Change, Waiting, change_of
from destination_mailchimp_unified.planning.tags import is_managed
from mailchimp_unified.entities.merge_field import MergeField

CONFIG = DestinationConfig.model_validate({"credentials": {"auth_type": "oauth2.0", "access_token": "t"}})
REPLACING = CONFIG.model_copy(update={"tag_mode": "replace", "managed_tags": ["m*"]})
AUDIENCE = Audience("a1", merge_fields={tag: MergeField(tag, "text") for tag in ("FNAME", "LNAME", "COMPANY")})
NAMES = st.sampled_from(["m1", "M1", "m2", "own", "Own"])

ROWS = st.fixed_dictionaries(
    {"email": st.sampled_from(["a@x.org", "A@x.org", "b@x.org", " B@X.org"])},
    optional={
        "first_name": st.sampled_from(["1", "2", None]),
        "custom_fields": st.dictionaries(st.sampled_from(["COMPANY", "LNAME"]), st.sampled_from(["x", "y", None])),
        "tags": st.lists(NAMES, max_size=3),
        "tags_to_remove": st.lists(NAMES, max_size=2),
        "status": st.sampled_from(["subscribed", "unsubscribed"]),
        "is_deleted": st.booleans(),
        "vip": st.booleans(),
    },
)


def arrivals(rows: list[dict[str, Any]]) -> list[Arrival]:
    """Records as they come in."""
    return [Arrival(Entry((None, "s"), 0, number), MappedContact(row)) for number, row in enumerate(rows)]


def changes_of(rows: list[dict[str, Any]], config: DestinationConfig) -> list[Change]:
    """The changes that rows ask for."""
    changes = [change_of(arrival, AUDIENCE, config) for arrival in arrivals(rows)]
    assert all(isinstance(change, Change) for change in changes)
    return [change for change in changes if isinstance(change, Change)]


def applied(contact: dict[str, Any], change: Change, patterns: list[str]) -> dict[str, Any]:
    """What Mailchimp makes of a contact by a change: the rules again, in the plainest words."""
    body = {name: value for name, value in change.body.items() if name not in ("email_address", "merge_fields")}
    fields = {**contact.get("fields", {}), **change.body.get("merge_fields", {})}
    tags = set(contact.get("tags", ()))
    wanted = {name.casefold() for name in change.tagging.additions}
    if change.tagging.whole:
        tags = {name for name in tags if not is_managed(patterns)(name) or name in wanted}
    tags = (tags | wanted) - {name.casefold() for name in change.tagging.removals}
    return {**contact, **body, "fields": fields, "tags": tags}


@given(st.lists(ROWS, max_size=12), st.booleans())
def test_folding_has_the_effect_of_one_after_the_other(rows: list[dict[str, Any]], replacing: bool) -> None:
    """Folded changes leave every contact as its changes would, one after the other, deletions that are taken back left out."""
    config = REPLACING if replacing else CONFIG
    changes = changes_of(rows, config)
    waiting = Waiting(is_managed(config.managed_tags))
    entries = [entry for change in changes for entry in waiting.add(change)]
    for contact_id in {change.id for change in changes}:
        mine = [change for change in changes if change.id == contact_id]
        last_upsert = max((place for place, change in enumerate(mine) if change.kind == "upsert"), default=-1)
        plain: dict[str, Any] = {"tags": {"m2", "own"}}
        for change in mine:
            plain = applied(plain, change, config.managed_tags) if change.kind == "upsert" else plain
        folded: dict[str, Any] = {"tags": {"m2", "own"}}
        deleted = False
        while contact_id in waiting:
            head = next(change for change in waiting.heads(set()) if change.id == contact_id)
            waiting.take(head)
            entries += head.entries
            deleted = head.kind != "upsert"
            folded = applied(folded, head, config.managed_tags) if head.kind == "upsert" else folded
        assert folded == plain
        assert deleted == (last_upsert < len(mine) - 1)
    assert sorted(entry.number for entry in entries) == list(range(len(rows)))


@given(st.lists(ROWS, min_size=1, max_size=12))
def test_heads_hold_every_address_once(rows: list[dict[str, Any]]) -> None:
    """Only one change per email address is sent at a time, in any spelling, and none while one is on its way."""
    waiting = Waiting(is_managed([]))
    changes = changes_of(rows, CONFIG)
    for change in changes:
        waiting.add(change)
    heads = [change.id for change in waiting.heads(set())]
    assert sorted(heads) == sorted({change.id for change in changes})
    assert waiting.heads(set(heads)) == []
