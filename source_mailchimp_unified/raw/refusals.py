"""What Mailchimp refuses of one stream, and when that means that the whole collection is closed to this account."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from itertools import count, islice

from mailchimp_unified.errors import MailchimpError, NotFoundError, PermissionDeniedError
from source_mailchimp_unified.raw.parents import Partition

REFUSALS = 20
"""After so many partitions that a permission or a plan closes, or that fail, and none that is read, only some others are asked for."""

SAMPLE_SIZE = 10
"""So many of the others are asked for, evenly spread; when one is read, all the rest are, too."""


class Refusals:
    """The partitions of a stream on their way to being read, and what became of them."""

    def __init__(self) -> None:
        self.errors: list[MailchimpError] = []
        self.not_found: list[tuple[Partition, MailchimpError]] = []
        self.given = 0
        self._closed = 0
        self._stride = 1
        self._passed_over = array("Q")

    def expect(self, partitions: int) -> None:
        """Prepare for so many partitions."""
        self._stride = max(1, partitions // SAMPLE_SIZE)

    def refuse(self, error: MailchimpError, partition: Partition | None = None) -> None:
        """Note that a partition is refused; the whole collection without one."""
        self.errors.append(error)
        self._closed += isinstance(error, PermissionDeniedError)
        if partition is not None and isinstance(error, NotFoundError):
            self.not_found.append((partition, error))

    def fail(self) -> None:
        """Note that a partition could not be read, after all tries."""
        self._closed += 1

    def give(self) -> None:
        """Note that a partition was read."""
        self.given += 1

    @property
    def unasked(self) -> int:
        """How many partitions were passed over."""
        return len(self._passed_over)

    def asked(self, partitions: Iterator[Partition]) -> Iterator[Partition]:
        """Yield the partitions to ask for, while what becomes of them is noted."""
        for number, partition in zip(count(), partitions):
            if self._closed >= REFUSALS and not self.given and number % self._stride:
                self._passed_over.append(number)
            else:
                yield partition

    def passed_over(self, partitions: Iterator[Partition]) -> Iterator[Partition]:
        """Yield those of the same partitions that were passed over, once it is known that the collection is open."""
        if not self.given:
            return
        passed, self._passed_over, at = self._passed_over, array("Q"), 0
        for number in passed:
            yield from islice(partitions, number - at, number - at + 1)
            at = number + 1
