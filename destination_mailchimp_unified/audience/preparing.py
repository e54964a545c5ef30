"""What is asked for before the records of a lane are planned: flows that end when nothing more needs to be known."""

from __future__ import annotations

import logging

from destination_mailchimp_unified.audience import lookups
from destination_mailchimp_unified.audience.merge_fields import create_missing
from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.intake.mapping import check_audience, unmapped_required
from destination_mailchimp_unified.pipeline.flows import Flow, gather
from destination_mailchimp_unified.pipeline.lane import Lane
from destination_mailchimp_unified.planning.plan import bulk_is_cheaper, may_pay
from mailchimp_unified.errors import ConfigError, NotFoundError


def open_audience(lane: Lane, config: DestinationConfig, logger: logging.Logger) -> Flow[None]:
    """Learn what an audience is like, and with the same round of requests what the records need that are already there.

    Raises NotFoundError when there is none; of an audience that was named before any record, ConfigError instead, and when
    it does not fit the mapping.
    """
    try:
        yield from gather([lookups.load_audience(lane.audience), *_tags_and_counts(lane, config)])
    except NotFoundError as error:
        if not lane.named:
            raise
        raise ConfigError(
            f"There is no audience {lane.list_id}. Please correct list_id or choose the destination object again.", detail=error.detail
        ) from error
    if lane.named:
        check_audience(config, lane.audience)
        if required := unmapped_required(config, lane.audience):
            logger.info("Audience %s requires %s: contacts without are not created.", lane.list_id, ", ".join(required))


def look_up(lane: Lane, config: DestinationConfig, logger: logging.Logger) -> Flow[None]:
    """Learn what the arrived records need to become changes: their merge fields, and the tags of the audience."""
    # Records go on arriving while these are asked for: what they lack is asked for as well.
    while True:
        if config.create_missing_merge_fields and (missing := lane.missing_fields()):
            yield from create_missing(lane.audience, missing.items(), logger, dry_run=config.dry_run)
        elif lane.audience.tags is None and lane.wants_tags():
            yield from gather(_tags_and_counts(lane, config))
        else:
            return


def _tags_and_counts(lane: Lane, config: DestinationConfig) -> list[Flow[None]]:
    """Return what to ask about an audience beside something else: whether bulk pays will be asked next."""
    audience = lane.audience
    tags = [lookups.load_tags(audience)] if audience.tags is None and lane.wants_tags() else []
    return [*tags, lookups.count_contacts(audience)] if audience.totals is None and _may_count(lane, config) else tags


def know_statuses(lane: Lane, config: DestinationConfig) -> Flow[None]:
    """Read the statuses of the audience where bulk calls pay, and who left meanwhile where they were read long ago."""
    audience = lane.audience
    if audience.statuses is None:
        if (yield from _bulk_pays(lane, config)):
            yield from lookups.read_statuses(audience, config.num_workers)
    elif lookups.is_stale(audience):
        yield from lookups.refresh_statuses(audience)


def _bulk_pays(lane: Lane, config: DestinationConfig) -> Flow[bool]:
    audience, contacts = lane.audience, lane.written_singly + len(lane.waiting)
    if config.write_mode != "auto":
        return config.write_mode == "bulk"
    if not _may_count(lane, config):
        return False
    if audience.totals is None:
        yield from lookups.count_contacts(audience)
    if audience.statuses is not None:
        return True
    apart = sum(1 for change in lane.waiting.heads(set()) if change.kind != "upsert" or "marketing_permissions" in change.body)
    return bulk_is_cheaper(contacts, apart, audience.totals or (0, 0), audience.subscribed)


def _may_count(lane: Lane, config: DestinationConfig) -> bool:
    """Return whether it is worth knowing how big the audience is."""
    return config.write_mode != "single" and may_pay(lane.written_singly + len(lane.waiting) + len(lane.arrived))
