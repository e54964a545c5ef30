"""The simulation of `mailchimp-unified-stream`: many lives hold every promise, and what breaks one is found and made small."""

from __future__ import annotations

from typing import Any

import pytest

from destination_mailchimp_unified.live import stdio
from destination_mailchimp_unified.live.feed import Feed
from destination_mailchimp_unified.live.output import Output
from destination_mailchimp_unified.planning.changes import Waiting
from destination_mailchimp_unified.settling.outcomes import CREATED
from integration_tests.simulation.shrinking import shrunk
from integration_tests.simulation.stream import StreamRun
from integration_tests.simulation.stream_stories import StreamStory, stream_story
from mailchimp_unified import endpoints

STORIES_TO_FIND = 60
"""A planted fault is found by one of so many stories."""


def told(story: StreamStory) -> StreamRun:
    """Tell a story to its end."""
    run = StreamRun(story)
    run.run()
    return run


@pytest.mark.parametrize("start", range(1000, 1100, 25))
def test_every_promise_of_the_stream_holds_in_many_stories(start: int) -> None:
    """Killed and sent again, with faults and people in between: no promise of docs/streaming.md is broken."""
    failed = {seed: run.broken for seed in range(start, start + 25) if (run := told(stream_story(seed))).broken}

    assert not failed, "\n".join(f"{seed}: {found[0]}" for seed, found in failed.items())


def test_the_stories_are_about_something() -> None:
    """Processes are killed and stopped, events are written and refused, and in-order answers and slow readers occur."""
    runs = [told(stream_story(seed)) for seed in range(40)]

    assert sum(lived.killed for run in runs for lived in run.lives) >= 10
    assert sum(lived.struck != [] for run in runs for lived in run.lives) >= 10
    assert {outcome for run in runs for outcome in run.told} >= {"created", "updated", "unchanged", "rejected"}
    assert {run.story.in_order for run in runs} == {run.story.slow_reader for run in runs} == {True, False}


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_the_same_story_is_the_same_run(seed: int) -> None:
    """Two runs of a story ask, answer and log the same, byte for byte."""
    first, second = (told(stream_story(seed)).world.log for _ in range(2))

    assert first == second


# Planted faults.


def _answering_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer an event as soon as it came."""
    put = Feed.put

    def answered(self: Feed, message: Any, tell: Any) -> None:
        put(self, message, lambda _: None)
        tell(CREATED)

    monkeypatch.setattr(Feed, "put", answered)


def _overtaking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send a contact's next change while the one before it is on its way."""
    heads = Waiting.heads
    monkeypatch.setattr(Waiting, "heads", lambda self, _: heads(self, set()))


def _status_for_known_contacts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send a status with the update of a contact that is there."""
    patch = endpoints.patch_member
    monkeypatch.setattr(endpoints, "patch_member", lambda one, other, body: patch(one, other, {"status": "subscribed", **body}))


def _out_of_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer as soon as an answer is known, even if order was asked for."""
    begin = Output.__init__
    monkeypatch.setattr(Output, "__init__", lambda self, write, **_: begin(self, write, in_order=False))


def _forgetting_to_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer nothing that was rejected."""
    answer = stdio._answer

    def answered(pipeline: Any, output: Any, number: int, own_id: Any, outcome: Any) -> None:
        if outcome.kind != "rejected":
            answer(pipeline, output, number, own_id, outcome)

    monkeypatch.setattr(stdio, "_answer", answered)


@pytest.mark.parametrize(
    ("plant", "promises"),
    [
        (_answering_early, {"last value", "outcomes"}),
        (_overtaking, {"order", "last value"}),
        (_status_for_known_contacts, {"consent"}),
        (_out_of_order, {"in order"}),
        (_forgetting_to_answer, {"one answer"}),
    ],
)
def test_a_planted_fault_of_the_stream_is_found(plant: Any, promises: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault planted in the stream breaks the promise that it belongs to within some stories, and the story is made small."""
    plant(monkeypatch)
    found = next(
        ((seed, one.promise) for seed in range(STORIES_TO_FIND) for one in told(stream_story(seed)).broken if one.promise in promises), None
    )
    assert found is not None
    seed, promise = found

    small = shrunk(stream_story(seed), lambda story: any(one.promise == promise for one in told(story).broken), tries=60)

    assert len(small.lines) <= len(stream_story(seed).lines)
    assert any(one.promise == promise for one in told(small).broken)
