"""POST /lists/{list_id}: up to 500 contacts at once, answered 200 with one entry for each.

Public source: https://mailchimp.com/developer/marketing/api/lists/batch-subscribe-or-unsubscribe/
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mailchimp_emulator.models import Member, subscriber_hash
from mailchimp_emulator.problems import FieldErrors, Problem, required, schema_problem, too_many_members
from mailchimp_emulator.validation import member_errors, typed_fields
from mailchimp_emulator.vendor import MAX_BULK_MEMBERS
from mailchimp_emulator.writes import Writer

_TYPES = {"members": "array", "sync_tags": "boolean", "update_existing": "boolean"}


def _error_row(email: str, error: str, code: str = "ERROR_GENERIC", field: str = "", message: str = "") -> dict[str, str]:
    return {
        "email_address": email,
        "error": error,
        "error_code": code,
        "field": field,
        "field_message": message,
    }


def contact_exists(email: str) -> dict[str, str]:
    """The row of an address that is on the list when update_existing is off."""
    error = f"{email} is already a list member, do you want to update? please provide update_existing:true in the request body"
    return _error_row(email, error, "ERROR_CONTACT_EXISTS")


def _refused(email: str, problem: Problem) -> dict[str, str]:
    first = problem.errors[0] if problem.errors else {"field": "", "message": ""}
    return _error_row(email, problem.detail, field=first["field"], message=first["message"])


def check_body(body: dict[str, Any]) -> None:
    """One wrong type in one row refuses the whole request."""
    if "members" not in body:
        raise required("members")
    errors: FieldErrors = typed_fields(body, _TYPES)
    if not errors:
        if len(body["members"]) > MAX_BULK_MEMBERS:
            raise too_many_members()
        for place, row in enumerate(body["members"]):
            errors += member_errors(row, f"members.item:{place}.")
            errors += _address_missing(row, place)
    if errors:
        raise schema_problem(errors)


def _address_missing(row: Any, place: int) -> FieldErrors:
    if not isinstance(row, dict) or "email_address" in row:
        return []
    message = "Required fields were not provided: email_address"
    return [{"field": f"members.item:{place}", "message": message}]


@dataclass(slots=True)
class BulkWrite:
    """One bulk request on its way through its rows."""

    writer: Writer
    update_existing: bool
    sync_tags: bool
    skip_duplicate_check: bool
    new_members: list[Member] = field(default_factory=list)
    updated_members: list[Member] = field(default_factory=list)
    errors: list[dict[str, str]] = field(default_factory=list)

    def run(self, rows: list[dict[str, Any]]) -> None:
        """Write the rows in their order."""
        seen: set[str] = set()
        for row in rows:
            identity = subscriber_hash(row["email_address"].strip())
            if identity not in seen:
                seen.add(identity)
                self._drop_or_write(row, identity)
            elif not self.skip_duplicate_check:
                email = row["email_address"]
                self.errors.append(_error_row(email, f"Duplicate items found in the request: {email}"))

    def _drop_or_write(self, row: dict[str, Any], identity: str) -> None:
        behavior = self.writer.behavior
        if behavior.bulk_drop_rows <= 0:
            self._write(row, identity)
            return
        behavior.bulk_drop_rows -= 1
        if behavior.bulk_dropped_rows_take_effect:
            BulkWrite(self.writer, self.update_existing, self.sync_tags, skip_duplicate_check=True).run([row])

    def _write(self, row: dict[str, Any], identity: str) -> None:
        found = self.writer.audience.members.get(identity)
        try:
            if found is None:
                self._insert(row)
            elif found.status == "archived" and (status := self._status(row, new=not self.update_existing)):
                self._unarchive(found, row, status)
            elif self.update_existing:
                self._update(found, row)
            elif found.status == "archived":
                raise required("status")
            else:
                self.errors.append(contact_exists(row["email_address"]))
        except Problem as problem:
            self._refuse(row, problem)

    def _refuse(self, row: dict[str, Any], problem: Problem) -> None:
        compliance = problem.title == "Member In Compliance State"
        if not (compliance and self.writer.behavior.bulk_refused_compliance == "ignore"):
            self.errors.append(_refused(row["email_address"], problem))

    def _status(self, row: dict[str, Any], *, new: bool) -> str | None:
        """The status a row asks for; without one it depends on a flag, since nobody documents it."""
        if "status" in row:
            return str(row["status"])
        if new and "status_if_new" in row:
            return str(row["status_if_new"])
        behavior = self.writer.behavior
        assumed = behavior.bulk_new_without_status if new else behavior.bulk_without_status
        return "subscribed" if assumed == "subscribed" else None

    def _insert(self, row: dict[str, Any]) -> None:
        status = self._status(row, new=True)
        if status is None:
            raise required("status")
        self.new_members.append(self.writer.insert(row, status))

    def _unarchive(self, found: Member, row: dict[str, Any], status: str) -> None:
        self.writer.amend(found, row, status)
        self._tag(found, row)
        self.new_members.append(found)

    def _update(self, found: Member, row: dict[str, Any]) -> None:
        self.writer.amend(found, row, self._status(row, new=False))
        self._tag(found, row)
        self.updated_members.append(found)

    def _tag(self, member: Member, row: dict[str, Any]) -> None:
        if "tags" not in row:
            return
        if self.sync_tags and self.update_existing:
            kept = {name.strip().casefold() for name in row["tags"]}
            segments = self.writer.audience.segments
            self.writer.untag_ids(member, [tag for tag in member.tags if segments[tag].name.casefold() not in kept])
        self.writer.tag(member, row["tags"])
