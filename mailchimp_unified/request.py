"""A call of the API before it is sent, and the reply to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

Json = dict[str, Any]
"""An object of JSON, parsed."""

PAGE_SIZE = 1000
"""Most items of one page of a collection: https://mailchimp.com/developer/marketing/docs/methods-parameters/#pagination."""


@dataclass(frozen=True)
class Request:
    """A call of the API: `path` below /3.0, and `what` it is about in words for the user.

    `keeps` is a TypedDict of the parts that are wanted of
    a much bigger answer: the rest is skipped unparsed. An answer is whole only when it has the list `items`, every key in `needs` and at
    least one in `one_of`; one that is not whole is asked for again. Of what is `expected` to be there a single 404 is not believed.
    """

    path: str
    what: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    method: str = "GET"
    body: Any = None
    keeps: Any = None
    items: str = ""
    needs: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    expected: bool = False

    def page(self, offset: int, count: int = PAGE_SIZE) -> Request:
        """Return the request for `count` items of this collection, beginning at `offset`."""
        return replace(self, params={**self.params, "count": count, "offset": offset})

    def surely(self) -> Request:
        """Return the request for something that was there a moment ago."""
        return replace(self, expected=True)

    def lack(self, body: Mapping[str, Any]) -> str:
        """Return what an answer lacks to be whole, in words; "" when it is whole.

        Absence is never taken for data: an answer without its list, or with an empty first page of a collection that has items by
        its own count, says nothing about the collection.
        """
        missing = [name for name in self.needs if body.get(name) is None]
        if missing:
            return f"has no {missing[0]}"
        if self.one_of and all(body.get(name) is None for name in self.one_of):
            return "contains none of the expected fields"
        if not self.items:
            return ""
        found = body.get(self.items)
        if not isinstance(found, list):
            return f"has no list of {self.items}"
        if not found and not self.params.get("offset") and self.params.get("count") != 0 and total_items(body) > 0:
            return f"has none of its {total_items(body)} {self.items}"
        return ""


def total_items(body: Mapping[str, Any]) -> int:
    """Return how many items a collection has by its own count; 0 when the answer names no usable number."""
    total = body.get("total_items")
    return max(0, total) if isinstance(total, int) and not isinstance(total, bool) else 0


@dataclass(frozen=True)
class Reply:
    """A successful answer: the parsed body ({} when there is none), and the time at which Mailchimp gave it (UTC).

    `asked` is the time of the event loop at which it was asked for, in seconds. `after_lost_answer` tells that an
    earlier try of the same call may have been carried out although its answer was lost.
    """

    body: dict[str, Any]
    date: datetime | None = None
    asked: float = 0.0
    after_lost_answer: bool = False
