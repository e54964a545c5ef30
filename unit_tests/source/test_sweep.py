"""How an audience that is bigger than a page is read: what is asked for, in which order, and what the states say meanwhile."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from mailchimp_unified.clock import epoch
from unit_tests.account import page
from unit_tests.source.mailchimp import HORIZON, Json, Mailchimp, Synced, member, sync

PAGE = 10


def audience(rows: int, thought: int = 0, per_second: int = 1, number: int = 1) -> Mailchimp:
    """Return an account whose first audience holds so many contacts, so many of them in each second, and counts `thought`."""
    mailchimp = Mailchimp(number)
    for one in mailchimp.ids:
        mailchimp.members[one] = [member(place, rows - place // per_second) for place in range(rows)]
        mailchimp.audiences[one]["stats"] = {"member_count": thought}
    return mailchimp


def read(mailchimp: Mailchimp, workers: int = 1, state: Json | None = None, **config: Any) -> Synced:
    """Read contacts in pages of ten."""
    return sync(mailchimp, state=state, page_size=PAGE, num_workers=workers, **config)


def asked(synced: Synced) -> list[tuple[str, int | None, int, int]]:
    """Return the status, the bounds in seconds before the horizon, and the offset of each request for members."""

    def before(moment: Any) -> int | None:
        return None if moment is None else HORIZON - epoch(str(moment))

    return [
        (str(one.get("status", "")), before(one.get("since_last_changed")), before(one["before_last_changed"]) or 0, int(one["offset"]))
        for one in synced.asked("/members")
    ]


def left(synced: Synced) -> list[list[tuple[int, int]]]:
    """Return what is left of the listing of all, in seconds before the horizon, in each state that says something else."""
    states = [next(iter(one["lists"].values())).get("left", {}).get("", []) for one in synced.states() if one["lists"]]
    found = [[(HORIZON - after if after else 0, HORIZON - until) for after, until in one] for one in states]
    return [one for one, before in zip(found, [None, *found], strict=False) if one != before]


def test_an_audience_is_read_by_its_first_pages_then_its_samples_then_its_windows() -> None:
    """The first page of each listing, the samples in their order, and the windows from the oldest on, each from its far end."""
    synced = read(audience(400, thought=400))
    requests = asked(synced)

    assert sorted(synced.names) == list(range(400))
    assert requests[:2] == [("", None, 0, 0), ("archived", None, 0, 0)]
    samples = [offset for _, after, _, offset in requests[2:] if after is None]
    assert samples == sorted(samples)
    assert len(samples) >= 2
    assert all(after is None for _, after, _, _ in requests[: 2 + len(samples)])
    windows = [one[1:] for one in requests[2 + len(samples) :]]
    # Seconds before the horizon: the oldest window has the most.
    assert [(-(after or 0), -until, -offset) for after, until, offset in windows] == sorted(
        (-(after or 0), -until, -offset) for after, until, offset in windows
    )


def test_the_parts_of_an_interrupted_audience_begin_before_any_of_them_is_sampled() -> None:
    """Their first pages say what to sample."""
    list_id = Mailchimp(1).ids[0]
    parts = [(0, HORIZON - 90), (HORIZON - 80, HORIZON)]
    state = {"lists": {list_id: {"newest": "2020-01-01T00:00:00+00:00", "left": {"": parts, "archived": [(5, 6)]}}}}
    mailchimp = audience(300, thought=300)
    requests = asked(read(mailchimp, state=state, lookback_seconds=0))

    firsts = [number for number, (_, _, _, offset) in enumerate(requests) if offset == 0][:2]
    assert firsts == [0, 1]


def test_audiences_are_read_one_after_another() -> None:
    """So that each state finishes some of them, and a kill repeats little."""
    mailchimp = audience(60, number=3)
    synced = read(mailchimp)
    paths = [urlsplit(one.url).path.split("/")[3] for one in synced.scripted.seen if one.url.endswith("/members")]

    assert paths == sorted(paths)
    assert set(paths) == set(mailchimp.ids)


def test_a_window_is_done_from_its_far_end_page_by_page() -> None:
    """A state names the second of the first row of the last page, which may continue before it: all behind it is done."""
    synced = read(audience(35))

    # The first page holds the seconds 35 to 26 before the horizon; the last of them may continue.
    assert left(synced) == [[(27, 0)], [(27, 6)], [(27, 16)], []]
    assert synced.names == [*range(9), *range(29, 35), *range(19, 29), *range(9, 19)]
    assert [one[3] for one in asked(synced) if one[0] == ""] == [0, 0, 20, 10, 0]


@pytest.mark.parametrize(
    ("rows", "thought", "per_second", "workers", "requests"),
    [
        (9, 0, 1, 6, 2),
        (10, 0, 1, 6, 3),
        (39, 0, 1, 6, 9),
        (200, 200, 1, 4, 25),
        (200, 0, 1, 4, 25),
        (200, 200, 3, 4, 25),
        (600, 600, 1, 6, 67),
        (600, 400, 1, 6, 67),
        (600, 800, 1, 6, 67),
        (600, 600, 7, 6, 67),
    ],
)
def test_an_audience_at_rest_costs_few_more_requests_than_it_has_pages(
    rows: int, thought: int, per_second: int, workers: int, requests: int
) -> None:
    """One for the archived contacts, and those that find the far ends of windows: with a good count hardly any. Nobody comes twice."""
    synced = read(audience(rows, thought, per_second), workers)

    assert sorted(synced.names) == list(range(rows))
    assert len(asked(synced)) == requests


def test_a_part_of_the_time_line_is_not_sampled_by_the_count_of_all() -> None:
    """What it holds nobody knows beforehand: a few contacts cost one request for each listing."""
    mailchimp = audience(5, thought=3_000)
    list_id = mailchimp.ids[0]
    first = read(mailchimp, state={"lists": {list_id: {"updated_at": "2026-11-25T11:00:00+00:00"}}})

    assert (sorted(first.names), len(asked(first))) == ([0, 1, 2, 3, 4], 2)


def test_an_audience_that_shrank_to_a_page_meanwhile_is_read_once() -> None:
    """Samples that were asked for by its count show what it was: they are of no use once its first page holds all."""
    mailchimp = audience(5, thought=300)
    path = f"/lists/{mailchimp.ids[0]}/members"
    before = [member(number, 400 - number) for number in range(300)]

    def answers(outgoing: Any) -> Any:
        if outgoing.params.get("status") or not outgoing.params["offset"]:
            return page(outgoing, "members", [] if outgoing.params.get("status") else mailchimp.members[mailchimp.ids[0]])
        return page(outgoing, "members", before)

    mailchimp.answers[path] = answers
    synced = read(mailchimp, workers=10)

    assert sorted(synced.names) == [0, 1, 2, 3, 4]
    samples = [one for one in asked(synced) if one[3]]
    assert len(asked(synced)) == 2 + len(samples)


@pytest.mark.parametrize("places", [[9], [0, 9], [5], range(0, 120, 15), range(14, 120, 15), range(0, 120, 10), range(9, 120, 10)], ids=str)
@pytest.mark.parametrize("form", ["no object", "no time", "odd time"])
@pytest.mark.parametrize("thought", [0, 120])
def test_odd_rows_at_the_ends_of_pages_hide_nobody(places: list[int], form: str, thought: int) -> None:
    """A row that is no object, or has no time, says nothing of where its page lies: all contacts around it are read."""
    mailchimp = audience(120, thought=thought)
    for place in places:
        one = mailchimp.members[mailchimp.ids[0]][place]
        one["given as"] = {"no object": "odd", "no time": {**one, "last_changed": ""}, "odd time": {**one, "last_changed": 5}}[form]
    synced = read(mailchimp, workers=4)

    contacts = set(range(120)) - (set(places) if form == "no object" else set())
    assert set(synced.names) == contacts
    assert synced.statuses()[-1] == ("INCOMPLETE" if form == "no object" else "COMPLETE")
    assert len(synced.errors) == (form == "no object")
    assert len(asked(synced)) < 40


@pytest.mark.parametrize("rows", [10, 11, 20, 21, 39, 40, 41, 100])
@pytest.mark.parametrize("per_second", [1, 3, 25])
@pytest.mark.parametrize("thought", [0, 45])
def test_an_audience_of_any_size_is_read_once(rows: int, per_second: int, thought: int) -> None:
    """At rest nobody is left out and nobody comes twice, at the limits of pages and windows, too."""
    synced = read(audience(rows, thought, per_second), workers=3)

    assert sorted(synced.names) == list(range(rows))
    assert left(synced)[-1] == []


def test_archived_contacts_are_read_like_others() -> None:
    """From a listing of their own, as big as it may be."""
    mailchimp = audience(45)
    for one in mailchimp.members[mailchimp.ids[0]][::2]:
        one["status"] = "archived"
    synced = read(mailchimp, workers=2)

    assert sorted(synced.names) == list(range(45))
