"""GET /lists/{list_id}/members: which members, in which order, and how many.

Public source: https://mailchimp.com/developer/marketing/api/list-members/list-members-info/
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from mailchimp_emulator.audience import Audience
from mailchimp_emulator.behavior import Behavior
from mailchimp_emulator.member_index import MemberIndex
from mailchimp_emulator.models import RANK_BITS, Member
from mailchimp_emulator.problems import bad_request, invalid_resource, schema_problem
from mailchimp_emulator.times import first_second_after, last_second_until, parse_instant
from mailchimp_emulator.vendor import DEFAULT_COUNT, MAX_COUNT, STATUSES

_FOREVER = (1 << 40) - 1
# How members of one second follow each other.
_shuffling = random.Random(0)
_TIES: dict[str, Callable[[Member], Any]] = {
    "insertion": attrgetter("seq"),
    "id": attrgetter("id"),
    "shuffled": lambda _: _shuffling.random(),
}
_NOT_FILTERS = ("count", "offset", "fields", "exclude_fields")
_SORTABLE = ("last_changed", "timestamp_opt", "timestamp_signup")


@dataclass(frozen=True, slots=True)
class Page:
    """`count` items from `offset` on."""

    count: int
    offset: int

    @classmethod
    def of(cls, query: Mapping[str, str], behavior: Behavior) -> Page:
        """Read count and offset; anything but a number counts as missing."""
        count = _natural(query.get("count"), DEFAULT_COUNT)
        if count > MAX_COUNT and behavior.count_over_max == "refuse":
            raise bad_request(f"The count may be {MAX_COUNT} at most.")
        return cls(min(count, MAX_COUNT), _natural(query.get("offset"), 0))

    def cut(self, items: list[Any]) -> list[Any]:
        """The part of a whole list that is on the page."""
        return items[self.offset : self.offset + self.count]


def _natural(text: str | None, otherwise: int) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() else otherwise


def flag(query: Mapping[str, str], name: str) -> bool:
    """True for `true` and `1`, false for everything else.

    Public source: https://mailchimp.com/developer/release-notes/
    """
    return query.get(name, "").lower() in ("true", "1")


@dataclass(frozen=True, slots=True)
class Span:
    """Whole seconds from `first` to `last`, both included: `since` excludes its own second, `before` does not."""

    first: int = 0
    last: int = _FOREVER

    @classmethod
    def of(cls, query: Mapping[str, str], name: str, since: str = "since_", before: str = "before_") -> Span:
        """Read a pair of bounds, such as since_last_changed and before_last_changed."""
        # A date that Mailchimp cannot read filters nothing.
        low, high = (parse_instant(query.get(prefix + name, "")) for prefix in (since, before))
        return cls(
            0 if low is None else first_second_after(low),
            _FOREVER if high is None else last_second_until(high),
        )

    def holds(self, second: int) -> bool:
        """Whether a second is inside."""
        return self.first <= second <= self.last

    @property
    def open(self) -> bool:
        """Whether nothing is outside."""
        return self.first == 0 and self.last == _FOREVER


def refuse_bad_combinations(query: Mapping[str, str]) -> None:
    """Refuse a status that does not exist and filters that need another one."""
    status = query.get("status")
    if status and status not in STATUSES:
        message = f"Value must be one of: {', '.join(STATUSES)}"
        raise schema_problem([{"field": "status", "message": message}])
    if "since_last_campaign" in query and not status:
        raise invalid_resource("Status is required when using since_last_campaign filter.")
    if "unsubscribed_since" in query and status not in (None, "", "unsubscribed"):
        raise invalid_resource("The unsubscribed_since filter only works with the unsubscribed status.")


class MemberQuery:
    """The filters and the order of one request."""

    def __init__(self, query: Mapping[str, str], behavior: Behavior) -> None:
        refuse_bad_combinations(query)
        self.query, self.behavior = query, behavior
        self.status = query.get("status") or ("unsubscribed" if "unsubscribed_since" in query else "")
        self.changed = Span.of(query, "last_changed")
        self.opted = Span.of(query, "timestamp_opt")
        self.sort_field = query["sort_field"] if query.get("sort_field") in _SORTABLE else ""
        self.descending = query.get("sort_dir", "").upper() == "DESC"

    def select(self, audience: Audience, page: Page, now: float) -> tuple[list[Member], int]:
        """The members of the page as they are seen at this moment, and the number of all that match."""
        tests, ties = self._tests(), self.behavior.tie_order
        seen = audience.index if audience.late is None else audience.late.at(now)
        if self.sort_field == "last_changed" and not tests and ties == "insertion":
            return self._slice(self._index(seen), page)

        def chosen() -> list[Member]:
            return self._sort(self._matching(seen, tests))

        if audience.late is not None or ties == "shuffled":
            matching = chosen()
        else:
            flags = (ties, self.behavior.transactional_in_bare_list, self.behavior.archived_in_bare_list)
            key = (*flags, *sorted(item for item in self.query.items() if item[0] not in _NOT_FILTERS))
            matching = audience.ordering(key, chosen)
        return page.cut(matching), len(matching)

    def _index(self, seen: MemberIndex) -> Any:
        return seen.ordered[self.status] if self.status else seen.bare

    def _bounds(self, index: Any) -> tuple[int, int]:
        """Where the window of last_changed begins and ends in the index."""
        return (
            index.bisect_key_left(self.changed.first << RANK_BITS),
            index.bisect_key_left((self.changed.last + 1) << RANK_BITS),
        )

    def _slice(self, index: Any, page: Page) -> tuple[list[Member], int]:
        low, high = self._bounds(index)
        total = max(high - low, 0)
        if self.descending:
            stop = high - page.offset
            return list(reversed(index[max(stop - page.count, low) : max(stop, low)])), total
        start = low + page.offset
        return list(index[start : max(min(start + page.count, high), start)]), total

    def _matching(self, seen: MemberIndex, tests: list[Callable[[Member], bool]]) -> Iterable[Member]:
        index = self._index(seen)
        low, high = self._bounds(index)
        candidates = index[low:high]
        if not self.status and self.behavior.archived_in_bare_list:
            archived = seen.ordered["archived"]
            candidates = [*candidates, *archived[slice(*self._bounds(archived))]]
        return [member for member in candidates if all(test(member) for test in tests)]

    def _sort(self, members: Iterable[Member]) -> list[Member]:
        if not self.sort_field:
            # No order worth the name: by id, which is a hash.
            return sorted(members, key=attrgetter("id"))
        by, tie = attrgetter(self.sort_field), _TIES[self.behavior.tie_order]
        ordered = sorted(members, key=lambda member: (by(member), tie(member)))
        return ordered[::-1] if self.descending else ordered

    def _tests(self) -> list[Callable[[Member], bool]]:
        """Filters beyond status and last_changed."""
        query, opted = self.query, self.opted
        tests: list[Callable[[Member], bool]] = []
        if not self.status and not self.behavior.transactional_in_bare_list:
            tests.append(lambda member: member.status != "transactional")
        if not self.status and self.behavior.archived_in_bare_list:
            tests.append(lambda _: True)
        if not opted.open:
            tests.append(lambda member: member.timestamp_opt > 0 and opted.holds(member.timestamp_opt))
        if query.get("email_type"):
            tests.append(lambda member: member.email_type == query["email_type"])
        if flag(query, "vip_only"):
            tests.append(lambda member: bool(member.rare("vip", False)))
        if query.get("unique_email_id"):
            tests.append(lambda member: member.unique_email_id == query["unique_email_id"])
        if query.get("email_address"):
            tests.append(lambda member: member.email.lower() == query["email_address"].lower())
        return tests + self._interest_tests() + self._left_tests()

    def _interest_tests(self) -> list[Callable[[Member], bool]]:
        wanted = [name for name in self.query.get("interest_ids", "").split(",") if name]
        match = {"any": any, "all": all}.get(self.query.get("interest_match", ""))
        if not wanted or not self.query.get("interest_category_id"):
            return []
        if match is None:
            return [lambda member: not any(member.rare("interests", {}).get(name) for name in wanted)]
        return [lambda member: match(member.rare("interests", {}).get(name, False) for name in wanted)]

    def _left_tests(self) -> list[Callable[[Member], bool]]:
        since = parse_instant(self.query.get("unsubscribed_since", ""))
        return [] if since is None else [lambda member: member.last_changed > since]
