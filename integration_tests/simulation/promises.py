"""What a promise of docs/delivery.md is called when it does not hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from integration_tests.simulation.world import Seen, World


@dataclass(frozen=True)
class Broken:
    """A promise that did not hold, and how that showed."""

    promise: str
    words: str

    def __str__(self) -> str:
        return f"{self.promise}: {self.words}"


class Run:
    """A story, told once: its world, and what turned out to be broken."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.broken: list[Broken] = []

    def _report(self, broken: Iterable[Broken]) -> None:
        for one in broken:
            self._break(one.promise, one.words)

    def _break(self, promise: str, words: str) -> None:
        self.broken.append(Broken(promise, words))
        self.world.log.append(f"{self.world.now:.3f} BROKEN {promise}: {words}")


OVERLOOKED_SECONDS = 60.0 + 25.0
"""Statuses are looked at again after a minute, and a call takes its time: so long somebody who leaves may be overlooked by a bulk
row without a status, where Mailchimp should take that for a subscription (docs/delivery.md)."""


def is_recent(versions: Sequence[Seen], before: Seen, after: Seen) -> bool:
    """Whether somebody gave a contact its status so shortly before a request that a sync may not have seen it.

    `versions` are what the contact was, in order, `before` and `after` two neighbors of them.
    """
    given = before
    for version in reversed([one for one in versions if one.at <= before.at]):
        if version.status != before.status:
            break
        given = version
    return not given.by.startswith(("request", "beginning")) and after.at - given.at <= OVERLOOKED_SECONDS
