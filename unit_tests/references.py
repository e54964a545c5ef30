"""The public material that tests are held against: it is read where it lies and is not part of the project."""

from __future__ import annotations

from pathlib import Path

import pytest

REFERENCES = Path(__file__).resolve().parents[1].parent / "shared" / "facts"
ABSENT = "no recorded calls and no API description at ../shared/facts: nothing is compared with the real Mailchimp"


def reference(name: str) -> Path:
    """Return where a reference lies. Without it the calling test module is skipped, all of them in one line of the summary."""
    path = REFERENCES / name
    if not path.exists():
        pytest.skip(ABSENT, allow_module_level=True)
    return path
