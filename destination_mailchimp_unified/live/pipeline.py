"""The destination's pipeline under one configuration, run over a feed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from destination_mailchimp_unified.config import DestinationConfig, parse_destination_config
from destination_mailchimp_unified.intake.arrivals import StreamKey, stream_key
from destination_mailchimp_unified.intake.mapping import check_fields
from destination_mailchimp_unified.intake.streams import Target, membership_tag_of, targets_of
from destination_mailchimp_unified.live.events import Streams
from destination_mailchimp_unified.live.feed import Feed
from destination_mailchimp_unified.live.writer import LiveWriter
from destination_mailchimp_unified.settling.rejected_records import Store, store_of
from mailchimp_unified.client import MailchimpClient, Traffic
from mailchimp_unified.patience import Patience
from mailchimp_unified.text import folded
from mailchimp_unified.transport import Transport

STREAM = "events"
"""What the stream of all events is called where nothing else is said."""

UNIFIED = "unified"
"""Namespace of the events that are unified contacts."""


@dataclass
class Pipeline:
    """Writes events under one configuration. `patience` and `transport` take the place of the real ones in tests.

    `opened` is set while the audience that the configuration names is known and events are written.
    """

    config: DestinationConfig
    targets: Mapping[StreamKey, Target]
    streams: Streams
    logger: logging.Logger
    patience: Patience = field(default_factory=Patience)
    transport: Transport | None = None
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    traffic: Traffic = field(default_factory=Traffic)
    # One for all runs: its objects are numbered.
    rejects: Store | None = None

    async def run(self, feed: Feed) -> None:
        """Write what the feed brings, to its end. Raises what ends it before."""
        client = MailchimpClient(self.config, patience=self.patience, logger=self.logger, transport=self.transport)
        client.traffic = self.traffic
        try:
            writer = LiveWriter(client, self.config, dict(self.targets), self.logger, feed, opened=self.opened.set, rejects=self.rejects)
            await writer.write(feed)
        finally:
            self.opened.clear()
            client.close()


def pipeline_of(config: Mapping[str, object], name: str, logger: logging.Logger) -> Pipeline:
    """Return the pipeline for a configuration of the destination and a name for the stream of events.

    Rules of `field_mapping` for other streams say nothing here. Raises ConfigError.
    """
    parsed = parse_destination_config(config, logger)
    rules = [rule for rule in parsed.field_mapping if not rule.stream or folded(rule.stream) == folded(name)]
    parsed = parsed.model_copy(update={"field_mapping": rules})
    if parsed.on_leaving != "nothing":
        logger.warning("on_leaving has no effect here: a stream of events has no end, so nobody can be found to have left.")
    membership: dict[str, object] = {
        "membership_tag": membership_tag_of(name, parsed) or None,
        "membership_streams": [],
        "on_leaving": "nothing",
    }
    parsed = parsed.model_copy(update=membership)
    check_fields(parsed)
    streams = Streams(stream_key(name, None), stream_key(name, UNIFIED))
    catalog = {"streams": [_configured(*stream) for stream in streams]}
    return Pipeline(parsed, targets_of(catalog, parsed, logger), streams, logger, rejects=store_of(parsed))


def _configured(namespace: str | None, name: str) -> dict[str, object]:
    stream: dict[str, object] = {"name": name, "namespace": namespace, "json_schema": {}, "supported_sync_modes": ["full_refresh"]}
    return {"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "append"}
