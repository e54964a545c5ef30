"""Where changes are carried out, and by which rules."""

from __future__ import annotations

from dataclasses import dataclass

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.listing import is_fresh
from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.planning.changes import Change
from destination_mailchimp_unified.planning.tags import Delta, delta, is_managed
from destination_mailchimp_unified.sending.new_contacts import NewContacts
from mailchimp_unified.endpoints import without_validation
from mailchimp_unified.paging import Pager
from mailchimp_unified.request import Json, Request


@dataclass(frozen=True)
class Scope:
    """An audience, the configuration, and the way to Mailchimp.

    `began` is the moment from which on a change is one of ours, by Mailchimp's clock, RFC 3339; "" is the audience's own.
    """

    audience: Audience
    config: DestinationConfig
    pager: Pager
    new_contacts: NewContacts
    began: str = ""

    @property
    def list_id(self) -> str:
        """The id of the audience."""
        return self.audience.id

    def is_fresh(self) -> bool:
        """Return whether what is known of the statuses may be acted on."""
        return is_fresh(self.audience)

    def is_absent(self, change: Change) -> bool:
        """Return whether a contact is surely new, as far as the last look at a whole listing goes."""
        audience = self.audience
        known = audience.statuses is not None and audience.listed_whole and self.is_fresh()
        return known and audience.status_of(change.id) is None and change.id not in audience.appeared

    def writing(self, request: Request) -> Request:
        """Return a call that writes contacts as the configuration wants it: required merge fields enforced or not."""
        skips = self.config.required_fields == "skip" and request.method in ("PUT", "PATCH", "POST")
        return without_validation(request) if skips else request

    def changed(self, member: Json) -> bool:
        """Return whether an answer shows that the contact changed since we began."""
        return str(member.get("last_changed") or "") >= (self.began or self.audience.began)

    def delta(self, change: Change, names: list[str]) -> Delta:
        """Return the tag edits that a change asks of a contact with the tags `names`, as the audience spells them."""
        found = delta(change.tagging, names, is_managed(self.config.managed_tags))
        return Delta(tuple(self.audience.spelled(name) for name in found.add), found.remove)
