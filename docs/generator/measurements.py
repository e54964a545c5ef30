"""The measurements of benchmarks/RESULTS.md, and the formula that makes sizes of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from destination_mailchimp_unified.planning.plan import BULK_SIZE
from mailchimp_unified.request import PAGE_SIZE

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "RESULTS.md"

SOURCE_CASE, DESTINATION_CASE = "source, memory of 1000000 contacts", "destination, memory of 1000000 contacts"
SMALLER_DESTINATION_CASE = "destination, memory of 100000 contacts"

BYTES_OF_CONTACT = 40
"""A contact in destination_mailchimp_unified/audience/statuses.py: its status, half of its id, and what it is compared by."""


@dataclass(frozen=True)
class Measured:
    """A row of the results: wall and CPU in seconds, peak in megabytes (0 where a row has none)."""

    wall: float
    cpu: float
    peak: float
    rate: float


def measured(case: str) -> Measured:
    """Return the row of a case. Raises KeyError, naming the case, when the results do not have it."""
    for line in RESULTS.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] == case:
            return Measured(*(float(cell.replace(",", "") or 0) for cell in cells[1:5]))
    raise KeyError(f"benchmarks/RESULTS.md has no case {case!r}")


@dataclass(frozen=True)
class Speed:
    """What a connector costs apart from waiting: seconds to start, and contacts a second when Mailchimp answers at once."""

    start: float
    rate: float

    def wall(self, requests: float, contacts: float, *, latency: float, workers: int) -> float:
        """Return seconds: start + requests x latency / workers + contacts / rate. Waiting and working overlap: it is a little too long."""
        return self.start + requests * latency / workers + contacts / self.rate


def source_speed() -> Speed:
    """Return the speed of the source."""
    case = measured(SOURCE_CASE)
    start = measured("source spec").wall
    return Speed(start, 1_000_000 / (case.wall - start))


def destination_speed() -> Speed:
    """Return the speed of the destination."""
    case = measured(DESTINATION_CASE)
    start = measured("destination spec").wall
    return Speed(start, 1_000_000 / (case.wall - start))


def pages(contacts: float) -> float:
    """Return the requests that read so many contacts."""
    return -(-contacts // PAGE_SIZE)


def bulk_calls(contacts: float) -> float:
    """Return the requests that write so many contacts in bulk."""
    return -(-contacts // BULK_SIZE)


def bytes_per_contact() -> float:
    """Return by how much the destination's peak grows with each contact of an audience whose statuses it knows.

    It is what was measured, at least what the table of statuses takes.
    """
    grown = measured(DESTINATION_CASE).peak - measured(SMALLER_DESTINATION_CASE).peak
    return max(grown * 1e6 / 900_000, BYTES_OF_CONTACT)


def destination_peak(contacts: float) -> float:
    """Return the destination's peak in megabytes for an audience of so many contacts."""
    return measured(DESTINATION_CASE).peak + max(0.0, contacts - 1_000_000) * bytes_per_contact() / 1e6
