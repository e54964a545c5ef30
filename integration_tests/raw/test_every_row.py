"""Every row of the table against every way in which an answer can be more, less or other than expected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from integration_tests.commands import Output
from integration_tests.raw.account import DAY, NOW, Account, Run, item, own_keys, problem, row_at, touch
from source_mailchimp_unified.raw_collections import Collection, table

ROWS = list(table().values())
NAMES = [row.name for row in ROWS]
PARENTS = {row.parent.row for row in ROWS if row.parent}
PAGED = [row for row in ROWS if row.records_key]
FOLLOWED = [row for row in ROWS if row.follows != "whole"]

Json = dict[str, Any]


def counts(output: Output) -> dict[str, int]:
    """Return the number of records per row."""
    return {name: len(output.records(f"mailchimp_{name}")) for name in NAMES}


def statuses(output: Output) -> dict[str, str]:
    """Return the last status of each row that was read."""
    return {name: found[-1] for name in NAMES if (found := output.statuses(f"mailchimp_{name}"))}


def expected(account: Account, row: Collection) -> int:
    """Return how many records an account holds of a row."""
    found = [one for path in account.paths(row) for one in account.of(row, path)]
    return sum(len(one[row.flatten.field]) for one in found) if row.flatten else len(found)


def first(account: Account, row: Collection) -> list[Any]:
    """Return the items of the first partition of a row."""
    return account.of(row, account.paths(row)[0])


@pytest.fixture
def account() -> Account:
    """An account with two items below each parent."""
    return Account()


@pytest.fixture
def run(tmp_path: Path, account: Account) -> Run:
    """The source over that account."""
    return Run(tmp_path, account)


def test_everything_is_read_once_and_not_again(run: Run, account: Account) -> None:
    """The first sync gives all; one after which nothing has changed gives nothing of what is followed, lookback included."""
    whole = {row.name: expected(account, row) for row in ROWS}

    output = run.read(*NAMES)
    again = run.read(*NAMES, state=output.state())

    assert counts(output) == whole
    assert set(statuses(output).values()) == {"COMPLETE"}
    assert counts(again) == {row.name: whole[row.name] if row.follows == "whole" else 0 for row in ROWS}
    assert set(statuses(again).values()) == {"COMPLETE"}


@pytest.mark.parametrize("size", [11, 37])
def test_more_than_ten_are_read(tmp_path: Path, size: int) -> None:
    """Mailchimp gives ten items of any collection unless asked for more: all come."""
    account = Account()
    for row in PAGED:
        if row.name not in PARENTS:
            first(account, row)[:] = [item(row, number) for number in range(size)]

    output = Run(tmp_path, account).read(*NAMES)

    assert counts(output) == {row.name: expected(account, row) for row in ROWS}


@pytest.mark.parametrize("parents", [False, True])
@pytest.mark.parametrize("size", [50, 51, 103])
def test_more_than_a_page_is_read(tmp_path: Path, size: int, parents: bool) -> None:
    """Of so many items every one comes, once, in pages of fifty."""
    account = Account()
    # The partitions of a parent with so many items would be too many.
    rows = [row for row in PAGED if (row.name in PARENTS and row.parent is None if parents else row.name not in PARENTS)]
    for row in rows:
        first(account, row)[:] = [item(row, number) for number in range(size)]
    names = [row.name for row in rows]

    output = Run(tmp_path, account, page_size=50).read(*names)

    found = counts(output)
    assert {name: found[name] for name in names} == {name: expected(account, table()[name]) for name in names}
    assert set(statuses(output).values()) == {"COMPLETE"}


def test_a_short_page_is_no_end(run: Run, account: Account) -> None:
    """A server that gives seven items at most gives all of its items."""
    for row in PAGED:
        if row.name not in PARENTS:
            first(account, row)[:] = [item(row, number) for number in range(23)]
    account.instead = lambda path, params: None if params.setdefault("count", 7) < 8 else _clamped(account, path, params)

    output = run.read(*NAMES)

    assert counts(output) == {row.name: expected(account, row) for row in ROWS}
    assert set(statuses(output).values()) == {"COMPLETE"}


def _clamped(account: Account, path: str, params: Any) -> Any:
    params["count"] = 7
    return account._answer(path, params)


def test_an_item_without_its_key_comes_all_the_same(run: Run, account: Account) -> None:
    """It is a record like the others, and the log counts it; what belongs to a parent without a key is said to be missing."""
    # Without their ids the account's audiences are not to be had for any stream.
    rows = [row for row in PAGED if row.name != "lists"]
    for row in rows:
        for name in own_keys(row):
            first(account, row)[0].pop(name, None)
    read = {row.name: sum(len(account.of(row, path)) for path in account.paths(row)) for row in ROWS}

    output = run.read(*NAMES)

    assert counts(output) == read
    below = {row.name for row in ROWS if row.parent and _keyless_above(row)}
    assert {name for name, status in statuses(output).items() if status == "INCOMPLETE"} == below
    keyless = {row.name for row in rows if own_keys(row)}
    warned = {name for name in NAMES if any("lack a part of their key" in line and f"mailchimp_{name} " in line for line in output.logs())}
    assert warned == keyless


def _keyless_above(row: Collection) -> bool:
    """Whether a parent lacks the key that a path is made of: audiences are known by their ids only."""
    while row.parent is not None:
        above = table()[row.parent.row]
        if row.parent.field in own_keys(above) and above.name != "lists":
            return True
        row = above
    return False


def test_what_shows_late_comes_with_the_next_sync(run: Run, account: Account) -> None:
    """An item that shows after a newer one was read, dated up to two minutes before it, comes with the next sync, once."""
    before = run.read(*NAMES)
    for row in FOLLOWED:
        if row.records_key and row.name not in PARENTS:
            late = NOW - 400 * DAY + DAY - 90
            first(account, row).append(item(row, 77, late))
            touch(account, row)

    output = run.read(*NAMES, state=before.state())
    after = run.read(*NAMES, state=output.state())

    wanted = {row.name for row in FOLLOWED if row.records_key and row.name not in PARENTS}
    found = {
        name: [one for one in output.records(f"mailchimp_{name}") if one.get("id", "").endswith("77") or "77" in str(one)]
        for name in wanted
    }
    assert {name for name, records in found.items() if len(records) != 1} == set()
    assert {name for name in wanted if after.records(f"mailchimp_{name}") and table()[name].follows != "parent"} == set()


def test_what_changes_comes_again(run: Run, account: Account) -> None:
    """A new version of an item comes with the next sync, alone; of what only grows by date nothing changes."""
    before = run.read(*NAMES)
    changed = [row for row in FOLLOWED if row.follows == "fingerprint"]
    for row in changed:
        first(account, row)[0]["note"] = "as it is now"
        touch(account, row)

    output = run.read(*NAMES, state=before.state())

    got = {row.name: [one["note"] for one in output.records(row.stream) if one["note"] != "as it was"] for row in changed}
    assert got == {row.name: ["as it is now"] for row in changed}
    others = {row.name: [one for one in output.records(row.stream) if one["note"] == "as it was"] for row in changed}
    assert {name for name, records in others.items() if records and not table()[name].parent and name not in PARENTS} == set()


@pytest.mark.parametrize("status", [403, 404])
def test_a_refused_parent_is_missing_alone(run: Run, account: Account, status: int) -> None:
    """What one parent refuses is left out, and said; the others are read. An audience that is there has all of its collections."""
    refused = {account.paths(row)[0] for row in ROWS if row.parent and row.name not in PARENTS}
    account.instead = lambda path, params: problem(status, "Forbidden", "No.") if path in refused else None

    output = run.read(*NAMES)

    left_out = {row.name: sum(len(account.of(row, path)) for path in account.paths(row) if path in refused) for row in ROWS}
    assert counts(output) == {row.name: expected(account, row) - left_out[row.name] for row in ROWS}
    missing = {row.name for row in ROWS if row.parent and row.parent.row == "lists" and row.name not in PARENTS and status == 404}
    assert {name for name, one in statuses(output).items() if one == "INCOMPLETE"} == missing


@pytest.mark.parametrize("odd", ["text", None, 7])
def test_an_item_that_is_none_fails_its_stream_at_the_end(run: Run, account: Account, odd: Any) -> None:
    """A bare text, null or number in the place of an item: all others come, and the stream is not complete."""
    for row in PAGED:
        if row.name not in PARENTS:
            first(account, row).insert(1, odd)

    output = run.read(*NAMES)

    wanted = {row.name: sum(isinstance(one, dict) for path in account.paths(row) for one in account.of(row, path)) for row in ROWS}
    assert counts(output) == wanted
    assert {name for name, one in statuses(output).items() if one == "INCOMPLETE"} == {row.name for row in PAGED if row.name not in PARENTS}


@pytest.mark.parametrize("body", [{}, {"error": "gone"}, {"total_items": 3}], ids=["empty", "error", "count only"])
def test_an_answer_without_its_items_is_none(run: Run, account: Account, body: Json) -> None:
    """An error inside a 200, or nothing at all, is asked for again and fails its stream in the end: never complete with nothing."""
    broken = {account.paths(row)[0] for row in ROWS if row.name not in PARENTS}
    account.instead = lambda path, params: dict(body, campaign_id="c") if path in broken else None

    output = run.read(*NAMES)

    assert {name for name, one in statuses(output).items() if one == "INCOMPLETE"} == {row.name for row in ROWS if row.name not in PARENTS}
    lost = {row.name: sum(len(account.of(row, path)) for path in account.paths(row) if path in broken) for row in ROWS}
    assert counts(output) == {row.name: expected(account, row) - lost[row.name] for row in ROWS}


def test_pages_that_never_end_are_an_error(tmp_path: Path) -> None:
    """An offset without effect, or a cursor that comes back: the stream ends, and is not complete."""
    account, rows = Account(), [row for row in PAGED if row.name not in PARENTS]
    for row in rows:
        first(account, row)[:] = [item(row, number) for number in range(25)]

    def first_page_only(path: str, params: Any) -> Any:
        row = row_at(path)
        if row is None or row.name in PARENTS or row.records_key is None:
            return None
        page = {row.records_key: account.of(row, path)[:10]}
        return {**page, "next_cursor": "again"} if row.paging == "cursor" else {**page, "total_items": len(account.of(row, path))}

    account.instead = first_page_only

    output = Run(tmp_path, account).read(*NAMES)

    assert {name for name, one in statuses(output).items() if one == "INCOMPLETE"} == {row.name for row in rows}
    assert len(account.asked) < 20 * len(ROWS)
