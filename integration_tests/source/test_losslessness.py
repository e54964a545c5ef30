"""No contact is lost, no matter what people do while a sync runs and wherever it is killed."""

from __future__ import annotations

import itertools
import json
import random
import signal
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterable
from typing import Any

import orjson
import pytest

from integration_tests.commands import Source, catalog, config
from mailchimp_emulator import Emulator, EmulatorProcess
from mailchimp_unified.clock import epoch
from mailchimp_unified.paging import Page, Pager
from mailchimp_unified.request import Request

Sources = Callable[..., Source]

TIES = {"groups": [1, 3000]}
MIX = {"edit": 0.5, "archive": 0.15, "unarchive": 0.15, "add": 0.1, "tag": 0.1}
STATUSES = {"subscribed": 0.8, "unsubscribed": 0.1, "archived": 0.1}


def busy(mailchimp: Emulator, contacts: int, seed: int, edits_per_request: int = 120) -> str:
    """Make a list in which many contacts share seconds and which people edit between any two requests."""
    (list_id,) = mailchimp.seed(name="Busy", contacts=contacts, statuses=STATUSES, tags=["A"], ties=TIES, seed=seed)
    # Edits take time: the clock moves with them, so that they spread over seconds as they do in life.
    mailchimp.clock(freeze=True, tick_per_edit=0.01)
    mailchimp.churn(edits_per_request=edits_per_request, mix=MIX, seed=seed, list_id=list_id)
    return list_id


def final_states(mailchimp: Emulator, list_id: str) -> dict[str, tuple[int, str, str]]:
    """Return what Mailchimp holds at the end: per contact when it changed, its status and its first name."""
    return {m["id"]: (m["last_changed"], m["status"], m["merge_fields"]["FNAME"] or "") for m in mailchimp.members(list_id)}


def versions(records: Iterable[dict[str, Any]]) -> set[tuple[str, int, str, str]]:
    """Return every version emitted."""
    return {(r["id"], epoch(r["updated_at"]), r["status"], r["first_name"] or "") for r in records}


def lost(mailchimp: Emulator, list_id: str, emitted: set[tuple[str, int, str, str]]) -> list[str]:
    """Return the contacts whose final state was never emitted."""
    return [key for key, final in final_states(mailchimp, list_id).items() if (key, *final) not in emitted]


def read_twice(mailchimp: Emulator, source: Source) -> set[tuple[str, int, str, str]]:
    """Read while people edit, then once more when they have stopped; return every version emitted."""
    first = source.read(catalog(["contacts"]))
    mailchimp.stop_churn()
    mailchimp.clock(advance=5)
    second = source.read(catalog(["contacts"]), first.state())
    assert first.errors() == second.errors() == []
    return versions([*first.records("contacts"), *second.records("contacts")])


@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 21))])
def test_a_sync_and_the_next_hold_every_final_state(mailchimp: Emulator, source: Sources, seed: int) -> None:
    """20,000 contacts in groups of up to 3,000 per second, edited, archived, un-archived and added throughout: none is missing."""
    list_id = busy(mailchimp, 20_000, seed)

    emitted = read_twice(mailchimp, source(num_workers=random.Random(seed).randint(1, 10)))

    assert mailchimp.stats()["churn_edits"] > 1000
    assert lost(mailchimp, list_id, emitted) == []


async def read_up(pager: Pager, collection: Request, rows: int = 0, overlap: int = 0) -> AsyncIterator[Page]:
    """Yield the pages of a collection in their order, as one would without a second thought."""
    page = await pager.page(collection)
    yield page
    while len(page.items) == pager.page_size:
        page = await pager.page(collection, page.offset + pager.page_size)
        yield page


