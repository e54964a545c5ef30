"""What the reading of a collection is going to cost, said before it is spent."""

from __future__ import annotations

import logging
from collections.abc import Callable

from source_mailchimp_unified.raw.pages import pages_of

NOTEWORTHY_REQUESTS = 300
"""A reading that takes more requests is announced: with six of them open at once, that is from about a minute on."""


class Cost:
    """The requests that a reading takes, as far as they are known: at first by the parents, then by the count of each answer."""

    def __init__(self, subject: str, logger: logging.Logger, noteworthy: int = NOTEWORTHY_REQUESTS) -> None:
        self._subject, self._logger, self._noteworthy = subject, logger, noteworthy
        self._requests = 0
        self._told = False

    def expect(self, requests: int, parts: int, of: str = "") -> None:
        """Expect so many requests, for so many parts of the collection, and say so where they are many."""
        self._requests = requests
        if requests > self._noteworthy:
            each = "one for each of the" if requests == parts else f"for {parts:,} of the"
            self._tell(f"{self._subject} about {requests:,} requests{f', {each} {of}' if of else ''}.")

    def count(self, expected: int = 1) -> Callable[[int], None]:
        """Return what hears how many items a part has, of which so many requests were expected."""
        heard = False

        def counted(items: int) -> None:
            nonlocal heard
            if not heard:
                heard = True
                self._requests += max(0, pages_of(items) - expected)
                if self._requests > self._noteworthy:
                    self._tell(f"{self._subject} about {self._requests:,} requests, as far as is known by now.")

        return counted

    def _tell(self, words: str) -> None:
        if not self._told:
            self._told = True
            self._logger.warning("%s", words)
