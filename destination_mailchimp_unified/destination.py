"""The destination: spec, check, discover, and the message loop of write."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import orjson
from airbyte_cdk.destinations import Destination
from airbyte_cdk.models import (
    AirbyteConnectionStatus,
    AirbyteMessage,
    AirbyteMessageSerializer,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteCatalogSerializer,
    Status,
)
from airbyte_cdk.utils.airbyte_secrets_utils import add_to_secrets, filter_secrets

from destination_mailchimp_unified.check import check_account
from destination_mailchimp_unified.config import DestinationConfig, parse_destination_config
from destination_mailchimp_unified.discovery import destination_catalog
from destination_mailchimp_unified.faults import traced
from destination_mailchimp_unified.intake.lines import Intake, Record
from destination_mailchimp_unified.intake.mapping import check_fields
from destination_mailchimp_unified.intake.streams import targets_of
from destination_mailchimp_unified.pipeline.writer import Writer
from mailchimp_unified.auth import secrets_of
from mailchimp_unified.client import MailchimpClient, Patience
from mailchimp_unified.errors import MailchimpError

Json = dict[str, Any]

BEAT_SECONDS = 0.1
"""How often the loop looks at its clocks when nothing comes."""


class DestinationMailchimpUnified(Destination):
    """Writes contacts and tags into the audiences of a Mailchimp account."""

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience

    def check(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteConnectionStatus:
        """Prove the credentials, the role, the audience and the mapping, or say in words what is wrong."""
        try:
            parsed = _parsed(config, logger)
            summary = check_account(self._client(parsed, logger), parsed)
        except MailchimpError as error:
            return AirbyteConnectionStatus(status=Status.FAILED, message=filter_secrets(error.message))
        logger.info(summary)
        return AirbyteConnectionStatus(status=Status.SUCCEEDED)

    def discover(self, logger: logging.Logger, config: Mapping[str, Any]) -> Json:
        """Return the DESTINATION_CATALOG message: every audience as an object."""
        try:
            return destination_catalog(self._client(_parsed(config, logger), logger))
        except MailchimpError as error:
            raise traced(error) from None

    def write(
        self, config: Mapping[str, Any], configured_catalog: ConfiguredAirbyteCatalog, input_messages: Iterable[AirbyteMessage]
    ) -> Iterable[AirbyteMessage]:
        """Write messages of the CDK's classes; these lose the `id` of a state, which `write_lines` keeps."""
        lines = (orjson.dumps(AirbyteMessageSerializer.dump(message)) + b"\n" for message in input_messages)
        catalog = ConfiguredAirbyteCatalogSerializer.dump(configured_catalog)
        for state in self.write_lines(logging.getLogger("airbyte"), config, catalog or {}, lambda _: next(lines, b"")):
            yield AirbyteMessageSerializer.load(state)

    def write_lines(
        self, logger: logging.Logger, config: Mapping[str, Any], catalog: Mapping[str, Any], read: Callable[[int], bytes]
    ) -> Iterator[Json]:
        """Write the messages that `read` gives, and yield each STATE message once everything before it is settled.

        Raises AirbyteTracedException for whatever ends the sync; what was not settled by then is not acknowledged.
        """
        try:
            yield from self._sync(logger, config, catalog, read)
        except MailchimpError as error:
            raise traced(error) from None

    def _sync(
        self, logger: logging.Logger, config: Mapping[str, Any], catalog: Mapping[str, Any], read: Callable[[int], bytes]
    ) -> Iterator[Json]:
        parsed = _parsed(config, logger)
        check_fields(parsed)
        client, wake = self._client(parsed, logger), threading.Event()
        writer = Writer(client, parsed, targets_of(catalog, parsed, logger), logger, wake.set)
        try:
            writer.open()
            intake = Intake(read, wake.set, logger)
            # What comes first tells what must be known of the audiences: the first requests ask for all of it.
            wake.wait(BEAT_SECONDS)
            while writer.opening or writer.ledger.open_records or not intake.ended:
                wake.clear()
                taken = _take(intake, writer)
                moved = writer.advance(input_waits=not intake.empty, ended=intake.ended)
                yield from writer.released()
                if not (taken or moved):
                    wake.wait(BEAT_SECONDS)
            yield from writer.released()
            writer.summarize(intake.left_out)
        finally:
            client.stop()
            writer.close()

    def _client(self, config: DestinationConfig, logger: logging.Logger) -> MailchimpClient:
        for secret in secrets_of(config.credentials):
            add_to_secrets(secret)
        return MailchimpClient(config, patience=self._patience, logger=logger)


def _parsed(config: Mapping[str, Any], logger: logging.Logger) -> DestinationConfig:
    parsed, unknown = parse_destination_config(config)
    if unknown:
        logger.warning("The configuration has keys that do not exist; they do nothing: %s.", ", ".join(key.path for key in unknown))
    return parsed


def _take(intake: Intake, writer: Writer) -> bool:
    """Hand the next messages to the writer, unless it has enough. Returns whether there were any."""
    messages = intake.take() if writer.has_room else []
    for message in messages:
        if not isinstance(message, Record):
            writer.mark(message)
        elif not writer.add(message):
            intake.leave_out("a record of a stream that is not in the catalog")
    return bool(messages)
