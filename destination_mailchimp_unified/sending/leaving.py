"""Those who carry the membership tag: reading them, and taking the tag from those who left."""

from __future__ import annotations

from dataclasses import dataclass, field

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.contact_ids import ContactIds
from destination_mailchimp_unified.planning.leaving import Seen, fate, is_too_many
from destination_mailchimp_unified.planning.tags import SEGMENT_MEMBERS, Delta, tag_rows
from mailchimp_unified import endpoints
from mailchimp_unified.errors import NotFoundError, RejectedRecordError
from mailchimp_unified.loops import together
from mailchimp_unified.paging import Page, Pager


@dataclass
class TaggedContacts:
    """How many contacts carry a tag, and those of them who left, as (id, email address). `whole` tells whether all were listed.

    Email addresses are kept only as long as few enough left: where too many did, nobody needs them.
    """

    count: int = 0
    left: int = 0
    changed: int = 0
    whole: bool = True
    leaving: list[tuple[str, str]] = field(default_factory=list)


async def read_tagged(audience: Audience, tag_id: int, presence: Seen, most_percent: float, pager: Pager) -> TaggedContacts:
    """Read who carries a tag and who of them left. Raises what the client raises; a tag that is gone is carried by nobody."""
    found, seen = TaggedContacts(), ContactIds()
    collection = endpoints.tag_members(audience.id, tag_id)
    try:
        async for page in pager.down(collection):
            _note(found, page, audience, presence, seen)
            if is_too_many(found.left, max(found.count, page.total), most_percent):
                found.leaving.clear()
    except NotFoundError:
        return TaggedContacts()
    found.whole = not pager.disagrees(collection)
    return found


def _note(found: TaggedContacts, page: Page, audience: Audience, presence: Seen, seen: ContactIds) -> None:
    for member in page.items:
        contact_id = str(member["id"])
        # A contact may be on two pages while others join.
        if not seen.add(contact_id):
            continue
        found.count += 1
        what = fate(presence, audience.id, contact_id, str(member.get("last_changed") or ""), audience.began)
        if what == "leaves":
            found.left += 1
            found.leaving.append((contact_id, str(member["email_address"])))
        found.changed += what == "changed meanwhile"


async def take_tag(
    audience: Audience, tag: str, tag_id: int, leaving: list[tuple[str, str]], pager: Pager, *, suppress_automations: bool
) -> int:
    """Take a tag from contacts, five hundred at once where automations need not be suppressed. Returns how many Mailchimp refuses.

    Raises what the client raises for anything that concerns no single contact: the sync has to be run again.
    """
    chunks = [leaving[start : start + SEGMENT_MEMBERS] for start in range(0, len(leaving), SEGMENT_MEMBERS)]
    if not suppress_automations:
        return sum(await together(*(_take(audience, tag_id, [email for _, email in chunk], pager) for chunk in chunks)))
    refused = 0
    for chunk in chunks:
        refused += sum(await together(*(_take_singly(audience, tag, contact_id, pager) for contact_id, _ in chunk)))
    return refused


async def _take(audience: Audience, tag_id: int, emails: list[str], pager: Pager) -> int:
    try:
        await pager.client.call(endpoints.untag(audience.id, tag_id, emails))
    except NotFoundError:
        # Nobody has a tag that is gone.
        return 0
    except RejectedRecordError:
        if len(emails) == 1:
            return 1
        middle = len(emails) // 2
        return sum([await _take(audience, tag_id, half, pager) for half in (emails[:middle], emails[middle:])])
    return 0


async def _take_singly(audience: Audience, tag: str, contact_id: str, pager: Pager) -> int:
    rows = tag_rows(Delta(remove=(tag,)))
    try:
        await pager.client.call(endpoints.edit_tags(audience.id, contact_id, rows, is_syncing=True))
    except NotFoundError:
        return 0
    except RejectedRecordError:
        return 1
    return 0
