"""The contacts stream: which lists are read from where, what a page of members comes to, and the cursor of each list."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from mailchimp_unified.client import PAGE_SIZE, Request
from mailchimp_unified.entities import contact
from mailchimp_unified.errors import MailchimpError, NotFoundError
from source_mailchimp_unified.contacts.sweep import Member, Sweep, listings
from source_mailchimp_unified.contacts.windows import Frontier, Window
from source_mailchimp_unified.sync.progress import Progress
from source_mailchimp_unified.sync.reading import Job, Lanes, Reading, Record, Step, Taken, page_request
from source_mailchimp_unified.sync.state import ListCursor, epoch, moment_of, parse_contacts_state
from source_mailchimp_unified.sync.streams import Account, Stream

HORIZON_MARGIN_SECONDS = 1
"""The second in which Mailchimp answered may still go on: the horizon lies before it."""


@dataclass
class ListProgress:
    """How far a sync is with one list: a frontier per listing, and the counts for the log."""

    list_id: str
    progress: Progress
    frontiers: list[Frontier]
    total: int = 0
    taken: int = 0

    @property
    def reached(self) -> int:
        """The second up to which every listing is done."""
        return min(frontier.reached for frontier in self.frontiers)

    def expect(self, contacts: int) -> None:
        """Note how many contacts a listing holds."""
        self.total += contacts

    def count(self, contacts: int) -> None:
        """Note contacts read, and log the progress now and then."""
        self.taken += contacts
        self.progress.tell("contacts: %s of %s of the audience %s read.", self.taken, self.total, self.list_id)


@dataclass
class ContactsStream(Stream):
    """The contacts of the chosen lists, one cursor per list."""

    logger: logging.Logger
    incoming: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._state = parse_contacts_state(self.incoming)
        if self.full_refresh and not self._state.full_refresh:
            # A full refresh goes on only from where one was interrupted, never from the cursors of incremental syncs.
            self._state.lists.clear()
        self._state.full_refresh = self.full_refresh or None
        self._widen()
        self._lanes = Lanes(self.config.num_workers, self._failed)

    def readings(self, account: Account | None) -> list[Reading]:
        """Return readings that share the work on all lists."""
        assert account is not None, "contacts are read per list"
        horizon = int(account.seen_at.timestamp()) - HORIZON_MARGIN_SECONDS
        for list_id in self._state.lists.keys() - account.list_ids:
            del self._state.lists[list_id]
        jobs = ((turn, job) for turn, audience in enumerate(account.chosen) for job in self._plan(audience, turn, horizon))
        return [reading for turn, job in jobs for reading in self._lanes.add([job], (turn,))]

    def state(self) -> dict[str, Any]:
        """Return the cursors of the lists."""
        return self._state.model_dump(exclude_none=True)

    def _widen(self) -> None:
        """Begin anew when statuses are wanted that the saved cursors do not hold for."""
        wanted = self.config.wanted_statuses
        if self._state.lists and not wanted <= set(self._state.statuses or contact.STATUSES):
            self.logger.warning("More statuses are wanted than the saved state holds for: all contacts are read anew.")
            self._state.lists.clear()
        self._state.statuses = None if wanted == set(contact.STATUSES) else sorted(wanted)

    def _plan(self, audience: Mapping[str, Any], turn: int, horizon: int) -> list[Job]:
        list_id = str(audience["id"])
        window = Window(self._lower_bound(list_id), horizon)
        if window.after >= window.until:
            return []
        chosen = listings(self.config.wanted_statuses)
        progress = ListProgress(list_id, Progress(self.logger), [Frontier(window) for _ in chosen])
        take, finished = partial(self._take, progress), partial(self._advance, progress)
        return [
            Sweep(
                list_id,
                listing,
                frontier,
                self._lanes,
                self.config.num_workers,
                take,
                progress.expect,
                finished,
                turn=turn,
                # What a part of the time line holds nobody knows beforehand.
                rows=0 if window.after else listing.rows(audience),
            ).read
            for listing, frontier in zip(chosen, progress.frontiers, strict=True)
        ]

    def _lower_bound(self, list_id: str) -> int:
        """Return the second after which to read; it is exclusive."""
        if cursor := self._state.lists.get(list_id):
            return epoch(cursor.updated_at)
        return epoch(self.config.start_date) - 1 if self.config.start_date else 0

    def _advance(self, progress: ListProgress) -> Step:
        """Move the list's cursor to where every listing is done. A checkpoint follows when it moved."""
        reached = ListCursor(updated_at=moment_of(progress.reached))
        if progress.reached <= self._lower_bound(progress.list_id):
            return Step()
        self._state.lists[progress.list_id] = reached
        return Step(checkpoint=True)

    def _failed(self, error: MailchimpError) -> None:
        if isinstance(error, NotFoundError):
            self.logger.warning("%s It was deleted during the sync.", error.message)
        else:
            self.errors.append(error)

    def _take(self, progress: ListProgress, members: list[Member]) -> Taken:
        progress.count(len(members))
        lacking = [member for member in members if _lacks_tags(member)]
        if not lacking:
            return Taken(self._records(members))
        complete = self._records(member for member in members if not _lacks_tags(member))
        requests = [request for member in lacking for request in tags_requests(member)]
        return Taken(complete, requests, lambda replies: self._records(with_tags(lacking, replies)))

    def _records(self, members: Iterable[Member]) -> Iterator[Record]:
        remote = self.config.include_remote_data
        return (contact.from_mailchimp(member, remote=remote) for member in members)


def _lacks_tags(member: Member) -> bool:
    return (member.get("tags_count") or 0) > len(member.get("tags") or ())


def tags_requests(member: Member) -> list[Request]:
    """Return the requests for all tags of a member: https://mailchimp.com/developer/marketing/api/list-member-tags/."""
    collection = Request(
        path=f"/lists/{member['list_id']}/members/{member['id']}/tags",
        what="the tags of a contact",
        params={"exclude_fields": "_links"},
    )
    return [page_request(collection, offset) for offset in range(0, member["tags_count"], PAGE_SIZE)]


def with_tags(members: Sequence[Member], replies: Iterable[Any]) -> Iterator[Member]:
    """Yield the members with all their tags; one that was deleted meanwhile keeps those of its page."""
    remaining = iter(replies)
    for member in members:
        pages = [next(remaining) for _ in tags_requests(member)]
        if not any(isinstance(page, NotFoundError) for page in pages):
            member["tags"] = [{"id": tag["id"], "name": tag["name"]} for page in pages for tag in page.body.get("tags") or ()]
        yield member
