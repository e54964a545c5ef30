"""The rules by which one member is created, updated, archived, forgotten and tagged.

Public source: https://mailchimp.com/developer/marketing/api/list-members/
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mailchimp_emulator.merge_rules import merged
from mailchimp_emulator.models import Member, subscriber_hash
from mailchimp_emulator.problems import (
    cannot_archive,
    forgotten,
    in_compliance_state,
    member_exists,
    method_not_allowed,
    not_found,
    required,
    signup_throttled,
)
from mailchimp_emulator.tagging import Tagging
from mailchimp_emulator.times import parse_second
from mailchimp_emulator.validation import check_email

UNSUBSCRIBED_BY_ADMIN = "N/A (Unsubscribed by admin)"
UNSUBSCRIBED_BY_SELF = "None given"
_EXTRAS = ("language", "vip", "ip_signup")


@dataclass(slots=True)
class Writer(Tagging):
    """One write of one audience at one moment."""

    caller_ip: str = ""
    skip_merge_validation: bool = False
    # What people and administrators do in the web application, where the rules of the API do not hold.
    outside_the_api: bool = False

    # POST

    def create(self, body: dict[str, Any]) -> Member:
        """Add a contact; an archived one comes back with its tags and values, any other is refused."""
        if "email_address" not in body or "status" not in body:
            raise required(*(name for name in ("email_address", "status") if name not in body))
        found = self.audience.members.get(subscriber_hash(body["email_address"]))
        if found is None:
            return self.insert(body, body["status"])
        if found.status != "archived":
            raise member_exists(body["email_address"])
        self.amend(found, body, body["status"])
        self.tag(found, body.get("tags", []))
        return found

    def insert(self, body: dict[str, Any], status: str) -> Member:
        """Add a contact that the audience does not know."""
        email = body["email_address"].strip()
        check_email(email, refuse_fakes=self.behavior.refuse_fake_domains)
        if subscriber_hash(email) in self.audience.forgotten:
            raise forgotten(email)
        self._not_throttled(email, status)
        values = self._merged({}, body, check_required=True)
        made = Member(self.audience.next_seq(), email, status, self.now, values, {})
        self.enter(made, status)
        self._apply_plain(made, body)
        self.audience.add(made)
        self.tag(made, body.get("tags", []))
        return made

    # PUT

    def upsert(self, key: str, body: dict[str, Any]) -> Member:
        """Update the contact of the path, or create the one of the body, whose id need not be the path's."""
        found = self.audience.find(key)
        if found is not None:
            status = body.get("status")
            if status is None and found.status == "archived" and self.behavior.status_if_new_unarchives:
                status = body.get("status_if_new")
            self.amend(found, body, status)
            return found
        return self._create_by_put(body)

    def _create_by_put(self, body: dict[str, Any]) -> Member:
        if "email_address" not in body:
            raise required("email_address")
        status = body.get("status") or body.get("status_if_new")
        if status is None:
            raise required("status_if_new")
        if subscriber_hash(body["email_address"]) in self.audience.members:
            raise member_exists(body["email_address"])
        return self.insert(body, status)

    # PATCH

    def update(self, key: str, body: dict[str, Any]) -> Member:
        """Change a contact that must be there and not archived."""
        found = self.member(key)
        if found.status == "archived":
            # The way back from the archive is PUT: the Allow header of an archived member names GET and PUT.
            raise not_found() if self.behavior.patch_archived_status == 404 else method_not_allowed("GET, PUT")
        self.amend(found, body, body.get("status"), check_required=False)
        return found

    # Any change of an existing member.

    def amend(self, member: Member, body: dict[str, Any], status: str | None, *, check_required: bool = True) -> bool:
        """Apply a body to a member; False when nothing was different, and last_changed stays."""
        status = self._allowed(member, status)
        values = self._merged(member.merge_fields, body, check_required=check_required)
        moved = self._readdress(member, body.get("email_address"))
        different = values != member.merge_fields
        member.merge_fields = values
        plain = self._apply_plain(member, body)
        new_status = status if status and status != member.status else None
        if not (moved or different or plain or new_status):
            return False
        if new_status:
            self.enter(member, new_status)
        self.audience.changed(member, self.now, new_status)
        return True

    def _allowed(self, member: Member, status: str | None) -> str | None:
        """The status that a member may have; who left by themselves, or bounced, is not subscribed by anybody else."""
        if status != "subscribed" or member.status == "subscribed":
            return status
        lapsed = member.status == "archived" and not self.behavior.compliance_survives_archive
        held, behavior = bool(member.compliance) and not lapsed, self.behavior
        if member.status == "pending":
            reading = behavior.subscribe_held_pending if held else behavior.subscribe_pending
        else:
            reading = "error" if held else "taken"
        if reading == "error":
            raise in_compliance_state(member.email)
        if reading == "taken":
            self._not_throttled(member.email, status)
        return status if reading == "taken" else None

    def _not_throttled(self, email: str, status: str) -> None:
        """Refuse those whom Mailchimp lets sign up no more for now, as often as the flag says; -1 is always."""
        throttled, key = self.behavior.throttled_signups, email.lower()
        if self.outside_the_api or status not in ("subscribed", "pending") or not throttled.get(key):
            return
        throttled[key] -= 1 if throttled[key] > 0 else 0
        raise signup_throttled(email)

    def _readdress(self, member: Member, email: str | None) -> bool:
        if not email or email == member.email:
            return False
        identity = subscriber_hash(email)
        if identity == member.id and not self.behavior.email_case_changes:
            return False
        if identity != member.id:
            check_email(email, refuse_fakes=self.behavior.refuse_fake_domains)
            if identity in self.audience.members:
                raise member_exists(email)
            if identity in self.audience.forgotten:
                raise forgotten(email)
        self.audience.readdress(member, email)
        return True

    def _merged(self, current: dict[str, Any], body: dict[str, Any], *, check_required: bool) -> dict[str, Any]:
        return merged(
            self.audience,
            current,
            body.get("merge_fields", {}),
            check_required=check_required and not self.skip_merge_validation,
            strict_address=self.behavior.incomplete_address == "schema",
            check_stored=self.behavior.stored_address_checked and not (self.skip_merge_validation or self.outside_the_api),
        )

    def enter(self, member: Member, status: str) -> None:
        """What comes with a new status: opt-in time, reason, compliance."""
        coming_back = member.status in ("archived", "pending") or member.timestamp_opt == 0
        if status == "subscribed":
            self.audience.last_sub = self.now
            member.compliance = ""
            if coming_back:
                member.timestamp_opt, member.ip_opt = self.now, self.caller_ip
        elif status == "unsubscribed":
            self.audience.last_unsub = self.now
            member.reason, member.unsubscribed_by = UNSUBSCRIBED_BY_ADMIN, member.unsubscribed_by or "admin"
        elif status == "cleaned":
            member.compliance = "cleaned"
        if status == "subscribed":
            member.unsubscribed_by = ""

    def _apply_plain(self, member: Member, body: dict[str, Any]) -> bool:
        """Set what needs no rules; True when anything was different."""
        before = (member.email_type, member.ip_opt, member.timestamp_opt, member.timestamp_signup, member.rarities)
        member.email_type = body.get("email_type") or member.email_type
        member.ip_opt = body.get("ip_opt") or member.ip_opt
        member.timestamp_opt = parse_second(body.get("timestamp_opt", "")) or member.timestamp_opt
        member.timestamp_signup = parse_second(body.get("timestamp_signup", "")) or member.timestamp_signup
        for name in _EXTRAS:
            if name in body and body[name] != member.rare(name, None):
                member.set_rare(name, body[name])
        self._apply_maps(member, body)
        after = (member.email_type, member.ip_opt, member.timestamp_opt, member.timestamp_signup, member.rarities)
        return before != after

    def _apply_maps(self, member: Member, body: dict[str, Any]) -> None:
        known = set(self.audience.interest_ids())
        chosen = {name: bool(on) for name, on in body.get("interests", {}).items() if name in known}
        place = {name: body["location"][name] for name in ("latitude", "longitude") if name in body.get("location", {})}
        rows = body.get("marketing_permissions", [])
        given = {row["marketing_permission_id"]: bool(row.get("enabled")) for row in rows if isinstance(row, dict)}
        for name, sent in (("interests", chosen), ("location", place), ("marketing_permissions", given)):
            if sent:
                member.set_rare(name, {**member.rare(name, {}), **sent})

    # Leaving.

    def member(self, key: str) -> Member:
        """The contact of that hash, address or contact_id, or 404."""
        found = self.audience.find(key)
        if found is None:
            raise not_found()
        return found

    def archive(self, key: str) -> None:
        """Archive a contact that is not bounced, pending or archived."""
        found = self.member(key)
        if found.status in ("cleaned", "pending", "archived"):
            raise cannot_archive()
        self.audience.changed(found, self.now, "archived")

    def leave(self, member: Member) -> None:
        """A person unsubscribes: nobody but that person can undo it."""
        member.reason, member.unsubscribed_by, member.compliance = UNSUBSCRIBED_BY_SELF, "self", "self"
        self.audience.last_unsub = self.now
        self.audience.changed(member, self.now, "unsubscribed")

    def join(self, member: Member) -> None:
        """A person subscribes, or confirms: that lifts every hold."""
        member.compliance = ""
        self.enter(member, "subscribed")
        self.audience.changed(member, self.now, "subscribed")

    def forget(self, key: str) -> None:
        """Delete a contact for good."""
        self.audience.remove(self.member(key))
