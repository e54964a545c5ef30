"""A seed and its story: odd seeds tell of the source, even ones of the destination, of which one in four of the stream."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from integration_tests.simulation.promises import Broken
from integration_tests.simulation.reading import ReadingRun
from integration_tests.simulation.reading_stories import ReadingStory, reading_story
from integration_tests.simulation.shrinking import shrunk
from integration_tests.simulation.stream import StreamRun
from integration_tests.simulation.stream_stories import StreamStory, stream_story
from integration_tests.simulation.writing import WritingRun
from integration_tests.simulation.writing_stories import WritingStory, writing_story

Story = ReadingStory | WritingStory | StreamStory
Run = ReadingRun | WritingRun | StreamRun

STREAM_EVERY, STREAM_SEED = 8, 6
"""Of so many seeds this one tells of the stream."""


@dataclass(frozen=True)
class Runs:
    """Who tells the stories: the connectors as they are, or others for a test that plants a fault."""

    reading: type[ReadingRun] = ReadingRun
    writing: type[WritingRun] = WritingRun
    stream: type[StreamRun] = StreamRun

    def told(self, story: Story) -> Run:
        """Tell a story to its end."""
        run = self._run(story)
        run.run()
        return run

    def _run(self, story: Story) -> Run:
        if isinstance(story, ReadingStory):
            return self.reading(story)
        return self.stream(story) if isinstance(story, StreamStory) else self.writing(story)


def story_of(seed: int) -> Story:
    """Return the story that a seed tells."""
    if seed % STREAM_EVERY == STREAM_SEED:
        return stream_story(seed // STREAM_EVERY)
    return reading_story(seed // 2) if seed % 2 else writing_story(seed // 2)


def broken(seed: int, runs: Runs = Runs()) -> list[Broken]:
    """Return what does not hold in the story of a seed."""
    return runs.told(story_of(seed)).broken


def smallest(seed: int, promise: str, runs: Runs = Runs()) -> Story:
    """Return the smallest story found, of a seed that breaks a promise, which still breaks it."""

    def fails(story: Story) -> bool:
        return any(one.promise == promise for one in runs.told(story).broken)

    return shrunk(story_of(seed), fails)


def digest(run: Run) -> str:
    """Return a digest of everything that was asked, answered, logged and emitted."""
    return hashlib.sha256("\n".join(run.world.log).encode(errors="surrogatepass")).hexdigest()


def shown(story: Any, indent: str = "") -> str:
    """Return a story as text, a line for each part that is not what it is by default."""
    lines = []
    for one in fields(story):
        value = getattr(story, one.name)
        if value == one.default or one.name == "seed":
            continue
        if isinstance(value, tuple) and value and is_dataclass(value[0]):
            lines.append(f"{indent}{one.name}:")
            lines += [f"{indent}  - {shown(part, '').strip()}".replace("\n", " ") for part in value]
        else:
            lines.append(f"{indent}{one.name}: {value}")
    return "\n".join(lines)
