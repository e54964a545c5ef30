"""Making a failing story small: fewer contacts, events, faults, lines and syncs, as long as it fails in the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

Story = TypeVar("Story", bound=Any)

MOST_TRIES = 400
"""A story that is not small after so many tries is reported as it is."""

PARTS = ("people", "lines", "syncs")


def shrunk(story: Story, fails: Callable[[Story], bool], tries: int = MOST_TRIES) -> Story:
    """Return the smallest story found for which `fails` holds; it holds for `story` itself."""
    left = tries
    better: Story | None = story
    while better is not None and left > 0:
        story, better = better, None
        for smaller in _smaller(story):
            left -= 1
            if fails(smaller):
                better = smaller
                break
            if left <= 0:
                break
    return story


def _smaller(story: Story) -> Iterator[Story]:
    """Yield stories with less in them, those with much less first."""
    for name in PARTS:
        if hasattr(story, name):
            for fewer in _fewer(getattr(story, name)):
                if fewer or name != "syncs":
                    yield replace(story, **{name: fewer})
    for place, sync in enumerate(story.syncs):
        for calmer in _calmer(sync):
            yield replace(story, syncs=(*story.syncs[:place], calmer, *story.syncs[place + 1 :]))


def _calmer(sync: Any) -> Iterator[Any]:
    for name in ("events", "faults"):
        for fewer in _fewer(getattr(sync, name)):
            yield replace(sync, **{name: fewer})
    if sync.kill is not None:
        yield replace(sync, kill=None)


def _fewer(parts: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """Yield a tuple without half of it, without a quarter, and so on to each single part."""
    size = len(parts) // 2
    while size > 1:
        for start in range(0, len(parts), size):
            yield parts[:start] + parts[start + size :]
        size //= 2
    for place in range(len(parts)):
        yield parts[:place] + parts[place + 1 :]
