from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration_tests.workbench.served import Served, Visitor, served
from mailchimp_emulator import EmulatorProcess

CUSTOMERS, READERS, GUESTS = "7a3c91e0d2", "c5d80f4b16", "2e6b74a9f8"


@pytest.fixture(scope="session")
def account() -> Iterator[EmulatorProcess]:
    """A local Mailchimp with the demo account."""
    with EmulatorProcess(demo=True) as emulator:
        yield emulator


@pytest.fixture(scope="session")
def demo_warehouse(account: EmulatorProcess, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo account, read into a DuckDB file by the workbench itself."""
    folder = tmp_path_factory.mktemp("demo")
    with served(folder, account.url, folder / "demo.duckdb") as workbench:
        visitor = workbench.visitor()
        run = visitor.post("/read/start", data={"stream": ["contacts", "lists", "tags", "users"]})
        assert ">done<" in visitor.ended(run)
    return folder / "demo.duckdb"


@pytest.fixture(scope="module")
def workbench(account: EmulatorProcess, demo_warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A workbench over a copy of that warehouse, for all tests of a module."""
    folder = tmp_path_factory.mktemp("workbench")
    database = Path(shutil.copy(demo_warehouse, folder / "demo.duckdb"))
    with served(folder, account.url, database) as running:
        yield running


@pytest.fixture
def visitor(workbench: Served) -> Visitor:
    """Somebody at its page."""
    return workbench.visitor()
