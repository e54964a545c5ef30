"""The source: spec, check, discover and read."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator, Mapping, MutableMapping
from typing import Any, TypeVar, cast

from airbyte_cdk.models import (
    AirbyteCatalog,
    AirbyteConnectionStatus,
    AirbyteMessage,
    AirbyteStateMessage,
    AirbyteStreamStatus,
    ConfiguredAirbyteCatalog,
    ConnectorSpecification,
    FailureType,
    Status,
    SyncMode,
)
from airbyte_cdk.sources.source import Source
from airbyte_cdk.utils.airbyte_secrets_utils import add_to_secrets, filter_secrets
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from mailchimp_unified.auth import secrets_of
from mailchimp_unified.client import MailchimpClient
from mailchimp_unified.config import parse_config, unknown_keys
from mailchimp_unified.entities import ENTITIES
from mailchimp_unified.errors import ConfigError, MailchimpError
from mailchimp_unified.identity import masked
from mailchimp_unified.loops import NewLoop
from mailchimp_unified.paging import Pager
from mailchimp_unified.patience import INTERACTIVE, Patience
from mailchimp_unified.request import PAGE_SIZE
from mailchimp_unified.transport import Transport
from source_mailchimp_unified import catalog as catalogs
from source_mailchimp_unified.check import check_account
from source_mailchimp_unified.config import SourceConfig
from source_mailchimp_unified.contacts.stream import ContactsStream
from source_mailchimp_unified.faults import error_message, traced
from source_mailchimp_unified.files import read_catalog, read_config, read_state, states_by_stream
from source_mailchimp_unified.raw.common import Common
from source_mailchimp_unified.raw.form import choices as raw_choices
from source_mailchimp_unified.raw.form import description as raw_description
from source_mailchimp_unified.raw.stream import RawStream, raw_entity
from source_mailchimp_unified.raw_collections import by_stream, refusal
from source_mailchimp_unified.snapshots import SNAPSHOTS
from source_mailchimp_unified.sync.account import Account
from source_mailchimp_unified.sync.messages import record_messages, status_message
from source_mailchimp_unified.sync.output import Format, Message
from source_mailchimp_unified.sync.streams import Session, Stream
from source_mailchimp_unified.sync.sync import Sync

Result = TypeVar("Result")


class SourceMailchimpUnified(Source):
    """Reads contacts, lists, tags and users of a Mailchimp account, and every other collection as it is."""

    def __init__(
        self,
        patience: Patience | None = None,
        *,
        transport: Callable[[], Transport] | None = None,
        new_loop: NewLoop = asyncio.new_event_loop,
        now: Callable[[], float] = time.time,
        page_size: int = PAGE_SIZE,
    ) -> None:
        self._patience = patience
        # Where a whole sync runs in one process on a clock of its own, these take the place of the real ones.
        self._transport = transport
        self._new_loop = new_loop
        self._now = now
        self._page_size = page_size

    @property
    def name(self) -> str:
        """The connector's name, as the logger shows it."""
        return "source-mailchimp-unified"

    @staticmethod
    def read_config(config_path: str) -> MutableMapping[str, Any]:
        """Return the configuration in a file. Raises AirbyteTracedException, a config error, when there is none."""
        return _traced(read_config, config_path)

    @classmethod
    def read_catalog(cls, catalog_path: str) -> ConfiguredAirbyteCatalog:
        """Return the catalog in a file, or in the output of discover. Raises AirbyteTracedException, a config error."""
        return _traced(read_catalog, catalog_path)

    @classmethod
    def read_state(cls, state_path: str) -> list[AirbyteStateMessage]:
        """Return the states in a file. Raises AirbyteTracedException, a config error, for anything but a state."""
        return _traced(read_state, state_path)

    def spec(self, logger: logging.Logger) -> ConnectorSpecification:
        """Return the specification; what `raw_streams` may hold is what the table holds."""
        specification = super().spec(logger)
        raw_streams = specification.connectionSpecification["properties"]["raw_streams"]
        raw_streams["description"] = raw_description(raw_streams["description"])
        raw_streams["items"]["enum"] = raw_choices()
        return specification

    def check(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteConnectionStatus:
        """Prove the credentials and the chosen lists, name the account, or say in words what is wrong."""
        try:
            parsed = parse_source_config(config)
            _warn_of_unknown_keys(logger, config)
            session = self._session(parsed, logger, self._patience or INTERACTIVE)
            summary = self._run(session, check_account(session.client, session.account))
        except MailchimpError as error:
            return AirbyteConnectionStatus(status=Status.FAILED, message=masked(filter_secrets(error.closing_message)))
        logger.info(summary)
        return AirbyteConnectionStatus(status=Status.SUCCEEDED)

    def discover(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteCatalog:
        """Return the streams, with `custom_fields` typed from the merge fields of the chosen lists."""
        try:
            parsed = parse_source_config(config)
            session = self._session(parsed, logger, self._patience or INTERACTIVE)
            return self._run(session, catalogs.discover(session.client, session.pager, session.account, parsed))
        except MailchimpError as error:
            raise traced(error) from error

    def read(
        self,
        logger: logging.Logger,
        config: Mapping[str, Any],
        catalog: ConfiguredAirbyteCatalog,
        state: list[AirbyteStateMessage] | None = None,
    ) -> Iterator[AirbyteMessage]:
        """Yield the messages of a sync. Raises AirbyteTracedException at the end when a stream failed, after all are read."""
        return cast("Iterator[AirbyteMessage]", self.sync(logger, config, catalog, state, record_messages))

    def sync(
        self,
        logger: logging.Logger,
        config: Mapping[str, Any],
        catalog: ConfiguredAirbyteCatalog,
        state: list[AirbyteStateMessage] | None,
        formatted: Format,
    ) -> Iterator[Message]:
        """Do what `read` does, with records in the form that `formatted` gives them."""
        began = self._now()
        try:
            parsed = parse_source_config(config)
            _warn_of_unknown_keys(logger, config)
            streams = self._streams(parsed, catalog, states_by_stream(state), logger)
        except MailchimpError as error:
            raise traced(error) from error
        failed = yield from _refused_streams(parsed, catalog)
        session = self._session(parsed, logger, self._patience)
        sync = Sync(session, streams, formatted, self._new_loop)
        yield from sync.read()
        _log_summary(logger, sync, session.client, parsed.num_workers, self._now() - began)
        _raise_failures(failed + [(stream.name, error) for stream in streams for error in stream.errors])

    def _session(self, config: SourceConfig, logger: logging.Logger, patience: Patience | None) -> Session:
        for secret in secrets_of(config.credentials):
            add_to_secrets(secret)
        transport = self._transport() if self._transport else None
        client = MailchimpClient(config, patience=patience, logger=logger, transport=transport)
        pager = Pager(client, logger, self._page_size)
        return Session(client, pager, Account(pager, config.list_ids, self._now), logger)

    def _run(self, session: Session, coroutine: Coroutine[Any, Any, Result]) -> Result:
        try:
            with asyncio.Runner(loop_factory=self._new_loop) as runner:
                return runner.run(coroutine)
        finally:
            session.client.close()

    def _streams(
        self, config: SourceConfig, catalog: ConfiguredAirbyteCatalog, states: Mapping[str, Any], logger: logging.Logger
    ) -> list[Stream]:
        streams: list[Stream] = []
        shared = Common(logger, self._now)
        for configured in catalog.streams:
            name, full_refresh = configured.stream.name, configured.sync_mode == SyncMode.full_refresh
            incoming = states.get(name, {})
            if name in SNAPSHOTS:
                streams.append(SNAPSHOTS[name](ENTITIES[name], config, full_refresh, incoming))
            elif name in ENTITIES:
                streams.append(ContactsStream(ENTITIES[name], config, full_refresh, logger, incoming, self._now))
            elif (row := by_stream(name)) and refusal(name, config.raw_streams) is None:
                streams.append(RawStream(raw_entity(row), config, full_refresh, row, shared, logger, incoming))
        return streams


def _traced(read: Callable[[str], Result], path: str) -> Result:
    try:
        return read(path)
    except MailchimpError as error:
        raise traced(error) from None


def parse_source_config(config: Mapping[str, Any]) -> SourceConfig:
    """Return the configuration. Raises ConfigError with a sentence per mistake."""
    return parse_config(SourceConfig, config)


def _warn_of_unknown_keys(logger: logging.Logger, config: Mapping[str, Any]) -> None:
    if unknown := unknown_keys(SourceConfig, config):
        logger.warning("Ignoring unknown configuration keys: %s.", ", ".join(key.words for key in unknown))


def _refused_streams(
    config: SourceConfig, catalog: ConfiguredAirbyteCatalog
) -> Generator[AirbyteMessage, None, list[tuple[str, Exception]]]:
    """Report configured streams that do not exist or need to be asked for; the others are read all the same. Returns their failures."""
    failed: list[tuple[str, Exception]] = []
    for name in (configured.stream.name for configured in catalog.streams):
        reason = None if name in ENTITIES else refusal(name, config.raw_streams)
        if reason is not None:
            error = ConfigError(reason)
            failed.append((name, error))
            yield error_message(error, name)
            yield status_message(name, AirbyteStreamStatus.INCOMPLETE)
    return failed


def _raise_failures(failures: Iterable[tuple[str, Exception]]) -> None:
    by_stream = dict(failures)
    if not by_stream:
        return
    types = {traced(error).failure_type for error in by_stream.values()}
    reasons = " ".join(f"{name}: {traced(error).message}" for name, error in by_stream.items())
    raise AirbyteTracedException(
        message=f"Some streams failed. {reasons}",
        internal_message=f"Failed streams: {', '.join(by_stream)}",
        # One cause that only the maintainers or time can mend outweighs those the user can.
        failure_type=next(t for t in (FailureType.system_error, FailureType.transient_error, FailureType.config_error) if t in types),
    )


def _log_summary(logger: logging.Logger, sync: Sync, client: MailchimpClient, workers: int, seconds: float) -> None:
    moved = ", ".join(_counted(count, name) for name, count in sync.records.items()) or "nothing"
    traffic = client.traffic
    logger.info(
        "Read %s in %.1f s with %s: %s, %s.",
        moved, seconds, _counted(workers, "workers"), _counted(traffic.requests, "requests"), _counted(traffic.retries, "retries", "retry"),
    )  # fmt: skip


def _counted(count: int, name: str, singular: str = "") -> str:
    return f"{count:,} {(singular or name.removesuffix('s')) if count == 1 else name}"
