"""Cases of the stream: lone events one by one, and a burst; as a process with pipes, against what Mailchimp's own time allows."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from harness import BIN, BULK, HERE, RUNS, WORKERS, Bench, Row, credentials, emulator, seed
from measure import Figures, best

from mailchimp_emulator import DEFAULT_API_KEY, EmulatorProcess

LATENCY = 0.2
A_SECOND = 20
LONE_EVENTS = 400
ANSWERED_WITHIN = 0.3
BURST = 10_000
KNOWN = 5_000
"""Contacts of the audience before."""

REQUESTS_TO_KNOW = 8
"""In a row, for an audience of that size."""


class Stream:
    """The command, warm: its audience is known."""

    def __init__(self, bench: Bench, mailchimp: EmulatorProcess, list_id: str) -> None:
        path = bench.write("stream.json", credentials(mailchimp, list_id=list_id))
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            [str(BIN / "mailchimp-unified-stream"), "--config", str(path)], stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL
        )
        self.answered: dict[Any, float] = {}
        self.reading = threading.Thread(target=self._read)
        self.reading.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.answered[json.loads(line)["id"]] = time.perf_counter()

    def send(self, *events: dict[str, Any]) -> float:
        """Write events at once. Returns when."""
        assert self.process.stdin
        sent = time.perf_counter()
        self.process.stdin.write(b"".join(json.dumps(event).encode() + b"\n" for event in events))
        self.process.stdin.flush()
        return sent

    def wait_for(self, own_id: Any) -> None:
        """Wait for an answer."""
        while own_id not in self.answered:
            time.sleep(0.01)

    def end(self) -> Figures:
        """End the input, and return what the process used."""
        assert self.process.stdin
        self.process.stdin.close()
        self.reading.join()
        _, _, usage = os.wait4(self.process.pid, 0)
        return _figures(usage)


def _figures(usage: resource.struct_rusage) -> Figures:
    return Figures(0.0, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6)


@contextmanager
def warm(bench: Bench, latency: float) -> Iterator[tuple[EmulatorProcess, Stream, list[str]]]:
    """Give a stream that has answered its first event, and the email addresses of those who are there."""
    with emulator() as mailchimp:
        list_id = seed(mailchimp, KNOWN)
        mailchimp.latency(latency)
        stream = Stream(bench, mailchimp, list_id)
        emails = [str(member["email_address"]) for member in mailchimp.members(list_id) if member["status"] == "subscribed"]
        stream.send({"id": "first", "email": emails[0], "first_name": "First"})
        stream.wait_for("first")
        # Until its audience is known.
        time.sleep(REQUESTS_TO_KNOW * latency)
        yield mailchimp, stream, emails


def streaming(bench: Bench) -> None:
    """Lone events of contacts who are there and who are new, by turns; then ten thousand new ones at once."""
    _lone(bench)
    _burst(bench)


def _lone(bench: Bench) -> None:
    with warm(bench, LATENCY) as (_, stream, emails):
        began = time.perf_counter()
        sent = []
        for number in range(LONE_EVENTS):
            time.sleep(max(0.0, began + number / A_SECOND - time.perf_counter()))
            email = emails[number] if number % 2 else f"new.{number}@example.org"
            sent.append(stream.send({"id": number, "email": email, "first_name": f"N{number}"}))
        used = stream.end()
        seconds = [stream.answered[number] - moment for number, moment in enumerate(sent)]
        within = sum(one <= ANSWERED_WITHIN for one in seconds) / len(seconds)
        wall = time.perf_counter() - began
    case = f"stream, {LONE_EVENTS} lone events, half of them new contacts, {A_SECOND} a second, {LATENCY} s a request"
    figures = Figures(wall, used.cpu, used.peak_mb)
    bench.add(Row(case, figures, ratio=f"share answered within {ANSWERED_WITHIN} s", value=within, target=0.95, at_least=True))


def _burst(bench: Bench) -> None:
    """The ideal is that of the bulk calls alone: so many, over the workers, each taking the latency; and a bare loop that sends the same."""
    ideal_calls = BURST / BULK
    for latency in (LATENCY, 1.0):
        calls, runs, bare = 0, [], []
        for _ in range(RUNS):
            with warm(bench, latency) as (mailchimp, stream, _):
                bare.append(_bare_bulk(mailchimp))
                mailchimp.reset_stats()
                sent = stream.send(*({"id": n, "email": f"new.{n}@example.org", "first_name": "Burst"} for n in range(BURST)))
                used = stream.end()
                calls = max(calls, mailchimp.stats()["requests"])
                runs.append(Figures(max(stream.answered.values()) - sent, used.cpu, used.peak_mb))
        figures = best(runs)
        case = f"stream, a burst of {BURST} new contacts, {latency:g} s a request"
        bench.add(Row(case, figures, BURST / figures.wall, "requests / ideal of bulk calls", calls / ideal_calls, 1.3))
        ideal = ideal_calls / WORKERS * latency
        bench.add(Row(case, figures, BURST / figures.wall, "wall / ideal of bulk calls", figures.wall / ideal, 1.3))
        ratio = f"wall / bare loop of the same calls ({min(bare):.2f} s)"
        bench.add(Row(case, figures, BURST / figures.wall, ratio, figures.wall / min(bare), 1.3))


def _bare_bulk(mailchimp: EmulatorProcess) -> float:
    """Return the seconds that the same bulk calls take a program that does nothing else, in an audience of their own."""
    list_id = seed(mailchimp, 0)
    command = [sys.executable, str(HERE / "bare_bulk.py"), mailchimp.url, DEFAULT_API_KEY, list_id, str(BURST), str(WORKERS)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
