"""Rejected records in the user's hands: a file or objects of JSON lines, each fit to be sent again.

They hold email addresses in clear, which is their purpose: only their owner may read the file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from destination_mailchimp_unified.config import S3, DestinationConfig, ObjectStorage
from destination_mailchimp_unified.intake.arrivals import NOWHERE, Entry
from destination_mailchimp_unified.settling.outcomes import Outcome
from mailchimp_unified.errors import ConfigError
from mailchimp_unified.parsing import exactly_parsed, printed

OWNER_ONLY = 0o600

LINES_NAME = "rejected-records"

BUFFERED_BYTES = 4 << 20
"""While so many bytes of lines are not safe yet, no more records are taken."""

JOB_VARIABLES = ("WORKER_JOB_ID", "JOB_ID")
"""Where a platform names the job, if the catalog does not (`sync_id`)."""


class Store(Protocol):
    """Keeps lines. What was added is safe once `pending` is 0."""

    @property
    def pending(self) -> int:
        """Bytes that are not safe yet."""

    def add(self, line: bytes) -> None:
        """Keep a line."""

    async def flush(self) -> None:
        """Make everything safe that was added. Raises ConfigError when the place does not take it."""

    async def check(self) -> None:
        """Try whether the place takes lines. Raises ConfigError."""


class FileStore:
    """A local file of JSON lines, to which each sync adds."""

    pending = 0

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._descriptor: int | None = None

    def add(self, line: bytes) -> None:
        """Keep a line. Raises ConfigError when the file cannot be written."""
        try:
            if self._descriptor is None:
                self._descriptor = self._open()
            os.write(self._descriptor, line + b"\n")
        except OSError as error:
            raise self._refused(error) from None

    async def flush(self) -> None:
        """Do nothing: each line was written at once."""

    async def check(self) -> None:
        """Try whether the file can be written; it is not made by that."""
        there = self._path.exists()
        try:
            os.close(self._open())
            if not there:
                self._path.unlink()
        except OSError as error:
            raise self._refused(error) from None

    def _open(self) -> int:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, OWNER_ONLY)
        os.fchmod(descriptor, OWNER_ONLY)
        return descriptor

    def _refused(self, error: OSError) -> ConfigError:
        return ConfigError(
            f"rejected_records_file cannot be written ({error.strerror}). Choose a path in a directory that the connector may write to.",
            detail=type(error).__name__,
        )


class ObjectStore:
    """A folder of objects in S3, or in what speaks its protocol: `bucket_path/job/rejected-records-00001.jsonl`."""

    def __init__(self, storage: ObjectStorage, job: str) -> None:
        self._storage, self._job = storage, job
        self._lines: list[bytes] = []
        self._parts = 0
        self.pending = 0

    def add(self, line: bytes) -> None:
        """Keep a line in memory until the next flush."""
        self._lines.append(line)
        self.pending += len(line) + 1

    async def flush(self) -> None:
        """Put the lines that were added since the last time into an object of their own. Raises ConfigError."""
        if self._lines:
            lines, size = self._lines, self.pending
            self._lines = []
            self._parts += 1
            await self._put(f"{LINES_NAME}-{self._parts:05d}.jsonl", b"\n".join(lines) + b"\n")
            self.pending -= size

    async def check(self) -> None:
        """Put a small object and take it away again. Raises ConfigError."""
        await self._put("check", b"", keep=False)

    async def _put(self, name: str, content: bytes, *, keep: bool = True) -> None:
        obstore, store = _obstore(), self._open()
        key = "/".join(part for part in ((self._storage.bucket_path or "").strip("/"), self._job, name) if part)
        try:
            await obstore.put_async(store, key, content)
            if not keep:
                await obstore.delete_async(store, key)
        except Exception as error:  # noqa: BLE001 - the library's errors have no common base
            raise ConfigError(
                f"Could not write rejected records to the bucket {self._storage.s3_bucket_name}."
                " Check object_storage_config: the bucket, its region, the endpoint and the access keys.",
                detail=type(error).__name__,
            ) from None

    def _open(self) -> Any:
        from obstore.store import S3Store

        storage = self._storage
        options: dict[str, Any] = {"region": storage.s3_bucket_region, "endpoint": storage.s3_endpoint}
        if storage.access_key_id and storage.secret_access_key:
            options["access_key_id"] = storage.access_key_id.get_secret_value()
            options["secret_access_key"] = storage.secret_access_key.get_secret_value()
        plain = urlsplit(storage.s3_endpoint or "").scheme == "http"
        given = {name: value for name, value in options.items() if value}
        return S3Store(storage.s3_bucket_name, **given, virtual_hosted_style_request=False, client_options={"allow_http": plain})


def _obstore() -> Any:
    try:
        import obstore
    except ImportError:
        raise ConfigError("rejected_records in object storage needs the extra s3. Install mailchimp-unified[s3], or choose file.") from None
    return obstore


def store_of(config: DestinationConfig, catalog: Mapping[str, Any] | None = None) -> Store | None:
    """Return where the configuration wants rejected records, None for nowhere. Raises ConfigError for a place that is not named."""
    storage = config.object_storage_config
    if config.rejected_records == "file":
        if not config.rejected_records_file:
            raise ConfigError("rejected_records is file, but rejected_records_file is not set. Set it to the path of the file.")
        return FileStore(config.rejected_records_file)
    if config.rejected_records == "object_storage":
        if storage.storage_type != S3 or not storage.s3_bucket_name:
            raise ConfigError(
                "rejected_records is object_storage, but object_storage_config names no bucket."
                " Set its storage_type to S3, and s3_bucket_name."
            )
        return ObjectStore(storage, _job(catalog or {}))
    return None


def _job(catalog: Mapping[str, Any]) -> str:
    """Return the number under which the platform looks for what this sync rejected."""
    streams = catalog.get("streams")
    ids = [stream.get("sync_id") for stream in streams if isinstance(stream, dict)] if isinstance(streams, list) else []
    named = [*ids, *map(os.environ.get, JOB_VARIABLES)]
    return next((str(one) for one in named if one is not None and str(one)), "") or datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")


def outcome_line(entry: Entry, contact_id: str, outcome: Outcome) -> bytes:
    """Return a record and its outcome as a line, fit to be sent again. Pure."""
    message = exactly_parsed(entry.line) if entry.line and entry.stream != NOWHERE else None
    found = {
        "stream": entry.stream[1] or None,
        "namespace": entry.stream[0],
        "number": entry.row or entry.number,
        "contact_id": contact_id or None,
        "outcome": outcome.kind,
        "field": outcome.field or None,
        "reason": outcome.reason or None,
        "mailchimp": outcome.words or None,
        "retry": "later" if outcome.later else None,
        "changes": {name: {"old": old, "new": new} for name, old, new in outcome.changes} or None,
        "record": message["record"]["data"] if message else None,
        "line": entry.line.decode("utf-8", "replace") if entry.line and not message else None,
    }
    return printed({name: value for name, value in found.items() if value is not None})