def test_reading_upwards_would_lose_contacts(mailchimp: Emulator, source: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order of reading is what saves them: the same sync with windows read from offset 0 upwards misses contacts."""
    monkeypatch.setattr(Pager, "down", read_up)
    list_id = busy(mailchimp, 20_000, seed=1)

    emitted = read_twice(mailchimp, source(num_workers=2))

    assert lost(mailchimp, list_id, emitted)


@pytest.fixture
def remote() -> Generator[EmulatorProcess, None, None]:
    """A local Mailchimp in a process of its own, so that edits continue while the test waits for output."""
    with EmulatorProcess() as emulator:
        yield emulator


def read_until_killed(process: subprocess.Popen[str], records: int) -> list[dict[str, Any]]:
    """Take messages until so many records came, then kill the process as a machine does that loses power."""
    messages: list[dict[str, Any]] = []
    assert process.stdout is not None
    for line in process.stdout:
        messages.append(orjson.loads(line))
        records -= messages[-1]["type"] == "RECORD"
        if records <= 0:
            process.send_signal(signal.SIGKILL)
            break
    # What was still in the pipe is lost: its states were not seen, so its records do not count either.
    process.communicate()
    return messages


def last_state(messages: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    """Return the last state printed."""
    states = [message["state"] for message in messages if message["type"] == "STATE"]
    return states[-1:] or None


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 8))])
def test_a_killed_sync_goes_on_from_its_last_state(remote: EmulatorProcess, tmp_path: Any, seed: int) -> None:
    """Killed at random points while people edit, and restarted from the last state printed, it ends with the same contacts."""
    list_id = busy(remote, 40_000, seed, edits_per_request=20)
    chance = random.Random(seed)
    source = Source(tmp_path, config(remote.url, num_workers=4))
    emitted: set[tuple[str, int, str, str]] = set()
    state = None

    for _ in range(3):
        messages = read_until_killed(source.popen("read", catalog(["contacts"]), state), chance.randint(1, 35_000))
        emitted |= versions(m["record"]["data"] for m in messages if m["type"] == "RECORD")
        state = last_state(messages) or state
        remote.clock(advance=2)
    remote.stop_churn()
    remote.clock(advance=5)
    final = source.command("read", catalog(["contacts"]), state)

    assert final.exit_code == 0
    assert lost(remote, list_id, emitted | versions(final.records("contacts"))) == []


def test_killed_four_times_a_list_is_read_hardly_more_than_once(remote: EmulatorProcess, tmp_path: Any) -> None:
    """Killed at four points in a list of 40,000, all runs together emit at most 1.15 times the list, and lose nobody."""
    remote.seed(name="Big", contacts=40_000)
    source = Source(tmp_path, config(remote.url, num_workers=4))
    ids: list[str] = []
    state = None
    for number in (3_000, 9_500, 7_000, 11_111):
        messages = read_until_killed(source.popen("read", catalog(["contacts"]), state), number)
        state = last_state(messages) or state
        ids += [m["record"]["data"]["id"] for m in messages if m["type"] == "RECORD"]

    rest = source.command("read", catalog(["contacts"]), state)

    ids += [record["id"] for record in rest.records("contacts")]
    assert len(set(ids)) == 40_000
    assert len(ids) <= 1.15 * 40_000


def test_a_state_is_known_at_once(remote: EmulatorProcess, tmp_path: Any) -> None:
    """A state does not wait in a buffer for what comes next, which may take its time."""
    first, second = remote.seed({"name": "One", "contacts": 10}, {"name": "Two", "contacts": 10})
    remote.faults([{"kind": "hang", "path": f"/lists/{second}/members"}])
    process = Source(tmp_path, config(remote.url, num_workers=1)).popen("read", catalog(["contacts"]))
    watchdog = threading.Timer(30, process.kill)
    watchdog.start()
    assert process.stdout is not None

    (state,) = itertools.islice((json.loads(line) for line in process.stdout if '"STATE"' in line), 1)

    assert process.poll() is None
    assert list(state["state"]["stream"]["stream_state"]["lists"]) == [first]
    watchdog.cancel()
    process.kill()
    process.communicate()


def test_a_closed_pipe_ends_quietly(remote: EmulatorProcess, tmp_path: Any) -> None:
    """When the reader of the output goes away, the process ends without output on stderr."""
    remote.seed(name="Big", contacts=20_000)
    process = Source(tmp_path, config(remote.url)).popen("read", catalog(["contacts"]))
    assert process.stdout is not None
    assert process.stderr is not None

    process.stdout.readline()
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()

    assert process.wait(timeout=30) == 1
    assert errors == ""
