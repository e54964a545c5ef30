"""make finds a Python that will do, and says in a sentence when there is none."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from unit_tests.documents import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()


def interpreter(folder: Path, name: str, version: str, *, supported: bool) -> Path:
    """Write a program that answers like a Python of a version to the two questions that make asks."""
    path = folder / name
    path.write_text(f'#!/bin/sh\n[ "$1" = --version ] && {{ echo "Python {version}"; exit 0; }}\nexit {int(not supported)}\n')
    path.chmod(0o755)
    return path


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make on the project's Makefile in a folder, with that folder's programs before the system's."""
    for name in ("Makefile", "pyproject.toml", "requirements-dev.txt"):
        shutil.copyfile(ROOT / name, folder / name)
    # What an outer make, or the reader's shell, has set for itself does not count.
    outer = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHON")
    environment = {
        **{name: value for name, value in os.environ.items() if name not in outer},
        "PATH": os.pathsep.join([str(folder), "/usr/bin", "/bin"]),
    }
    return subprocess.run(["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(("minor", "exit_code"), [(7, True), (9, True), (10, True), (11, False), (12, False), (13, False), (14, True)])
def test_the_supported_versions_are_those_of_the_project(minor: int, *, exit_code: bool) -> None:
    """Make takes Python 3.11 to 3.13 and nothing else, as pyproject.toml says."""
    (question,) = re.findall(r"^SUPPORTED := import sys; (.*)$", MAKEFILE, re.MULTILINE)
    given: list[bool] = []
    stub = SimpleNamespace(version_info=(3, minor, 1), exit=given.append)

    exec(question, {"sys": stub})

    assert given == [exit_code]
    assert 'python = ">=3.11,<3.14"' in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize("version", ["3.9.18", "3.14.0"])
def test_another_python_is_refused_in_a_sentence(tmp_path: Path, version: str) -> None:
    """Nothing is installed; the sentence names what was found, what is supported, and how to choose another."""
    old = interpreter(tmp_path, "old", version, supported=False)
    done = make(tmp_path, "demo", f"PYTHON={old}")

    assert done.returncode != 0
    assert f"Python 3.11, 3.12 and 3.13. Found: Python {version}." in done.stdout
    assert "make demo PYTHON=" in done.stdout
    assert not (tmp_path / ".venv").exists()


def test_no_python_at_all_is_said_in_a_sentence(tmp_path: Path) -> None:
    """A name that is not there is said to be not there."""
    done = make(tmp_path, "test", "PYTHON=python3.12-of-nobody")

    assert done.returncode != 0
    assert "Found: no python3.12-of-nobody." in done.stdout


def test_the_first_supported_python_is_taken(tmp_path: Path) -> None:
    """Where python3 is too old, make takes a newer one that is there by its full name."""
    interpreter(tmp_path, "python3", "3.9.18", supported=False)
    interpreter(tmp_path, "python3.13", "3.13.0", supported=True)

    done = make(tmp_path, "--eval=chosen: ; @echo $(PYTHON)", "chosen")

    assert done.stdout.strip() == "python3.13"


def test_the_makefile_works_with_this_python(tmp_path: Path) -> None:
    """The Python that runs these tests is one that make takes."""
    (question,) = re.findall(r"^SUPPORTED := (.*)$", MAKEFILE, re.MULTILINE)

    assert subprocess.run([sys.executable, "-c", question], cwd=tmp_path, check=False).returncode == 0
