from __future__ import annotations

import random
from collections.abc import Generator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from source_mailchimp_unified.sync.reading import Lanes, Step, Taken

from mailchimp_unified import paging
from mailchimp_unified.client import PAGE_SIZE, Reply, Request
from mailchimp_unified.errors import MailchimpError
from source_mailchimp_unified.contacts import sweep, windows
from source_mailchimp_unified.contacts.sweep import Listing, Sweep
from source_mailchimp_unified.contacts.windows import Frontier, Sample, Window
from source_mailchimp_unified.sync import reading
from source_mailchimp_unified.sync.state import epoch, moment_of

START = 1_700_000_000
HORIZON = START + 10_000


class Audience:
    """A list whose members change between any two requests: an edit moves `last_changed` past every window."""

    def __init__(self, seconds: list[int], seed: int, edits_per_request: int) -> None:
        self.changed = dict(enumerate(seconds))
        self.lost_unless_read = set(self.changed)
        self.random = random.Random(seed)
        self.edits_per_request = edits_per_request
        self.requests = 0
        self.asked_first = 0

    def answer(self, request: Request) -> Reply:
        """Return a page as Mailchimp does: bounds exclusive and inclusive, sorted, a row per member."""
        self.requests += 1
        self.edit()
        params = request.params
        after = epoch(str(params["since_last_changed"])) if "since_last_changed" in params else -1
        until = epoch(str(params["before_last_changed"]))
        rows = sorted((second, number) for number, second in self.changed.items() if after < second <= until)
        page = rows[int(params["offset"]) : int(params["offset"]) + int(params["count"])]
        return Reply({"members": [{"id": number, "last_changed": moment_of(second)} for second, number in page], "total_items": len(rows)})

    def edit(self) -> None:
        """Change some members: they leave every window, and the next sync's window will hold them."""
        for _ in range(self.edits_per_request):
            if self.changed:
                number = self.random.choice(list(self.changed))
                self.changed[number] = HORIZON + 100


def read_everything(audience: Audience, workers: int = 4, after: int = 0, thought: int = 0) -> tuple[list[int], list[int]]:
    """Follow a sweep of `thought` members, answering in random order. Returns the members emitted and the cursors in order."""
    emitted: list[int] = []
    frontier = Frontier(Window(after, HORIZON))
    failures: list[MailchimpError] = []
    cursors: list[int] = []
    lanes = Lanes(workers, failures.append)

    def take(members: list[dict[str, int]]) -> Taken:
        return Taken(members)

    def finished() -> Step:
        cursors.append(frontier.reached)
        return Step()

    first = Sweep("a", Listing(None), frontier, lanes, workers, take, lambda _: None, finished, rows=thought)
    ready: list[tuple[reading.Reading, list[Reply] | None]] = [(one, None) for one in lanes.add([first.read])]
    waiting: list[tuple[reading.Reading, Step]] = []
    while ready or waiting:
        if not ready:
            audience.asked_first = audience.asked_first or len(waiting)
            one, step = waiting.pop(audience.random.randrange(len(waiting)))
            ready.append((one, [audience.answer(request) for request in step.requests]))
        one, replies = ready.pop()
        advance(one, replies, emitted, ready, waiting)
    assert failures == []
    assert cursors == sorted(cursors)
    return emitted, cursors


