"""Lists, tags and users: small collections, read whole; what is new, different or gone is emitted."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from mailchimp_unified.client import PAGE_SIZE, Request
from mailchimp_unified.entities import AUDIENCE, TAG, USER, audience, tag, user
from mailchimp_unified.entities.entity import rfc3339
from mailchimp_unified.errors import NotFoundError
from source_mailchimp_unified.sync.reading import Reading, Record, Step, page_of, page_request, read_collection
from source_mailchimp_unified.sync.state import fingerprint, key_values, parse_snapshot_state, record_key
from source_mailchimp_unified.sync.streams import Account, Stream, moment_of_reply

ROOT = Request(path="/", what="the account", params={"exclude_fields": "_links"})
"""https://mailchimp.com/developer/marketing/api/root/list-api-root-resources/."""


_NOT_OF_THE_USER = frozenset({"last_login", "total_subscribers", "industry_stats"})


def merge_fields_request(list_id: str) -> Request:
    """https://mailchimp.com/developer/marketing/api/list-merges/list-merge-fields/."""
    return Request(
        path=f"/lists/{list_id}/merge-fields",
        what=f"the merge fields of the audience {list_id}",
        params={"exclude_fields": "merge_fields._links,_links"},
    )


def tags_request(list_id: str) -> Request:
    """https://mailchimp.com/developer/marketing/api/list-segments/list-segments/."""
    return Request(
        path=f"/lists/{list_id}/segments",
        what=f"the tags of the audience {list_id}",
        params={"type": "static", "exclude_fields": "segments._links,_links"},
    )


def read_collections(collections: Sequence[Request], items_key: str) -> Generator[Step, list[Any], list[list[dict[str, Any]] | None]]:
    """Return the items of each collection, None for one that is gone. The first pages are asked for side by side."""
    replies = yield Step([page_request(collection, 0) for collection in collections], tolerate=(NotFoundError,))
    found: list[list[dict[str, Any]] | None] = []
    for collection, reply in zip(collections, replies, strict=True):
        if isinstance(reply, NotFoundError):
            found.append(None)
            continue
        items = page_of(reply, items_key).items
        if len(items) >= PAGE_SIZE:
            items = yield from read_collection(collection, items_key)
        found.append(items)
    return found


@dataclass
class SnapshotStream(Stream):
    """A stream read whole at every sync. Its state keeps a fingerprint per record."""

    incoming: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._known = {} if self.full_refresh else parse_snapshot_state(self.name, self.incoming).records

    def readings(self, account: Account | None) -> list[Reading]:
        """Return the one reading of the whole collection."""
        return [self._reading(account)]

    def state(self) -> dict[str, Any]:
        """Return the fingerprints of what was emitted."""
        return {"records": dict(self._known)}

    def _reading(self, account: Account | None) -> Reading:
        current, seen_at = yield from self._collect(account)
        keyed = {record_key(record, self.entity.primary_key): record for record in current}
        yield Step(records=chain(self._changed(keyed, seen_at), self._vanished(keyed, account, seen_at)))

    def _changed(self, keyed: Mapping[str, Record], seen_at: str) -> Iterator[Record]:
        for key, record in keyed.items():
            version = fingerprint(self._version(record))
            if self._known.get(key) != version:
                self._known[key] = version
                yield {**record, "updated_at": record.get("updated_at") or seen_at}

    def _vanished(self, keyed: Mapping[str, Record], account: Account | None, seen_at: str) -> Iterator[Record]:
        for key in [key for key in self._known if key not in keyed]:
            values = dict(zip(self.entity.primary_key, key_values(key), strict=False))
            if not self._still_there(values, account):
                del self._known[key]
                yield {**values, "updated_at": seen_at, "is_deleted": True}

    def _collect(self, account: Account | None) -> Generator[Step, list[Any], tuple[list[Record], str]]:
        """Return all records, and the time at which they were seen."""
        raise NotImplementedError

    def _version(self, record: Record) -> Record:
        """Return the part of a record whose change makes a new version of it."""
        return record

    def _still_there(self, key: Mapping[str, Any], account: Account | None) -> bool:
        """Tell whether a record that this sync did not read exists all the same."""
        return False


def _known(account: Account | None) -> Account:
    assert account is not None, "a stream that needs the account was started without it"
    return account


class ListsStream(SnapshotStream):
    """The audiences, each with its merge-field definitions."""

    def _collect(self, account: Account | None) -> Generator[Step, list[Any], tuple[list[Record], str]]:
        account = _known(account)
        definitions = yield from read_collections([merge_fields_request(i) for i in account.chosen_ids], "merge_fields")
        remote = self.config.include_remote_data
        pairs = zip(account.chosen, definitions, strict=True)
        records = [audience.from_mailchimp(dict(one), fields, remote=remote) for one, fields in pairs if fields is not None]
        return records, rfc3339(account.seen_at)

    def _still_there(self, key: Mapping[str, Any], account: Account | None) -> bool:
        # Not chosen any more is not the same as deleted.
        return key["id"] in _known(account).list_ids - set(_known(account).chosen_ids)


class TagsStream(SnapshotStream):
    """The tags of the chosen audiences."""

    def _collect(self, account: Account | None) -> Generator[Step, list[Any], tuple[list[Record], str]]:
        account = _known(account)
        segments = yield from read_collections([tags_request(i) for i in account.chosen_ids], "segments")
        remote = self.config.include_remote_data
        records = [
            tag.from_mailchimp(segment, list_id, remote=remote)
            for list_id, found in zip(account.chosen_ids, segments, strict=True)
            for segment in found or ()
        ]
        return records, rfc3339(account.seen_at)

    def _still_there(self, key: Mapping[str, Any], account: Account | None) -> bool:
        return key["list_id"] in _known(account).list_ids - set(_known(account).chosen_ids)


class UsersStream(SnapshotStream):
    """The account user behind the credentials."""

    needs_account = False

    def _collect(self, account: Account | None) -> Generator[Step, list[Any], tuple[list[Record], str]]:
        (reply,) = yield Step([ROOT])
        record = user.from_mailchimp(reply.body, remote=self.config.include_remote_data)
        return [record], rfc3339(moment_of_reply(reply.date))

    def _version(self, record: Record) -> Record:
        # To sign in is not to change, and the account's subscribers come and go without its user.
        remote = {key: value for key, value in record.get("remote_data", {}).items() if key not in _NOT_OF_THE_USER}
        return {**record, "last_login_at": None, "total_subscribers": None, "remote_data": remote}


SNAPSHOTS: dict[str, Callable[..., SnapshotStream]] = {AUDIENCE.name: ListsStream, TAG.name: TagsStream, USER.name: UsersStream}
"""Stream name to class."""
