"""Representative runs of the connectors, whose requests are then looked at. Each begins with an empty Mailchimp."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

from airbyte_cdk.models import Status

from destination_mailchimp_unified.destination import DestinationMailchimpUnified
from integration_tests.commands import IMPATIENT, Source, catalog, config
from integration_tests.real.independent import drive
from mailchimp_emulator import DEFAULT_OAUTH_TOKEN, Emulator
from source_mailchimp_unified import SourceMailchimpUnified

Message = dict[str, Any]

STATUSES = {"subscribed": 5, "unsubscribed": 2, "cleaned": 1, "pending": 1, "transactional": 1, "archived": 1}
TYPES = ("number", "date", "birthday", "phone", "zip", "url", "imageurl", "address")
FIELDS = [*({"tag": f"M{name.upper()}", "type": name} for name in TYPES), {"tag": "MCHOICE", "type": "radio", "choices": ["Red", "Green"]}]
BUSY = {
    "id": "b" * 10,
    "name": "Busy",
    "contacts": 2300,
    "statuses": STATUSES,
    "tags": ["One", "Two"],
    "tags_per_contact": 1,
    "contacts_with_many_tags": {"count": 3, "tags": 60},
    "merge_fields": FIELDS,
}
EMPTY = {"id": "e" * 10, "name": "Empty", "merge_fields": FIELDS}


def read_demo(mailchimp: Emulator, folder: Path) -> None:
    """Read the demo in full, edit it, read it again from the states."""
    first = mailchimp.seed_demo()[0]
    source = Source(folder, config(mailchimp.url))
    output = source.read(catalog())
    mailchimp.clock(advance=60)
    for member in mailchimp.members(first)[:5]:
        mailchimp.act(first, member["email_address"], "add_tag", tag="Edited")
    mailchimp.clock(advance=60)
    assert source.read(catalog(), output.state()).records("contacts")


def read_busy(mailchimp: Emulator, folder: Path) -> None:
    """Read several pages of every status, contacts with more tags than a listing shows, interests and permissions."""
    mailchimp.seed({**BUSY, "interests": {"Topics": ["News", "Offers"]}, "marketing_permissions": True})
    source = Source(folder, config(mailchimp.url, include_remote_data=True, start_date="2020-01-01"))
    assert len(source.read(catalog()).records("contacts")) >= 2300


def read_signed_in(mailchimp: Emulator, folder: Path) -> None:
    """Check, discover and read with an access token, one status of one audience."""
    mailchimp.seed({**BUSY, "contacts": 50}, EMPTY)
    settings = config(mailchimp.url, list_ids=["b" * 10], statuses=["unsubscribed"])
    settings["credentials"] = {"auth_type": "oauth2.0", "access_token": DEFAULT_OAUTH_TOKEN}
    source, logger = SourceMailchimpUnified(IMPATIENT), logging.getLogger("source")
    assert source.check(logger, settings).status == Status.SUCCEEDED
    assert len(source.discover(logger, settings).streams) == 4
    assert Source(folder, settings).read(catalog(sync_mode="full_refresh")).records("contacts")


def copy_in_bulk(mailchimp: Emulator, folder: Path) -> None:
    """Copy an audience to an empty one, then once more with everything that may change contacts switched on."""
    messages = source_output(mailchimp, folder)
    write(mailchimp, folder, messages, write_mode="bulk")
    everything = {"apply_status": "always", "tag_mode": "replace", "managed_tags": ["*"], "restore_archived": True, "empty_values": "clear"}
    edited = [*edits(messages), row("fresh@contacts.example", custom_fields={"NEWFIELD": "x"})]
    write(mailchimp, folder, edited, write_mode="bulk", create_missing_merge_fields=True, **everything)
    assert mailchimp.member("e" * 10, "fresh@contacts.example")


def copy_singly(mailchimp: Emulator, folder: Path) -> None:
    """Copy a few contacts with everything that only single writes take."""
    messages = source_output(mailchimp, folder, contacts=20, marketing_permissions=True)
    [permission] = {p["marketing_permission_id"] for m in messages for p in m["record"]["data"].get("marketing_permissions") or ()}
    write(mailchimp, folder, messages, write_mode="single", suppress_automations=True)
    extras = {"vip": True, "language": "fr", "ip_signup": "192.0.2.1", "timestamp_signup": "2020-01-02T03:04:05Z"}
    consent = [{"marketing_permission_id": permission, "enabled": True}]
    rows = [row("fresh@contacts.example", **extras, location={"latitude": 48.2, "longitude": 16.4}, marketing_permissions=consent)]
    write(mailchimp, folder, [*edits(messages), *rows], write_mode="single", apply_status="always")


def write_refusals(mailchimp: Emulator, folder: Path) -> None:
    """Write contacts that Mailchimp refuses, one by one and in bulk."""
    mailchimp.seed({**EMPTY, "contacts": 20, "statuses": {"unsubscribed": 1, "cleaned": 1}})
    mailchimp.behavior(refuse_fake_domains=True)
    mailchimp.act("e" * 10, "gone@shop.com", "subscribe")
    mailchimp.act("e" * 10, "gone@shop.com", "forget")
    known = [row(member["email_address"], status="subscribed") for member in mailchimp.members("e" * 10)]
    wrong = [row("no address"), row("ada@example.com"), row("gone@shop.com"), row("bo@shop.com", custom_fields={"MZIP": "x"})]
    for write_mode in ("single", "bulk"):
        write(mailchimp, folder, [*known, *wrong], write_mode=write_mode, apply_status="always", on_compliance_state="pending")


def discover(mailchimp: Emulator, folder: Path) -> None:
    """Check and discover of the destination, with a list and without."""
    mailchimp.seed(BUSY | {"contacts": 5}, EMPTY)
    destination, logger = DestinationMailchimpUnified(IMPATIENT), logging.getLogger("destination")
    for more in ({"list_id": "e" * 10}, {}):
        assert destination.check(logger, config(mailchimp.url, **more)).status == Status.SUCCEEDED
        assert destination.discover(logger, config(mailchimp.url, **more))


def drive_client(mailchimp: Emulator, folder: Path) -> None:
    """Mailchimp's own client."""
    drive(mailchimp)


