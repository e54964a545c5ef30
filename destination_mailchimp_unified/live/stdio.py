"""Lines in, answers out: the standard input and output as a way to the pipeline."""

from __future__ import annotations

from collections.abc import AsyncIterable
from functools import partial
from typing import Any

from destination_mailchimp_unified.audience.cost import BULK_SIZE
from destination_mailchimp_unified.live.answers import answer
from destination_mailchimp_unified.live.events import event_of_line
from destination_mailchimp_unified.live.feed import Feed
from destination_mailchimp_unified.live.output import Output
from destination_mailchimp_unified.live.pipeline import Pipeline
from destination_mailchimp_unified.settling.outcomes import Outcome
from mailchimp_unified.loops import task_group


async def answer_lines(pipeline: Pipeline, lines: AsyncIterable[list[bytes | None]], output: Output) -> None:
    """Write every line's event and answer it, to the end of the lines. Raises what ends the pipeline; what it had settled is answered."""
    feed = Feed()
    try:
        async with task_group() as tasks:
            tasks.create_task(_take(pipeline, lines, output, feed))
            await pipeline.run(feed)
    finally:
        await output.finish()


async def _take(pipeline: Pipeline, lines: AsyncIterable[list[bytes | None]], output: Output, feed: Feed) -> None:
    number = 0
    async for some in lines:
        for line in some:
            number += 1
            # Most lines wait for nothing, and cost no coroutine.
            if not output.has_room():
                await output.room()
            if not feed.has_room():
                await feed.room()
            output.expect()
            event = event_of_line(line, pipeline.streams)
            feed.put(event.message, partial(_answer, pipeline, output, number, event.id))
            if not number % BULK_SIZE:
                # The first bulk call of a burst is on its way while the rest is read.
                await feed.taken()
    feed.end()


def _answer(pipeline: Pipeline, output: Output, number: int, own_id: Any, outcome: Outcome | None) -> None:
    if outcome is not None:
        output.answer(number, answer(own_id, number, outcome, dry_run=pipeline.config.dry_run))
