"""A reading that several others need and that is done once."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Generic, TypeVar

from source_mailchimp_unified.sync.reading import Signal, Step

Result = TypeVar("Result")


class Once(Generic[Result]):
    """A reading that is done once, whoever asks first, and gives everybody its result or its error."""

    def __init__(self, reading: Callable[[], Generator[Step, list[Any], Result]]) -> None:
        self._reading = reading
        self._begun = False
        self._done = Signal()
        self._result: list[Result] = []
        self._error: Exception | None = None

    def get(self) -> Generator[Step, list[Any], Result]:
        """Return the result, reading or waiting for it. Raises what the reading raised."""
        if not self._begun:
            yield from self._read()
        elif not self._result and self._error is None:
            yield Step(awaits=self._done)
        if self._error is not None:
            raise self._error
        return self._result[0]

    def _read(self) -> Generator[Step, list[Any], None]:
        self._begun = True
        try:
            self._result.append((yield from self._reading()))
        except Exception as error:  # noqa: BLE001 - everybody who asks reports it under its own name
            self._error = error
        finally:
            self._done.give()
