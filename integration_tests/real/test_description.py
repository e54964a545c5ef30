"""What the connectors send and the emulator answers, held against Mailchimp's API description."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from integration_tests.real import runs
from integration_tests.real.description import ApiDescription
from integration_tests.real.gaps import gap
from mailchimp_emulator import Emulator
from unit_tests.references import reference

DESCRIPTION = ApiDescription(reference("mailchimp-openapi.json"))


RUNS: dict[str, tuple[Callable[[Emulator, Path], object], set[str]]] = {
    "source: the demo, in full and again": (runs.read_demo, set()),
    "source: a busy audience": (runs.read_busy, set()),
    "source: a signed-in user": (runs.read_signed_in, set()),
    "both: a copy in bulk": (runs.copy_in_bulk, {"bulk tags"}),
    "both: a copy one by one": (runs.copy_singly, set()),
    "destination: all that is refused": (runs.write_refusals, set()),
    "destination: discover and check": (runs.discover, set()),
    "an independent client": (runs.drive_client, {"field errors", "Member Exists"}),
}


@pytest.mark.parametrize(("run", "gaps"), RUNS.values(), ids=RUNS)
def test_requests_and_answers_are_as_described(run: Callable[[Emulator, Path], object], gaps: set[str], tmp_path: Path) -> None:
    """Path, method, query and body of each request, and each answer, are as described, but for gaps with a public source."""
    with Emulator(capture_answers=True) as mailchimp:
        run(mailchimp, tmp_path)
        calls = [entry for entry in mailchimp.journal() if entry["path"].startswith("/3.0")]
    assert calls
    assert {gap(fault) for entry in calls for fault in DESCRIPTION.faults(entry)} == gaps


def test_faults_are_found() -> None:
    """The comparison sees an unknown path, parameter, key and value, on either side."""
    wrong = {
        "method": "GET",
        "path": "/3.0/lists/a/members",
        "query": {"count": "many", "page": "2", "status": "gone"},
        "body": {},
        "status": 200,
        "answer": {"members": [{"id": 1, "name": "x"}]},
    }
    assert [fault.split(" ", 2)[2].split(":")[0] for fault in DESCRIPTION.faults(wrong)] == [
        "request query count",
        "request query page",
        "request query status",
        "request body",
        "answer 200 body.members[].id",
        "answer 200 body.members[].name",
    ]
    assert list(DESCRIPTION.faults({**wrong, "path": "/3.0/members"})) == ["GET /3.0/members: no such operation"]