def advance(
    one: reading.Reading,
    replies: list[Reply] | None,
    emitted: list[int],
    ready: list[tuple[reading.Reading, list[Reply] | None]],
    waiting: list[tuple[reading.Reading, Step]],
) -> None:
    """Resume one reading until it asks for something or ends."""
    while True:
        try:
            step = one.send(replies)  # type: ignore[arg-type]
        except StopIteration:
            return
        emitted.extend(record["id"] for record in step.records)
        ready.extend((started, None) for started in step.readings)
        if step.requests:
            waiting.append((one, step))
            return
        replies = []


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of 10 rows make every hazard of pages of 1000 happen with few rows."""
    monkeypatch.setattr(reading, "PAGE_SIZE", 10)
    monkeypatch.setattr(sweep, "PAGE_SIZE", 10)
    for module in (sweep, windows):
        monkeypatch.setattr(module, "TIED_ROWS", 2)


members = st.lists(st.tuples(st.integers(1, 300), st.integers(1, 35)), min_size=0, max_size=25).map(
    lambda groups: [START + second for second, size in groups for _ in range(size)]
)


def missing(audience: Audience, emitted: list[int]) -> set[int]:
    """Return the members that neither this sync emitted nor the next will: the lost ones."""
    return {number for number, second in audience.changed.items() if second <= HORIZON} - set(emitted)


@settings(max_examples=300, deadline=None)
@given(
    seconds=members,
    seed=st.integers(0, 10_000),
    edits=st.integers(0, 12),
    workers=st.integers(1, 10),
    thought=st.one_of(st.just(0), st.integers(0, 1000)),
)
@example(seconds=[START + 1] * 33 + [START + 2] * 70, seed=1, edits=7, workers=5, thought=0).via("the last sample leaves nothing")
def test_no_member_is_lost_whatever_changes_during_the_sweep(seconds: list[int], seed: int, edits: int, workers: int, thought: int) -> None:
    """Every member before the horizon is emitted, whatever ties, edits between any two requests, and a wrong count beforehand."""
    audience = Audience(seconds, seed, edits)

    emitted, cursors = read_everything(audience, workers, thought=thought)

    assert missing(audience, emitted) == set()
    assert cursors[-1] == HORIZON


@settings(max_examples=100, deadline=None)
@given(seconds=members, seed=st.integers(0, 1000), workers=st.integers(1, 10), thought=st.one_of(st.just(0), st.integers(0, 1000)))
def test_a_quiet_list_is_emitted_exactly_once(seconds: list[int], seed: int, workers: int, thought: int) -> None:
    """Without edits no member comes twice, however wrong the count beforehand."""
    audience = Audience(seconds, seed, 0)

    emitted, _ = read_everything(audience, workers, thought=thought)

    assert sorted(emitted) == sorted(audience.changed)


def test_reading_upwards_loses_members(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof that the order matters: the same trial read from offset 0 upwards misses members."""

    def read_up(collection: Request, items_key: str, rows: int, take: object) -> Generator[Step, list[Reply], None]:
        offset, count = 0, 10
        while count == 10:
            (reply,) = yield Step([reading.page_request(collection, offset)])
            items = reply.body[items_key]
            yield Step(records=take(items).records)  # type: ignore[operator]
            offset, count = offset + 10, len(items)

    monkeypatch.setattr(sweep, "read_down", read_up)
    lost = 0
    for seed in range(20):
        audience = Audience([START + n // 3 for n in range(400)], seed, 4)
        emitted, _ = read_everything(audience)
        lost += len(missing(audience, emitted))

    assert lost > 0


def test_a_list_that_fits_a_page_costs_one_request() -> None:
    """Nothing is sampled and nothing is asked twice where one page holds all."""
    audience = Audience([START + n for n in range(9)], 0, 0)

    read_everything(audience)

    assert audience.requests == 1


@pytest.mark.parametrize(("thought", "most"), [(0, 1.1), (2000, 1.1), (1900, 1.3), (2100, 1.3)])
def test_a_big_list_costs_little_more_than_its_pages(thought: int, most: float) -> None:
    """Samples are read as pages, so that cutting the time line costs less than a tenth; a wrong count beforehand costs some more."""
    audience = Audience([START + n for n in range(2000)], 0, 0)

    read_everything(audience, workers=10, thought=thought)

    assert audience.requests <= 200 * most


@pytest.mark.parametrize(("thought", "asked_first"), [(0, 1), (2000, 10)])
def test_a_list_known_to_be_big_is_sampled_with_its_first_page(thought: int, asked_first: int) -> None:
    """No worker waits for the first page where a count says beforehand that more will come."""
    audience = Audience([START + n for n in range(2000)], 0, 0)

    read_everything(audience, workers=10, thought=thought)

    assert audience.asked_first == asked_first


def test_a_list_of_one_second_is_read_once() -> None:
    """Samples inside one tie leave one window, not one each."""
    audience = Audience([START] * 2000, 0, 0)

    read_everything(audience, workers=10)

    assert audience.requests <= 200 * 1.3


def test_a_window_begins_while_samples_are_awaited() -> None:
    """Two neighbouring samples are enough for what lies between them."""
    frontier = Frontier(Window(0, 100))
    frontier.expect(3)

    assert frontier.learn(2, Sample(70, 80)) == []
    assert frontier.learn(1, Sample(40, 50)) == [Window(49, 70)]
    assert frontier.learn(0, Sample(0, 10)) == [Window(9, 40), Window(79, 100)]


samples = st.tuples(st.integers(1, 50), st.integers(1, 50)).map(lambda pair: Sample(min(pair), max(pair)))


@given(st.integers(1, 50), st.lists(st.none() | samples, max_size=8), st.randoms(use_true_random=False))
def test_every_second_is_sampled_or_left(first: int, later: list[Sample | None], chance: random.Random) -> None:
    """Each second lies strictly inside a sample or in a window, in whatever order the samples come, turned round or not."""
    window = Window(0, 60)
    found = dict(enumerate([Sample(0, first), *later]))
    frontier = Frontier(window)
    frontier.expect(len(found))
    arrivals = list(found)
    chance.shuffle(arrivals)

    left = [one for number in arrivals for one in frontier.learn(number, found[number])]

    inside = {second for sample in found.values() if sample for second in range(sample.first + 1, sample.last)}
    covered = [second for one in left for second in range(one.after + 1, one.until + 1)]
    assert set(covered) | inside == set(range(1, 61))
    ordered = [sample.first for sample in later if sample] + [60]
    if ordered == sorted(ordered) and first <= ordered[0]:
        assert len(covered) == len(set(covered))


@given(st.integers(1, 50), st.lists(st.none() | samples, max_size=8), st.randoms(use_true_random=False))
def test_the_frontier_never_passes_what_is_open(first: int, later: list[Sample | None], chance: random.Random) -> None:
    """At any time every second up to where it stands is inside a sample that came or in a window that is done."""
    found = dict(enumerate([Sample(0, first), *later]))
    frontier = Frontier(Window(0, 60))
    frontier.expect(len(found))
    done: set[int] = set()
    arrivals, left = list(found), []
    while arrivals or left:
        if arrivals and (not left or chance.random() < 0.5):
            number = arrivals.pop(chance.randrange(len(arrivals)))
            sample = found[number]
            left += frontier.learn(number, sample)
            done |= set(range(sample.first + 1, sample.last)) if sample else set()
        else:
            window = left.pop(chance.randrange(len(left)))
            frontier.finish(window)
            done |= set(range(window.after + 1, window.until + 1))
        assert set(range(1, frontier.reached + 1)) <= done
    assert frontier.reached == 60


@given(st.integers(0, 100), st.integers(0, 100), st.integers(1, 10))
def test_the_far_end_is_found_whatever_was_thought(actual: int, thought: int, page: int) -> None:
    """The search ends at the last page that holds a row, from any guess and in few requests."""
    search = paging.far_end(thought, page)
    offsets = [next(search)]
    while True:
        try:
            offsets.append(search.send((max(0, min(page, actual - offsets[-1])), actual)))
        except StopIteration as end:
            found = end.value
            break

    assert found == offsets[-1] == paging.last_page_offset(actual, page)
    assert len(offsets) <= 4


def test_the_page_size_is_mailchimps() -> None:
    """A page holds a thousand items, the most Mailchimp gives."""
    assert PAGE_SIZE == 1000


@pytest.mark.parametrize(("status", "rows"), [(None, 8), ("subscribed", 5), ("cleaned", 1), ("pending", 0), ("archived", 0)])
def test_an_audience_tells_how_many_a_listing_holds(status: str | None, rows: int) -> None:
    """What Mailchimp counts is believed as a size to begin with; what it does not count is unknown."""
    audience = {"stats": {"member_count": 5, "unsubscribe_count": 2, "cleaned_count": 1}}

    assert Listing(status).rows(audience) == rows
    assert Listing(status).rows({}) == 0
