"""How the statuses of an audience are read: what is asked for, from where, and what is believed of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Iterable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.comparison import Comparison, Wanted, comparison_of
from destination_mailchimp_unified.audience.listing import count_contacts, is_fresh, is_listed, read_statuses, refresh_statuses
from integration_tests.simulation.clock import run
from mailchimp_unified.errors import BugError, MailchimpError, PermissionDeniedError
from mailchimp_unified.paging import Pager
from mailchimp_unified.transport import Outgoing, Received
from unit_tests.account import page
from unit_tests.destination.asking import LIST, pager, path_of
from unit_tests.kernel.conftest import Scripted, answer

Json = dict[str, Any]

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ARCHIVED = "archived"
OTHERS = {"unsubscribed", "cleaned", "pending", "transactional", ARCHIVED}
"""All statuses but subscribed."""


def id_of(number: int) -> str:
    """Return the id of a contact."""
    return f"{number:016x}" * 2


def moment(seconds: float) -> str:
    """Return a moment, in seconds after the first look."""
    return (NOW + timedelta(seconds=seconds)).isoformat()


def member(number: int, changed: float | None, status: str = "subscribed") -> Json:
    """A contact that changed so many seconds after the first look."""
    return {
        "id": id_of(number), "status": status, "last_changed": None if changed is None else moment(changed),
        "email_address": f"p{number}@x.org", "merge_fields": {"FNAME": "A"}, "place": moment(changed or 0),
    }  # fmt: skip


def timeless(number: int, place: float) -> Json:
    """A contact that is listed as if it had changed then, and shows no time."""
    return {**member(number, None), "place": moment(place)}


class Listings:
    """An audience whose contacts are listed by the time of their last change; each answer is dated a second after the one before.

    `acts` happen before the request with their number is answered.
    """

    def __init__(self, *members: Json) -> None:
        self.members = {str(one["id"]): one for one in members}
        self.seen: list[Json] = []
        self.acts: dict[int, Callable[[], Any]] = {}
        self.counted_too_many: dict[int, int] = {}
        self.fails_at: int | None = None

    def __call__(self, outgoing: Outgoing) -> Received:
        """Answer a request."""
        assert path_of(outgoing) == "/members"
        number = len(self.seen)
        self.acts.get(number, lambda: None)()
        self.seen.append(dict(outgoing.params))
        if number == self.fails_at:
            return answer({"type": "t", "title": "Forbidden", "status": 403, "detail": "", "instance": "i"}, 403)
        status, since, before = (str(outgoing.params.get(name, "")) for name in ("status", "since_last_changed", "before_last_changed"))
        rows = [
            one
            for one in sorted(self.members.values(), key=lambda one: str(one["place"]))
            if (one["status"] == status if status else one["status"] != ARCHIVED)
            and (not one["last_changed"] or (one["last_changed"] > since and (not before or one["last_changed"] <= before)))
        ]
        received = page(outgoing, "members", rows)
        received.headers["Date"] = format_datetime(NOW + timedelta(seconds=number), usegmt=True)
        return received

    def put(self, *members: Json) -> None:
        """Let contacts be as these are."""
        self.members |= {str(one["id"]): one for one in members}

    def asked(self, *names: str) -> list[tuple[Any, ...]]:
        """Return some parameters of each request."""
        return [tuple(one.get(name) for name in names) for one in self.seen]


def known(audience: Audience, numbers: Iterable[int]) -> dict[int, str | None]:
    """Return what is known of contacts."""
    return {number: audience.status_of(id_of(number)) for number in numbers}


def held(listings: Listings) -> dict[int, str | None]:
    """Return the statuses that contacts have."""
    return {int(contact_id[:16], 16): str(one["status"]) for contact_id, one in listings.members.items()}


def asking(
    listings: Listings, story: Callable[[Audience, Pager], Coroutine[Any, Any, None]], page_size: int = 100
) -> tuple[Audience, Scripted]:
    """Tell a story about an audience."""
    audience = Audience(LIST)
    found, scripted = pager(listings, page_size)
    run(story(audience, found))
    return audience, scripted


def read(listings: Listings, page_size: int = 100, workers: int = 4, comparison: Comparison | None = None) -> Audience:
    """Count the contacts and read their statuses."""

    async def story(audience: Audience, found: Pager) -> None:
        await count_contacts(audience, found, ())
        await read_statuses(audience, found, workers, comparison)

    return asking(listings, story, page_size)[0]


def by_first_name() -> Comparison:
    """A comparison by a merge field."""
    return comparison_of([Wanted({}, frozenset({("merge_fields", "FNAME")}))], {}, lambda _: False)


def many(number: int, first: float = -100_000, status: str = "subscribed", begin: int = 0) -> list[Json]:
    """So many contacts, which changed a second after each other."""
    return [member(begin + n, first + n, status) for n in range(number)]


# Counting.


def test_the_first_pages_of_both_listings_say_how_many_there_are() -> None:
    """The archived ones come last. What was read is as old as the first answer, and as the first question."""
    listings = Listings(*many(7), *many(3, status=ARCHIVED, begin=50))

    async def story(audience: Audience, found: Pager) -> None:
        await asyncio.sleep(5)
        await count_contacts(audience, found, ["vip"])

    audience, _ = asking(listings, story, page_size=5)

    assert listings.asked("offset", "count", "status") == [(0, 5, None), (0, 5, ARCHIVED)]
    assert all("members.vip" in one["fields"] for one in listings.seen)
    assert (audience.totals, [len(one) for one in audience.first_pages]) == ((7, 3), [5, 3])
    assert (audience.statuses_until, audience.statuses_asked) == (NOW, pytest.approx(5.0))


@pytest.mark.parametrize(
    ("plain", "archived", "whole"),
    [
        (0, 0, True), (9, 9, True), (10, 9, False), (9, 10, False), (11, 0, False), (0, 11, False),
    ],
)  # fmt: skip
def test_an_audience_is_listed_when_both_first_pages_are_not_full(plain: int, archived: int, whole: bool) -> None:
    """A page that is full may have something behind it."""
    listings = Listings(*many(plain), *many(archived, status=ARCHIVED, begin=50))
    verdicts = []

    async def story(audience: Audience, found: Pager) -> None:
        verdicts.append(is_listed(audience, found))
        await count_contacts(audience, found, ())
        verdicts.append(is_listed(audience, found))

    asking(listings, story, page_size=10)
    assert verdicts == [False, whole]


def test_a_first_page_that_is_shorter_than_its_count_is_not_all() -> None:
    """However few there are."""
    audience = Audience(LIST, totals=(3, 0), first_pages=[many(2), []])
    found, _ = pager(Listings(), 10)
    assert not is_listed(audience, found)
    audience.totals = (2, 0)
    assert is_listed(audience, found)


def test_an_answer_without_a_time_is_of_no_use() -> None:
    """Changes since then could not be asked for."""

    async def story(audience: Audience, found: Pager) -> None:
        await count_contacts(audience, found, ())

    def undated(outgoing: Outgoing) -> Received:
        received = page(outgoing, "members", [])
        del received.headers["Date"]
        return received

    found, _ = pager(undated)
    with pytest.raises(BugError):
        run(story(Audience(LIST), found))


# Reading everybody.


def test_a_small_audience_is_known_by_its_first_pages() -> None:
    """Nothing more is asked for."""
    listings = Listings(*many(3), *many(2, status=ARCHIVED, begin=50), member(60, -5, "unsubscribed"))
    audience = read(listings)

    assert len(listings.seen) == 2
    assert known(audience, [0, 1, 2, 50, 51, 60, 99]) == {**held(listings), 99: None}
    assert (audience.listed_whole, audience.is_compared, audience.first_pages) == (True, False, [])


def test_a_small_audience_is_compared_by_its_first_pages() -> None:
    """Where a comparison is wanted."""
    listings = Listings(*many(3))
    audience = read(listings, comparison=by_first_name())

    assert (audience.is_compared, audience.words_of(id_of(1)) is not None) == (True, True)


@pytest.mark.parametrize("comparison", [None, by_first_name()])
def test_a_big_audience_is_read_in_windows_from_their_far_ends(comparison: Comparison | None) -> None:
    """Pages at even distances say where windows of time begin and end: at most as many as there are workers, of whole pages less a tenth of one."""
    listings = Listings(*many(1_000), *many(7, status=ARCHIVED, begin=2_000))
    audience = read(listings, comparison=comparison)

    assert known(audience, [*range(1_000), *range(2_000, 2_007), 9_999]) == {**held(listings), 9_999: None}
    assert (audience.listed_whole, audience.is_compared) == (True, comparison is not None)
    fields = {("members.merge_fields" in one["fields"], "members.email_address" in one["fields"]) for one in listings.seen[2:]}
    assert fields == {(comparison is not None,) * 2}
    asked = sorted(listings.asked("status", "since_last_changed", "before_last_changed", "offset"), key=str)
    plain = [(since, before, offset) for status, since, before, offset in asked if not status]
    samples = [offset for since, before, offset in plain if not (since or before)]
    assert samples == [0, 290, 580, 870]
    # The seconds strictly between the first and the last row of a page are not asked for again.
    cuts = [(-99_902.0, -99_710.0), (-99_612.0, -99_420.0), (-99_322.0, -99_130.0), (-99_032.0, None)]
    windows = [(moment(after), moment(until) if until else None) for after, until in cuts]
    assert {(since, before) for since, before, _ in plain if before or (since and since < moment(-200))} == set(windows)
    late = moment(-120)
    assert [(status, since) for status, since, _, _ in asked if since and since > moment(-200)] == [(ARCHIVED, late), (None, late)]
    assert [status for status, since, *_ in asked if status and not since] == [ARCHIVED]


@pytest.mark.parametrize(
    ("number", "workers", "samples", "requests"),
    [(101, 4, 1, 6), (150, 4, 1, 6), (1_000, 1, 0, 15), (1_000, 4, 3, 14), (1_000, 100, 9, 15), (2_050, 4, 3, 24)],
)
def test_reading_takes_hardly_more_requests_than_there_are_pages(number: int, workers: int, samples: int, requests: int) -> None:
    """And the first look at the archived, and the changes of both. There are no more windows than workers, or than pages."""
    listings = Listings(*many(number))
    audience = read(listings, workers=workers)

    assert known(audience, range(number)) == held(listings)
    offsets = [
        offset
        for offset, since, before, status in listings.asked("offset", "since_last_changed", "before_last_changed", "status")
        if not (since or before or status)
    ]
    assert (len([one for one in offsets if one]), len(listings.seen)) == (samples, requests)


def test_a_window_is_a_page_less_a_tenth_at_least() -> None:
    """Where there are more workers than pages."""
    listings = Listings(*many(250))
    read(listings, workers=9)

    assert [one for (one, *bounds) in listings.asked("offset", "since_last_changed", "status") if bounds == [None, None]][1:] == [90, 180]


def test_who_leaves_while_the_audience_is_read_is_known_to_have_left() -> None:
    """Changes since the first look, and two minutes before it, are read at the end."""
    listings = Listings(*many(300))
    listings.acts[4] = lambda: listings.put(*[member(number, 4, "unsubscribed") for number in (0, 150, 299)])
    listings.acts[5] = lambda: listings.put(member(151, 5, ARCHIVED), member(400, -119))
    audience = read(listings)

    assert known(audience, [*range(300), 400]) == {**held(listings), 400: "subscribed"}


def test_a_page_that_was_sampled_is_older_than_what_comes_after() -> None:
    """Changes are noted after what the pages say, so that nobody who left is taken for subscribed."""
    listings = Listings(*many(1_000))
    listings.acts[6] = lambda: listings.put(*[member(number, 6, "unsubscribed") for number in (3, 200, 400, 600, 999)])
    audience = read(listings)

    assert known(audience, [3, 200, 400, 600, 999]) == dict.fromkeys([3, 200, 400, 600, 999], "unsubscribed")


def test_many_changes_are_read_like_a_big_audience_and_the_windows_say_the_last_word() -> None:
    """Of a contact that changed once more while they were read, the newer status counts."""
    listings = Listings(*many(300, -90))

    def act() -> None:
        listings.put(*[member(number, 50, "unsubscribed") for number in range(300)])

    async def story(audience: Audience, found: Pager) -> None:
        await count_contacts(audience, found, ())
        await read_statuses(audience, found, 4, None)
        listings.seen.clear()
        act()
        await refresh_statuses(audience, found)

    audience, _ = asking(listings, story)
    assert known(audience, range(300)) == held(listings)


@pytest.mark.parametrize("at", [5, 6])
def test_who_changes_while_many_changes_are_read_is_known_as_last_seen(at: int) -> None:
    """What a page says of a contact is older than what its window says."""
    listings = Listings(*[member(number, -115 + number // 3) for number in range(250)])
    listings.acts[at] = lambda: listings.put(member(0, 8, "unsubscribed"))
    audience = read(listings, workers=1)

    assert audience.status_of(id_of(0)) == "unsubscribed"


@pytest.mark.parametrize("place", [0, 94, 95, 98, 99, 100, 194, 195, 294, 389, 390, 489, 585, 684, 999])
def test_a_contact_without_a_time_bounds_no_window(place: int) -> None:
    """Whether it is the first or the last of a page: it is read like the others."""
    members = many(1_000)
    members[place] = timeless(place, -100_000 + place)
    listings = Listings(*members)

    assert known(read(listings), range(1_000)) == held(listings)


def test_pages_that_meet_leave_no_window_between_them() -> None:
    """A window that cannot hold anybody is not asked for."""
    # The second page begins in the second before the last of the first.
    members = [member(number, -1_000 + (number if number < 95 else 95 if number < 99 else number)) for number in range(250)]
    listings = Listings(*members)
    audience = read(listings, workers=9)

    assert known(audience, range(250)) == held(listings)
    windows = [(since, before) for since, before in listings.asked("since_last_changed", "before_last_changed") if before]
    assert [since for since, before in windows if since and since >= before] == []


@pytest.mark.parametrize("workers", [1, 4])
def test_an_audience_that_mailchimp_does_not_count_is_read(workers: int) -> None:
    """A count of 0 is no count: the pages say when all is read."""
    listings = Listings(*many(250))

    def uncounted(outgoing: Outgoing) -> Received:
        received = listings(outgoing)
        return Received(received.status, received.headers, re.sub(rb'"total_items":[0-9]+', b'"total_items":0', received.content))

    async def story(audience: Audience, found: Pager) -> None:
        await count_contacts(audience, found, ())
        await read_statuses(audience, found, workers, None)

    audience = Audience(LIST)
    run(story(audience, pager(uncounted, 100)[0]))
    assert known(audience, range(250)) == held(listings)


@pytest.mark.parametrize("fails_at", [2, 3, 4])
def test_what_was_read_in_part_does_not_pass_for_all(fails_at: int) -> None:
    """Where reading fails, nothing is known of anybody."""
    listings = Listings(*many(150))
    listings.fails_at = fails_at
    errors: list[MailchimpError] = []

    async def story(audience: Audience, found: Pager) -> None:
        await count_contacts(audience, found, ())
        try:
            await read_statuses(audience, found, 1, by_first_name())
        except PermissionDeniedError as error:
            errors.append(error)

    audience, _ = asking(listings, story)
    assert (len(errors), audience.statuses, audience.is_compared, audience.listed_whole) == (1, None, False, False)


def test_after_a_failure_pages_of_the_first_look_say_nothing() -> None:
    """Who left since is read as having left: an hour later the page that had them is old."""
    listings = Listings(*many(150))
    # All is read, and it remains to be asked how many there are: some were deleted meanwhile.
    listings.acts[2] = lambda: listings.members.pop(id_of(149))

    async def story(audience: Audience, found: Pager) -> None:
        await count_contacts(audience, found, ())
        listings.fails_at = 5
        with pytest.raises(PermissionDeniedError):
            await read_statuses(audience, found, 1, None)
        assert len(listings.seen) == 6
        listings.put(member(3, -3_000, "unsubscribed"))
        await read_statuses(audience, found, 1, None)

    audience, _ = asking(listings, story)
    assert known(audience, range(149)) == held(listings)


# Whether everybody was read.


@pytest.mark.parametrize("deleted", [[149], [149, 202]])
def test_a_contact_that_was_deleted_meanwhile_is_no_gap(deleted: list[int]) -> None:
    """Mailchimp is asked once more how many there are."""
    listings = Listings(*many(150), *many(3, status=ARCHIVED, begin=200))
    listings.acts[2] = lambda: [listings.members.pop(id_of(number)) for number in deleted]
    audience = read(listings, workers=1)

    assert listings.asked("status", "count", "offset")[-2:] == [(None, 1, 0), (ARCHIVED, 1, 0)]
    assert audience.listed_whole


def test_an_audience_of_which_everybody_was_read_is_not_counted_again() -> None:
    """One request for each page, and those for the changes."""
    listings = Listings(*many(150))
    assert read(listings, workers=1).listed_whole
    assert (None, 1, 0) not in listings.asked("status", "count", "offset")


def is_whole(listings: Listings, changed: Callable[[int, Outgoing, bytes], bytes]) -> bool:
    """Return whether an audience counts as read whole; answers are changed by their number."""

    def answers(outgoing: Outgoing) -> Received:
        received = listings(outgoing)
        return Received(received.status, received.headers, changed(len(listings.seen) - 1, outgoing, received.content))

    async def story(audience: Audience, found: Pager) -> None:
        await count_contacts(audience, found, ())
        await read_statuses(audience, found, 1, None)

    audience = Audience(LIST)
    run(story(audience, pager(answers, 100)[0]))
    return audience.listed_whole


@pytest.mark.parametrize(("listed", "whole"), [(149, False), (150, True), (151, True)])
def test_who_is_counted_and_was_not_read_may_exist(listed: int, whole: bool) -> None:
    """Then nobody unknown is taken for new."""

    def counted(_: int, outgoing: Outgoing, content: bytes) -> bytes:
        is_all = "since_last_changed" not in outgoing.params and "status" not in outgoing.params
        return content.replace(b'"total_items":%d' % listed, b'"total_items":150') if is_all else content

    assert is_whole(Listings(*many(listed)), counted) == whole


def test_a_listing_that_lacks_somebody_of_its_own_count_is_not_whole() -> None:
    """Even where as many were read as were counted at first."""

    def counted(number: int, outgoing: Outgoing, content: bytes) -> bytes:
        later = number > 1 and "status" not in outgoing.params
        return (
            re.sub(rb'"total_items":([0-9]+)', lambda found: b'"total_items":%d' % (int(found[1]) + (found[1] != b"0")), content)
            if later
            else content
        )

    assert not is_whole(Listings(*many(150)), counted)


def test_an_audience_that_cannot_be_counted_again_is_not_whole() -> None:
    """Nobody knows whether the one who is missing was deleted."""
    listings = Listings(*many(150))
    listings.acts[2] = lambda: listings.members.pop(id_of(149))

    assert not is_whole(listings, lambda _, outgoing, content: b"{}" if outgoing.params["count"] == 1 else content)


# Reading again.


def refreshed(
    listings: Listings, comparison: Comparison | None = None, written: int = 0, page_size: int = 10, changed: Iterable[Json] = ()
) -> Audience:
    """Read an audience, write some contacts, and read again who changed; keep the requests of that."""

    async def story(audience: Audience, found: Pager) -> None:
        await count_contacts(audience, found, ())
        await read_statuses(audience, found, 4, comparison)
        await asyncio.sleep(50)
        audience.note_written(*[f"{number:032x}" for number in range(written)])
        listings.put(*changed)
        listings.seen.clear()
        await refresh_statuses(audience, found)

    return asking(listings, story, page_size)[0]


def test_only_who_stopped_being_subscribed_is_read_again() -> None:
    """From two minutes before the last reading on; nobody else matters where nothing is compared."""
    listings = Listings(*many(5))
    audience = refreshed(listings, changed=[member(2, -119, "cleaned"), member(3, 40, ARCHIVED), member(4, -121, "pending")])

    assert {status for (status,) in listings.asked("status")} == OTHERS
    assert {since for (since,) in listings.asked("since_last_changed")} == {moment(-120)}
    assert known(audience, range(5)) == {0: "subscribed", 1: "subscribed", 2: "cleaned", 3: ARCHIVED, 4: "subscribed"}
    assert (audience.statuses_until, audience.statuses_asked) == (NOW, pytest.approx(50.2, abs=0.01))


@pytest.mark.parametrize(("written", "subscribed_too"), [(0, True), (9, True), (10, False), (11, False)])
def test_where_contacts_are_compared_subscribed_ones_are_read_again_too(written: int, subscribed_too: bool) -> None:
    """Unless a page of those who changed would be full of those that this sync has written: counted from the last reading."""
    listings = Listings(*many(5))
    audience = refreshed(listings, by_first_name(), written)

    assert {status for (status,) in listings.asked("status")} == OTHERS | ({"subscribed"} if subscribed_too else set())
    assert audience.written == 0


def test_an_audience_that_was_never_read_is_not_read_again() -> None:
    """There is nothing that could have changed."""
    listings = Listings(*many(5))
    asking(listings, refresh_statuses)

    assert listings.seen == []


@pytest.mark.parametrize(("left", "requests_of_status"), [(9, 1), (10, 2), (25, 3)])
def test_many_who_left_are_read_page_by_page(left: int, requests_of_status: int) -> None:
    """A page that is not full is all there is; a full one may have something behind it."""
    listings = Listings(*many(30))
    audience = refreshed(listings, changed=many(left, -60, "unsubscribed"))

    assert known(audience, range(30)) == held(listings)
    assert [status for (status,) in listings.asked("status")].count("unsubscribed") == requests_of_status


@pytest.mark.parametrize(("seconds", "fresh"), [(0.0, True), (59.9, True), (60.0, True), (60.1, False)])
def test_statuses_are_acted_on_for_a_minute(seconds: float, fresh: bool) -> None:
    """Counted from the moment they were asked for."""
    verdicts = []

    async def story() -> None:
        await asyncio.sleep(100)
        audience = Audience(LIST, statuses_asked=100.0)
        await asyncio.sleep(seconds)
        verdicts.append(is_fresh(audience))

    run(story())
    assert verdicts == [fresh]
