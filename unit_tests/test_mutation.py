"""The table of `make mutate` is complete: every module has tests, every test that it names is there, and every equivalent is possible."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from unit_tests.documents import ROOT

FOLDER = ROOT / "tools" / "mutation"
TABLE: dict[str, dict[str, list[str]]] = tomllib.loads((FOLDER / "tests.toml").read_text())
EQUIVALENTS: list[dict[str, Any]] = tomllib.loads((FOLDER / "equivalents.toml").read_text()).get("mutant", [])
MODULES = [
    path.relative_to(ROOT).as_posix()
    for package in ("mailchimp_unified", "source_mailchimp_unified", "destination_mailchimp_unified")
    for path in sorted((ROOT / package).rglob("*.py"))
]


@pytest.mark.parametrize("name", TABLE)
def test_a_row_names_modules_and_tests_that_exist(name: str) -> None:
    """A file that was moved is missed here, not in a run of hours."""
    tests = [test for kind in ("unit", "integration") for test in TABLE[name].get(kind, [])]

    assert (ROOT / name).exists()
    assert tests
    assert [test for test in tests if not Path(ROOT, test.partition("::")[0]).exists()] == []


def test_every_module_has_tests() -> None:
    """Every new module is in the table by its folder or its name."""
    assert [module for module in MODULES if not any(module.startswith(name) for name in TABLE)] == []


def test_an_equivalent_mutant_stands_in_the_code_as_it_is_and_has_a_reason() -> None:
    """A line that was changed since may have made a fault of it."""
    for one in EQUIVALENTS:
        code = " ".join((ROOT / one["module"]).read_text().split())
        assert one["before"] in code
        assert one["before"] != one["after"]
        assert one["reason"].endswith(".")
