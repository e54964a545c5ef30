"""The destination: spec, check, discover and write."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

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
from destination_mailchimp_unified.intake.lines import Intake, ReadInto, on_a_thread
from destination_mailchimp_unified.intake.mapping import check_fields
from destination_mailchimp_unified.intake.streams import targets_of
from destination_mailchimp_unified.pipeline.writer import Writer
from destination_mailchimp_unified.settling.rejected_records import store_of
from mailchimp_unified.auth import secrets_of
from mailchimp_unified.client import MailchimpClient
from mailchimp_unified.errors import MailchimpError
from mailchimp_unified.loops import NewLoop, iterate
from mailchimp_unified.patience import INTERACTIVE, Patience
from mailchimp_unified.request import PAGE_SIZE, Json
from mailchimp_unified.transport import Transport

Result = TypeVar("Result")

COMMAND_SECONDS = 30.0
"""Check and discover give up after so long: somebody waits in front of a form."""


class DestinationMailchimpUnified(Destination):
    """Writes contacts and tags into the audiences of a Mailchimp account."""

    def __init__(
        self,
        patience: Patience | None = None,
        *,
        transport: Callable[[], Transport] | None = None,
        new_loop: NewLoop = asyncio.new_event_loop,
        feed: ReadInto = on_a_thread,
        page_size: int = PAGE_SIZE,
    ) -> None:
        self._patience = patience
        # Where a whole sync runs in one process on a clock of its own, these take the place of the real ones.
        self._transport, self._new_loop, self._feed, self._page_size = transport, new_loop, feed, page_size

    def check(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteConnectionStatus:
        """Prove the credentials, the role, the audience and the mapping, or say in words what is wrong."""
        try:
            parsed = parse_destination_config(config, logger)
            summary = self._ask(parsed, logger, lambda client: check_account(client, parsed, logger))
        except MailchimpError as error:
            return AirbyteConnectionStatus(status=Status.FAILED, message=filter_secrets(error.closing_message))
        logger.info(summary)
        return AirbyteConnectionStatus(status=Status.SUCCEEDED)

    def discover(self, logger: logging.Logger, config: Mapping[str, Any]) -> Json:
        """Return the DESTINATION_CATALOG message: every audience as an object."""
        try:
            parsed = parse_destination_config(config, logger)
            return self._ask(parsed, logger, lambda client: destination_catalog(client, parsed, logger))
        except MailchimpError as error:
            raise traced(error) from None

    def write(
        self, config: Mapping[str, Any], configured_catalog: ConfiguredAirbyteCatalog, input_messages: Iterable[AirbyteMessage]
    ) -> Iterable[AirbyteMessage]:
        """Write messages of the CDK's classes; these lose the `id` of a state, which `write_lines` keeps."""
        lines = (orjson.dumps(AirbyteMessageSerializer.dump(message)) + b"\n" for message in input_messages)
        catalog = ConfiguredAirbyteCatalogSerializer.dump(configured_catalog)
        for state in self.write_lines(logging.getLogger("airbyte"), config, catalog or {}, lambda _: next(lines, b"")):
            yield AirbyteMessageSerializer.load(orjson.loads(state))

    def write_lines(
        self, logger: logging.Logger, config: Mapping[str, Any], catalog: Mapping[str, Any], read: Callable[[int], bytes]
    ) -> Iterator[bytes]:
        """Write the messages that `read` gives, and yield each STATE message, as a line, once everything before it is settled.

        Raises AirbyteTracedException for anything that ends the sync; records not settled by then are not acknowledged.
        """
        try:
            parsed = parse_destination_config(config, logger)
            check_fields(parsed)
            targets = targets_of(catalog, parsed, logger)

            rejects = store_of(parsed, catalog)

            async def sync(emit: Callable[[bytes], None]) -> None:
                client = self._client(parsed, logger, Patience())
                try:
                    await Writer(client, parsed, targets, logger, emit, page_size=self._page_size, rejects=rejects).write(
                        Intake(read, self._feed)
                    )
                finally:
                    client.close()

            yield from iterate(sync, self._new_loop)
        except MailchimpError as error:
            raise traced(error) from None

    def _ask(self, config: DestinationConfig, logger: logging.Logger, question: Callable[[MailchimpClient], Awaitable[Result]]) -> Result:
        """Return the answer to a question that somebody waits for."""

        async def ask() -> Result:
            client = self._client(config, logger, INTERACTIVE)
            try:
                async with client.within(COMMAND_SECONDS):
                    return await question(client)
            finally:
                client.close()

        with asyncio.Runner(loop_factory=self._new_loop) as runner:
            return runner.run(ask())

    def _client(self, config: DestinationConfig, logger: logging.Logger, patience: Patience) -> MailchimpClient:
        for secret in secrets_of(config.credentials):
            add_to_secrets(secret)
        transport = self._transport() if self._transport else None
        return MailchimpClient(config, patience=self._patience or patience, logger=logger, transport=transport)
