from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from integration_tests.real.account import KEY_VARIABLE, LIST_VARIABLE, Account, live_account, local_account
from mailchimp_emulator import Emulator

REPORT_VARIABLE = "MAILCHIMP_REPORT"
NO_ACCOUNT = f"no real account: {KEY_VARIABLE} and {LIST_VARIABLE} (a list that nobody misses) are not set"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the real account alone where none is named, unless it was asked for: then the reason is told."""
    if live_account() is not None or "live" in config.getoption("markexpr"):
        return
    left_out = [item for item in items if item.get_closest_marker("live")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture
def local(mailchimp: Emulator) -> Iterator[Account]:
    """The local account."""
    made = local_account(mailchimp)
    yield made
    made.archive_all()


@pytest.fixture
def live() -> Iterator[Account]:
    """The real account; without one the test is skipped."""
    named = live_account()
    if named is None:
        pytest.skip(NO_ACCOUNT)
    yield named
    named.archive_all()


@pytest.fixture(params=["local", pytest.param("live", marks=pytest.mark.live)])
def account(request: pytest.FixtureRequest) -> Account:
    """The local account, then the real one."""
    chosen: Account = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
def record_answer(tmp_path: Path) -> Callable[[Account, str, Any], None]:
    """Writes what was found out: printed, and a line of JSON in the file that the environment names."""

    def write(account: Account, question: str, answer: Any) -> None:
        line = json.dumps({"account": "local" if account.emulator else "live", "question": question, "answer": answer})
        print(line)  # noqa: T201 - shown by pytest -rP
        named = None if account.emulator else os.environ.get(REPORT_VARIABLE)
        with Path(named or tmp_path / "answers.jsonl").open("a") as report:
            report.write(line + "\n")

    return write
