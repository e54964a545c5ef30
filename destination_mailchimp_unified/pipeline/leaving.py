"""The end of a sync for those who did not come: which audiences can be judged, who left them, and what is said about it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.lookups import load_tags
from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.intake.arrivals import Arrival, StreamKey
from destination_mailchimp_unified.intake.refreshes import INCREMENTAL
from destination_mailchimp_unified.intake.streams import Target
from destination_mailchimp_unified.planning.leaving import ANYWHERE, NOBODY_CAME, NOT_COMPLETE, UNREADABLE, Seen, is_too_many
from destination_mailchimp_unified.sending.leaving import TaggedContacts, read_tagged, take_tag
from mailchimp_unified.identity import subscriber_hash
from mailchimp_unified.paging import Pager


class Leaving:
    """Notes who comes, and in the end takes the membership tag from those who left.

    `attempt` is what the platform says about the attempt, None where it says nothing; `keep` takes a line about each contact who
    would lose the tag, in a dry run.
    """

    def __init__(
        self,
        config: DestinationConfig,
        targets: Mapping[StreamKey, Target],
        pager: Pager,
        logger: logging.Logger,
        keep: Callable[[bytes], None],
        attempt: str | None,
    ) -> None:
        self._config, self._pager, self._logger, self._keep = config, pager, logger, keep
        self._tag = config.membership_tag or ""
        removes = bool(self._tag) and config.on_leaving == "remove_tag"
        # Streams that only archive bring nobody.
        self._feeding = [target for target in targets.values() if removes and target.membership_tag and target.operation != "archive"]
        self._doubts = {
            target.key: target.refresh.doubt(every_sync_is_complete=config.every_sync_is_complete, attempt=attempt)
            for target in self._feeding
        }
        self._presence = Seen()
        self.summary: list[str] = []

    @property
    def may_come(self) -> bool:
        """Whether anybody could be found to have left, as far as is known before the sync."""
        return any(not doubt for doubt in self._doubts.values())

    # What comes in.

    def note(self, arrival: Arrival, list_id: str | None) -> None:
        """Note a record, with everybody whom it names, no matter what becomes of it."""
        if arrival.entry.stream not in self._doubts:
            return
        unified = arrival.contact.unified
        emails = filter(None, (unified.get("email"), unified.get("previous_email")))
        deleted = arrival.operation == "archive" or bool(unified.get("is_deleted"))
        self._note(arrival.entry.stream, list_id, map(subscriber_hash, emails), deleted=deleted)

    def note_unreadable(self, target: Target, columns: Mapping[str, Any]) -> None:
        """Note a record with a value that cannot be read: its contact came all the same."""
        texts = (target.columns.text_of(name, columns) for name in ("email", "previous_email"))
        self._note(target.key, target.list_id, (subscriber_hash(text) for text in texts if text), deleted=False)

    def _note(self, stream: StreamKey, list_id: str | None, contact_ids: Iterable[str], *, deleted: bool) -> None:
        if stream in self._doubts:
            self._presence.note(stream, list_id or ANYWHERE, contact_ids, deleted=deleted)

    def note_line(self) -> None:
        """Note a line that may have been a record of anybody."""
        self._presence.unreadable = True

    def note_status(self, stream: StreamKey, status: str) -> None:
        """Note what the source says about a stream."""
        self._presence.note_status(stream, status)

    # What becomes of those who did not.

    async def carry_out(self, audiences: Iterable[Audience]) -> None:
        """Take the tag from those who left. To be called once every record is settled. Raises what ends the sync."""
        self._tell_doubts()
        for audience in audiences:
            if audience.known and self._feeds_wholly(audience):
                await self._judge(audience)

    def _doubt(self, target: Target) -> str:
        if self._doubts[target.key]:
            return self._doubts[target.key]
        if self._presence.unreadable:
            return UNREADABLE
        return "" if self._presence.is_complete(target.key) else NOT_COMPLETE

    def _tell_doubts(self) -> None:
        for target in self._feeding:
            if doubt := self._doubt(target):
                level = logging.INFO if doubt == INCREMENTAL else logging.WARNING
                self._logger.log(level, "on_leaving: stream %s does not remove the tag %s: %s.", target.name, self._tag, doubt)

    def _feeds_wholly(self, audience: Audience) -> bool:
        """Return whether every stream that may bring contacts of an audience came whole, and there is one."""
        feeding = [target for target in self._feeding if self._may_feed(target, audience.id)]
        return bool(feeding) and not any(map(self._doubt, feeding))

    def _may_feed(self, target: Target, list_id: str) -> bool:
        fixed = target.list_id or (self._config.list_id if self._config.list_ids_from == "configuration" else None)
        return fixed in (None, list_id)

    async def _judge(self, audience: Audience) -> None:
        if not self._presence.anybody(audience.id):
            self._warn(audience, NOBODY_CAME)
            return
        await load_tags(audience, self._pager)
        tag_id = audience.tag_id(self._tag)
        if tag_id is None:
            return
        most = self._config.max_leaving_percent
        carriers = await read_tagged(audience, tag_id, self._presence, most, self._pager)
        if not carriers.whole:
            self._warn(audience, "Mailchimp does not list all contacts with the tag")
        elif is_too_many(carriers.left, carriers.count, most):
            share = 100 * carriers.left / carriers.count
            self._warn(
                audience,
                f"{carriers.left} of {carriers.count} contacts with the tag ({share:.1f}%) were not in this sync; max_leaving_percent is"
                f" {most:g}. Check the source, or raise max_leaving_percent for one sync",
            )
        else:
            await self._take(audience, tag_id, carriers)

    async def _take(self, audience: Audience, tag_id: int, carriers: TaggedContacts) -> None:
        refused = 0
        if self._config.dry_run:
            for contact_id, email in carriers.leaving:
                self._keep(leaving_line(audience.id, contact_id, email, self._tag))
        elif carriers.leaving:
            tag, suppress = audience.spelled(self._tag), self._config.suppress_automations
            refused = await take_tag(audience, tag, tag_id, carriers.leaving, self._pager, suppress_automations=suppress)
        lost = "would lose" if self._config.dry_run else "lost"
        words = f"Tag {self._tag} in audience {audience.id}: of {carriers.count} contacts with the tag, {carriers.left - refused} left and {lost} it"
        words += (
            f"; {carriers.changed} were not in the sync but changed during it and keep it until the next sync" if carriers.changed else ""
        )
        words += f"; Mailchimp refused to remove it from {refused}" if refused else ""
        self.summary.append(f"{words}.")

    def _warn(self, audience: Audience, why: str) -> None:
        words = f"on_leaving: nobody lost the tag {self._tag} in audience {audience.id}: {why}."
        self._logger.warning("%s", words)
        self.summary.append(words)


def leaving_line(list_id: str, contact_id: str, email: str, tag: str) -> bytes:
    """Return a line for the file of planned outcomes about a contact who would lose the tag: it holds no record. Pure."""
    return orjson.dumps(
        {
            "list_id": list_id,
            "contact_id": contact_id,
            "email": email,
            "outcome": "leaving",
            "reason": "the contact has the membership tag but was not in this sync",
            "changes": {"tags": {"old": [tag], "new": []}},
        }
    )
