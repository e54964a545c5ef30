"""Lists, tags and users: small collections, read whole; what is new, different or gone is emitted."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mailchimp_unified import endpoints
from mailchimp_unified.clock import epoch, moment_of
from mailchimp_unified.entities import AUDIENCE, TAG, USER, audience, tag, user
from mailchimp_unified.entities.entity import rfc3339
from mailchimp_unified.entities.readable import Readable, readable
from mailchimp_unified.errors import BugError, MailchimpError, NotFoundError
from mailchimp_unified.loops import together
from mailchimp_unified.request import Json, Request
from source_mailchimp_unified.sync.account import Account, moment_of_reply
from source_mailchimp_unified.sync.messages import Record
from source_mailchimp_unified.sync.output import Output
from source_mailchimp_unified.sync.state import fingerprint, key_values, parse_snapshot_state, record_key
from source_mailchimp_unified.sync.streams import Session, Stream

_NOT_OF_THE_USER = frozenset({"last_login", "total_subscribers", "industry_stats"})

Items = list[dict[str, Any]]


class Version(NamedTuple):
    """What a state keeps of a record: a fingerprint, and the `updated_at` it was emitted with, in seconds (older states: None)."""

    fingerprint: str
    updated_at: int | None = None

    @classmethod
    def of(cls, text: str) -> Version:
        """Return the version that a state names."""
        version, _, seconds = text.partition("-")
        return cls(version, int(seconds) if seconds.isdigit() else None)

    def __str__(self) -> str:
        return self.fingerprint if self.updated_at is None else f"{self.fingerprint}-{self.updated_at}"


@dataclass
class SnapshotStream(Stream):
    """A stream read whole at every sync. Its state keeps a fingerprint per record."""

    incoming: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        records = {} if self.full_refresh else parse_snapshot_state(self.name, self.incoming).records
        self._known = {key: Version.of(text) for key, text in records.items()}

    def state(self) -> dict[str, Any]:
        """Return the fingerprints of what was emitted."""
        return {"records": {key: str(version) for key, version in self._known.items()}}

    async def read(self, session: Session, output: Output) -> None:
        """Read everything, then emit what differs, and a tombstone for what is surely gone."""
        current, seen_at = await self._collect(session)
        found = [one for record in current if (one := self._readable(record)) is not None]
        keyed = {record_key(one.record, self.entity.primary_key): one for one in found}
        output.estimate(len(keyed))
        await output.emit(self._changed(keyed, seen_at))
        gone = [key for key in list(self._known) if key not in keyed and await self._is_gone(self._values(key), session)]
        await output.emit(self._tombstones(gone, seen_at))

    def _readable(self, record: Json) -> Readable | None:
        found = readable(record, self.entity)
        if found is None:
            self._note_odd(record)
        return found

    def _note_odd(self, record: Json) -> None:
        """Note a row that is not a record of this stream; everything else is still read."""
        self.errors.append(BugError(f"Some {self.name} returned by Mailchimp cannot be read."))

    def _values(self, key: str) -> dict[str, Any]:
        return dict(zip(self.entity.primary_key, key_values(key), strict=False))

    def _changed(self, keyed: Mapping[str, Readable], seen_at: str) -> Iterator[Record]:
        seen = epoch(seen_at)
        for key, (record, nulled) in keyed.items():
            version, known = fingerprint(self._version(record)), self._known.get(key, Version(""))
            if known.fingerprint == version:
                continue
            updated_at = record.get("updated_at") or moment_of(max(seen, known.updated_at or seen))
            self._known[key] = Version(version, epoch(updated_at))
            dated = {**record, "updated_at": updated_at}
            yield Readable(dated, nulled) if nulled else dated

    def _tombstones(self, keys: Sequence[str], seen_at: str) -> Iterator[Record]:
        for key in keys:
            version = self._known.pop(key)
            # The time of the last live version: a later one, by any clock, wins over the tombstone.
            updated_at = seen_at if version.updated_at is None else moment_of(version.updated_at)
            yield {**self._values(key), "updated_at": updated_at, "is_deleted": True}

    @abstractmethod
    async def _collect(self, session: Session) -> tuple[list[Json], str]:
        """Return all records, and the time at which they were seen."""

    def _version(self, record: Json) -> Json:
        """Return the part of a record whose change makes a new version of it."""
        return record

    @abstractmethod
    async def _is_gone(self, key: Mapping[str, Any], session: Session) -> bool:
        """Return whether a record that this sync did not meet is surely gone."""


class _OfAudiences(SnapshotStream):
    """A snapshot of what each audience holds."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._whole: set[str] = set()
        self._of_one_page: set[str] = set()

    async def _items(self, session: Session, list_ids: Sequence[str], collection: Callable[[str], Request]) -> dict[str, Items]:
        """Return the items of each audience. One that is gone or cannot be read is left out; the latter is an error."""
        found: dict[str, Items] = {}

        async def one(list_id: str) -> None:
            request = collection(list_id).surely()
            try:
                pages = [page.items async for page in session.pager.down(request)]
                items = [item for page in reversed(pages) for item in page]
                found[list_id] = [item for item in items if type(item) is dict]
                if len(found[list_id]) < len(items):
                    self._note_odd({})
                elif not session.pager.disagrees(request):
                    self._whole.add(list_id)
                if len(pages) == 1:
                    self._of_one_page.add(list_id)
            except NotFoundError as error:
                if not await session.account.is_gone(list_id):
                    self.errors.append(error)
            except MailchimpError as error:
                self.errors.append(error)

        await together(*(one(list_id) for list_id in list_ids))
        return {list_id: found[list_id] for list_id in list_ids if list_id in found}

    async def _missing(self, account: Account) -> None:
        """Note the chosen audiences that the account does not have, but for those whose deletion this stream tells."""
        audiences = await account.audiences()
        known = {self._values(key).get(self._list_key) for key in self._known}
        if (error := audiences.error()) and not (audiences.missing and known.issuperset(audiences.missing)):
            self.errors.append(error)

    _list_key = "list_id"


