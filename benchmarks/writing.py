"""Cases of the destination: new and existing contacts, tags, memory; against the ideal of bulk calls and one PUT per contact."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from harness import BIN, BULK, HERE, PAGE, RUNS, WORKERS, Bench, Row, catalog, credentials, emulator, paced, seed
from measure import Figures, best, measure

from mailchimp_emulator import DEFAULT_API_KEY, EmulatorProcess


def contact_lines(count: int, first: int = 0, **more: Any) -> Iterator[str]:
    """Yield RECORD messages of contacts."""
    for number in range(first, first + count):
        row = {"email": f"contact.{number}@example.org", "first_name": "Ada", "custom_fields": {"LTV": number, "COMPANY": "Acme"}, **more}
        yield json.dumps({"type": "RECORD", "record": {"stream": "contacts", "data": row, "emitted_at": 0}})
        if number % 10_000 == 0:
            stream_state = {"stream_descriptor": {"name": "contacts"}, "stream_state": {"n": number}}
            yield json.dumps({"type": "STATE", "state": {"type": "STREAM", "stream": stream_state, "id": number + 1}})


def untag_lines(count: int) -> Iterator[str]:
    """Yield RECORD messages that take a tag from contacts."""
    for number in range(count):
        row = {"email": f"contact.{number}@example.org", "tags_to_remove": ["Bench"]}
        yield json.dumps({"type": "RECORD", "record": {"stream": "contacts", "emitted_at": 0, "data": row}})


def write(bench: Bench, mailchimp: EmulatorProcess, list_id: str, lines: Iterator[str], **more: Any) -> Figures:
    """Write messages with the destination."""
    path = bench.folder / "input.jsonl"
    with path.open("w") as file:
        file.writelines(f"{line}\n" for line in lines)
    command = [str(BIN / "destination-mailchimp-unified"), "write"]
    command += ["--config", str(bench.write("destination.json", credentials(mailchimp, list_id=list_id, **more)))]
    mailchimp.reset_stats()
    return measure([*command, "--catalog", str(bench.write("catalog.json", catalog("contacts")))], stdin=path)


def writing(bench: Bench) -> None:
    """New contacts with tags, the same again, half and half, and the removal of a tag; against the ideal and a PUT per contact."""
    contacts = bench.contacts(100_000)
    with emulator() as mailchimp:
        mailchimp.latency(1.0)
        singles, list_id = 200, seed(mailchimp, 0)
        puts = measure([sys.executable, str(HERE / "single_puts.py"), mailchimp.url, DEFAULT_API_KEY, list_id, str(singles), str(WORKERS)])
        bench.add(Row(f"one PUT per contact, {singles} contacts, 1 s a request", puts, singles / puts.wall))
        # Each run has an audience of its own: in the one of the last nobody is new any more.
        lists = [seed(mailchimp, 0) for _ in range(RUNS)]
        figures = best(write(bench, mailchimp, one, contact_lines(contacts, tags=["Bench", "New"])) for one in lists)
        list_id = lists[-1]
        case, ideal = f"destination, {contacts} new with tags, 1 s a request", contacts / BULK / WORKERS
        bench.add(Row(case, figures, contacts / figures.wall, "wall / ideal of bulk calls", figures.wall / ideal, 1.3))
        ratio = (contacts / figures.wall) / (singles / puts.wall)
        case = "destination against one PUT per contact"
        bench.add(Row(case, figures, ratio="contacts a second, ratio", value=ratio, target=20, at_least=True))
        half, removed = contacts // 2, bench.contacts(10_000)
        for case, count, lines in (
            (f"{contacts} existing", contacts, contact_lines(contacts, vip=True)),
            (f"{half} new and {half} existing with tags", contacts, contact_lines(contacts, first=half, tags=["Mixed"])),
            (f"{removed} tag removals", removed, untag_lines(removed)),
        ):
            figures = write(bench, mailchimp, list_id, lines)
            bench.add(paced(f"destination, {case}, 1 s a request", figures, count, mailchimp, 1.0))
    with emulator() as mailchimp:
        list_id = seed(mailchimp, 0)
        mailchimp.latency(0.1)
        figures = write(bench, mailchimp, list_id, contact_lines(contacts, tags=["Bench", "New"]))
        bench.add(paced(f"destination, {contacts} new with tags, 0.1 s a request", figures, contacts, mailchimp, 0.1))


def repeated_lines(members: list[dict[str, Any]], one_in: int = 0) -> Iterator[str]:
    """Yield RECORD messages of contacts as they are, and one in so many of them with another name."""
    for number, member in enumerate(members):
        values = member["merge_fields"]
        name = "New" if one_in and number % one_in == 0 else values["FNAME"]
        custom = {tag: value for tag, value in values.items() if tag not in ("FNAME", "LNAME")}
        row = {"email": member["email_address"], "first_name": name, "last_name": values["LNAME"]}
        row |= {"custom_fields": custom, "tags": member["tags"]}
        yield json.dumps({"type": "RECORD", "record": {"stream": "contacts", "emitted_at": 0, "data": row}})


def moments_of(mailchimp: EmulatorProcess, list_id: str, path: Path) -> None:
    """Write down when each contact changed last."""
    path.write_text(json.dumps({one["id"]: one["last_changed"] for one in mailchimp.members(list_id)}))


def table_of(mailchimp: EmulatorProcess, list_id: str, every: int, path: Path) -> None:
    """Write down the records of an audience."""
    with path.open("w") as file:
        file.writelines(f"{line}\n" for line in repeated_lines(mailchimp.members(list_id), every))


def apart(task: Callable[..., None], *arguments: Any) -> None:
    """Run a task in a process of its own: the memory of this one counts as the least of what it starts."""
    process = get_context("fork").Process(target=task, args=arguments)
    process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError(f"{task.__name__} failed")


def lines_of(path: Path) -> Iterator[str]:
    """Yield the lines of a file."""
    with path.open() as file:
        yield from (line.rstrip("\n") for line in file)


def writing_repeated(bench: Bench) -> None:
    """A table that the audience holds already, a tenth of its contacts not subscribed: nothing changed, and one in a hundred."""
    contacts, one_in = bench.contacts(100_000), 100
    statuses = {"subscribed": 90, "unsubscribed": 6, "cleaned": 2, "archived": 2}
    records, before, after = (bench.folder / name for name in ("table.jsonl", "before.json", "after.json"))
    for case, every in (("nothing changed", 0), ("1% changed", one_in)):
        with emulator() as mailchimp:
            list_id = seed(mailchimp, contacts, statuses=statuses)
            apart(table_of, mailchimp, list_id, every, records)
            apart(moments_of, mailchimp, list_id, before)
            mailchimp.latency(1.0)
            figures = write(bench, mailchimp, list_id, lines_of(records))
            requests = mailchimp.stats()["requests"]
            apart(moments_of, mailchimp, list_id, after)
        was, now = json.loads(before.read_text()), json.loads(after.read_text())
        changed = sum(now[one] != moment for one, moment in was.items())
        named = f"destination, {contacts} existing, a tenth not subscribed, {case}, 1 s a request"
        if every:
            bench.add(Row(named, figures, contacts / figures.wall, "contacts written / changed", changed / -(-contacts // every), 1.0))
        else:
            assert not changed, "what did not change was written"
            bench.add(Row(named, figures, contacts / figures.wall, "requests / pages", requests / (contacts / PAGE), 1.1))
        del was, now


def writing_memory(bench: Bench) -> None:
    """Peak memory of writing many contacts and ten times as many."""
    peaks = []
    for contacts in (bench.contacts(100_000), bench.contacts(1_000_000)):
        with emulator() as mailchimp:
            list_id = seed(mailchimp, 0)
            figures = write(bench, mailchimp, list_id, contact_lines(contacts))
            peaks.append(figures.peak_mb)
            bench.add(Row(f"destination, memory of {contacts} contacts", figures, contacts / figures.wall, "MB", figures.peak_mb, 250))
    bench.add(Row("destination, memory of ten times as many", figures, ratio="peak / peak", value=peaks[1] / peaks[0], target=1.2))