def source_output(mailchimp: Emulator, folder: Path, **more: Any) -> list[Message]:
    """Make an audience and an empty one, and return the contacts of the first as the source emits them."""
    mailchimp.seed({**BUSY, "contacts": 300, **more}, EMPTY | {name: more[name] for name in more if name != "contacts"})
    output = Source(folder, config(mailchimp.url, list_ids=["b" * 10])).read(catalog(["contacts"]))
    return [message for message in output.messages if message["type"] == "RECORD"]


def row(email: str, **columns: Any) -> Message:
    """Return a record of a contact."""
    return {"type": "RECORD", "record": {"stream": "contacts", "emitted_at": 1, "data": {"email": email, **columns}}}


def edits(messages: Iterable[Message]) -> list[Message]:
    """Return the records of another day: some edited, some tagged, some deleted at their source."""
    emails = [message["record"]["data"]["email"] for message in messages][:12]
    changes: tuple[dict[str, Any], ...] = (
        {"first_name": "Edited", "tags": [{"name": "Three"}]},
        {"status": "unsubscribed", "tags_to_remove": ["One"]},
        {"custom_fields": {"MNUMBER": 7}},
        {"_ab_cdc_deleted_at": "2026-01-01T00:00:00Z"},
    )
    return [row(email, **changes[place % len(changes)]) for place, email in enumerate(emails)]


def write(mailchimp: Emulator, folder: Path, messages: Iterable[Message], **options: Any) -> None:
    """Write messages with the destination."""
    lines = b"".join(json.dumps(message).encode() + b"\n" for message in messages)
    settings = config(mailchimp.url, list_id="e" * 10, **options)
    destination = DestinationMailchimpUnified(IMPATIENT)
    list(destination.write_lines(logging.getLogger("destination"), settings, catalog(["contacts"]), BytesIO(lines).read))
