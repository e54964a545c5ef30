"""The rules of the house that no linter knows."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ["mailchimp_unified", "source_mailchimp_unified", "destination_mailchimp_unified", "mailchimp_emulator", "mailchimp_workbench"]
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TESTS = sorted(path for folder in ("unit_tests", "integration_tests") for path in (ROOT / folder).rglob("test_*.py"))

LONGEST_FUNCTION = 60
LONGEST_MODULE = 320
UNWANTED_NAMES = re.compile(r"(^|_)(data(?!_center)|info|handle|process|manager|helper|helpers|utils)(_|$)")


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    """Yield the functions of a module."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node  # type: ignore[misc]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_functions_are_small(path: Path) -> None:
    """A module fits a few screens, a function one."""
    assert len(path.read_text().splitlines()) <= LONGEST_MODULE
    assert not [f.name for f in functions(path) if (f.end_lineno or 0) - f.lineno >= LONGEST_FUNCTION]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_names_say_what_they_mean(path: Path) -> None:
    """No module, class or function is called by a word that fits anything."""
    names = [path.stem, *(f.name for f in functions(path))]

    assert not [name for name in names if UNWANTED_NAMES.search(name)]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_what_it_is_for(path: Path) -> None:
    """A module begins with a docstring."""
    assert ast.get_docstring(ast.parse(path.read_text()))


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_test_states_its_rule(path: Path) -> None:
    """A test begins with the sentence it proves."""
    assert not [f.name for f in functions(path) if f.name.startswith("test_") and not ast.get_docstring(f)]


def test_the_readme_names_its_commands() -> None:
    """The two commands of the README are targets of the Makefile, and continuous integration runs what the README says."""
    readme, makefile, ci = ((ROOT / name).read_text() for name in ("README.md", "Makefile", ".ci/run"))

    for command in ("demo", "test"):
        assert f"make {command}\n" in readme
        assert f"\n{command}: " in makefile
    assert "make test" in ci


@pytest.mark.parametrize("path", [path for path in MODULES if path.name != "__init__.py"], ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_imported_for_types_alone(path: Path) -> None:
    """An import that only a type checker sees hides an arrow that runs back."""
    assert "TYPE_CHECKING" not in path.read_text()