class ListsStream(_OfAudiences):
    """The audiences, each with its merge-field definitions."""

    _list_key = "id"

    async def _collect(self, session: Session) -> tuple[list[Json], str]:
        await self._missing(session.account)
        audiences = await session.account.audiences()
        definitions = await self._items(session, audiences.chosen_ids, endpoints.merge_fields)
        remote = self.config.include_remote_data
        chosen = {str(one["id"]): one for one in audiences.chosen}
        records = [audience.from_mailchimp(dict(chosen[i]), fields, remote=remote) for i, fields in definitions.items()]
        return records, rfc3339(audiences.seen_at)

    async def _is_gone(self, key: Mapping[str, Any], session: Session) -> bool:
        # Not chosen any more is not the same as deleted.
        return await _audience_is_gone(key["id"], session.account)


class TagsStream(_OfAudiences):
    """The tags of the chosen audiences."""

    async def _collect(self, session: Session) -> tuple[list[Json], str]:
        await self._missing(session.account)
        audiences = await session.account.audiences()
        segments = await self._items(session, audiences.chosen_ids, endpoints.tags)
        remote = self.config.include_remote_data
        records = [tag.from_mailchimp(segment, list_id, remote=remote) for list_id, found in segments.items() for segment in found]
        return records, rfc3339(audiences.seen_at)

    def _note_odd(self, record: Json) -> None:
        super()._note_odd(record)
        # One of the known tags may be behind it: none of them is missing for sure.
        self._whole.discard(str(record.get("list_id")))

    async def _is_gone(self, key: Mapping[str, Any], session: Session) -> bool:
        list_id = key["list_id"]
        if list_id not in self._whole:
            return await _audience_is_gone(list_id, session.account)
        # Several pages are several moments: in a collection that Mailchimp does not sort, a tag may be in none of them and yet be there.
        return list_id in self._of_one_page or await self._tag_is_gone(list_id, str(key["id"]), session)

    async def _tag_is_gone(self, list_id: str, tag_id: str, session: Session) -> bool:
        try:
            await session.client.call(endpoints.tag(list_id, tag_id).surely())
        except NotFoundError:
            return True
        return False


async def _audience_is_gone(list_id: str, account: Account) -> bool:
    audiences = await account.audiences()
    return (list_id not in audiences.by_id or account.was_asked_for(list_id)) and await account.is_gone(list_id)


class UsersStream(SnapshotStream):
    """The user who owns the credentials."""

    async def _collect(self, session: Session) -> tuple[list[Json], str]:
        reply = await session.client.call(endpoints.ACCOUNT)
        record = user.from_mailchimp(reply.body, remote=self.config.include_remote_data)
        return [record], rfc3339(moment_of_reply(reply.date))

    def _version(self, record: Json) -> Json:
        # To sign in is not to change, and the account's subscribers come and go without its user.
        remote = {key: value for key, value in (record.get("remote_data") or {}).items() if key not in _NOT_OF_THE_USER}
        return {**record, "last_login_at": None, "total_subscribers": None, "remote_data": remote}

    async def _is_gone(self, key: Mapping[str, Any], session: Session) -> bool:
        # Others sign in now. Mailchimp does not say whether the user before them exists, and nobody syncs them here any more.
        return True


SNAPSHOTS: dict[str, Callable[..., SnapshotStream]] = {AUDIENCE.name: ListsStream, TAG.name: TagsStream, USER.name: UsersStream}
"""Stream name to class."""
