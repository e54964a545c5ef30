"""Everything that can go wrong in words for the person at the page."""

from __future__ import annotations


class WorkbenchError(Exception):
    """What went wrong and what to do, with the HTTP status of the answer."""

    status = 400

    def __init__(self, title: str, words: str = "") -> None:
        super().__init__(title)
        self.title, self.words = title, words


class NotThereError(WorkbenchError):
    """The page asks for something that does not exist."""

    status = 404


class BusyError(WorkbenchError):
    """Another run is under way."""

    status = 409


class ConnectorError(WorkbenchError):
    """A connector failed; its own words."""

    status = 502
