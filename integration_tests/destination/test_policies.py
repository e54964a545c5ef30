"""Every policy and guard of the destination, while calls fail, answers get lost, and the process ends and begins again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from integration_tests.commands import IMPATIENT
from mailchimp_unified.patience import Patience

Json = dict[str, Any]

TAG = "Customers"
NEW = [f"n{n}@contacts.example" for n in range(6)]
STATUSES = {"subscribed": 6, "unsubscribed": 2, "archived": 2, "pending": 1, "cleaned": 1}
REFRESH = {"sync_mode": "full_refresh", "destination_sync_mode": "overwrite", "generation_id": 3, "minimum_generation_id": 3, "sync_id": 9}

WRITES = ("POST", "PUT", "PATCH", "DELETE")
DISTURBED: dict[str, Json] = {
    "500": {"kind": "500", "times": 1},
    "500 after it was done": {"kind": "500", "times": 1, "when": "after"},
    "429": {"kind": "429", "times": 1},
    "connection lost after it was done": {"kind": "reset", "times": 1, "when": "after"},
}
ENDED: dict[str, Json] = {
    "ended before the first write": {"kind": "reset"},
    "ended after the first write": {"kind": "reset", "when": "after"},
    "ended after the second write": {"kind": "reset", "when": "after", "after": 1},
}
AT_ONCE = Patience(first_back_off=0, longest_back_off=0, total=0)


@dataclass
class Seen:
    """What became of an account: its contacts before and after by address, what was sent, and the last sync."""

    before: Json
    after: Json
    sent: list[Json]
    result: Any
    rejects: list[Json]
    syncs: int

    def status(self, wanted: str) -> set[str]:
        """The statuses now of those who had one before."""
        return {self.after[email]["status"] for email, member in self.before.items() if member["status"] == wanted}

    @property
    def created(self) -> set[str]:
        """Who was not there before."""
        return self.after.keys() - self.before.keys()

    @property
    def unmoved(self) -> bool:
        """Whether everybody who was there has the status that they had."""
        return all(self.after[email]["status"] == member["status"] for email, member in self.before.items())


@dataclass
class Policy:
    """A configuration, what comes for contacts, and what must hold. `fails` tells that the guard stops every sync."""

    options: Json
    holds: Callable[[Seen], bool]
    columns: Json = field(default_factory=dict)
    of_new: Json = field(default_factory=dict)
    extra: tuple[Json, ...] = ()
    required: bool = False
    fails: bool = False


def _is_syncing(seen: Seen) -> bool:
    edits = [entry["body"] for entry in seen.sent if entry["path"].endswith("/tags")]
    others = [entry["body"] for entry in seen.sent if not entry["path"].endswith("/tags")]
    return bool(edits) and all(body["is_syncing"] for body in edits) and "tags" not in json.dumps(others)


def _left(seen: Seen) -> bool:
    """Whether only the one who did not come lost the tag, and everybody who came has it."""
    lost = [email for email, member in seen.before.items() if TAG in member["tags"] and TAG not in seen.after[email]["tags"]]
    return lost == [_absent(seen.before)] and all(TAG in seen.after[email]["tags"] for email in NEW) and seen.unmoved


def _absent(before: Json) -> str:
    """The contact who does not come."""
    return min(email for email, member in before.items() if member["status"] == "subscribed")


BAD: tuple[Json, ...] = tuple({"email": f"nobody {n}"} for n in range(120))
REJECTED: tuple[Json, ...] = ({"email": "nobody"}, {"email": "odd@contacts.example", "vip": "perhaps"})

POLICIES: dict[str, Policy] = {
    "write_policy upsert": Policy({}, lambda seen: seen.created == set(NEW) and seen.unmoved),
    "write_policy update_only": Policy({"write_policy": "update_only"}, lambda seen: not seen.created and seen.unmoved),
    "write_policy create_only": Policy(
        {"write_policy": "create_only"},
        lambda seen: seen.created == set(NEW) and all(seen.after[email] == member for email, member in seen.before.items()),
    ),
    "max_new_contacts": Policy(
        {"max_new_contacts": 3}, lambda seen: len(seen.created) <= 3 * seen.syncs and 2 not in seen.result.ids, fails=True
    ),
    "max_new_contacts, enough": Policy({"max_new_contacts": "120%"}, lambda seen: seen.created == set(NEW)),
    "max_rejected_percent": Policy({"max_rejected_percent": 50}, lambda seen: 2 not in seen.result.ids, extra=BAD, fails=True),
    "invalid_values reject": Policy(
        {"invalid_values": "reject"}, lambda seen: not seen.created and {line["record"]["email"] for line in seen.rejects} == set(NEW), of_new={"vip": "perhaps"}
    ),
    "invalid_values leave_out": Policy(
        {"invalid_values": "leave_out"}, lambda seen: seen.created == set(NEW) and not seen.rejects, of_new={"vip": "perhaps"}
    ),
    "required_fields enforce": Policy({"required_fields": "enforce"}, lambda seen: not seen.created, required=True),
    "required_fields skip": Policy({"required_fields": "skip"}, lambda seen: seen.created == set(NEW), required=True),
    "apply_status never": Policy({"apply_status": "never"}, lambda seen: seen.unmoved, columns={"status": "unsubscribed"}),
    "apply_status opt_outs, in": Policy({"apply_status": "opt_outs"}, lambda seen: seen.unmoved, columns={"status": "subscribed"}),
    "apply_status opt_outs, out": Policy(
        {"apply_status": "opt_outs"},
        lambda seen: seen.status("subscribed") == {"subscribed", "unsubscribed"} and seen.status("pending") == {"unsubscribed"},
        columns={"status": "unsubscribed"},
    ),
    "apply_status always": Policy(
        {"apply_status": "always"},
        lambda seen: seen.status("pending") == {"pending"} and seen.status("archived") == {"subscribed"},
        columns={"status": "subscribed"},
    ),
    "on_compliance_state reject": Policy(
        {"apply_status": "always", "on_compliance_state": "reject"},
        lambda seen: seen.status("unsubscribed") == {"unsubscribed"} and seen.status("cleaned") == {"cleaned"},
        columns={"status": "subscribed"},
    ),
    "on_compliance_state pending": Policy(
        {"apply_status": "always", "on_compliance_state": "pending"},
        lambda seen: seen.status("unsubscribed") | seen.status("cleaned") == {"pending"},
        columns={"status": "subscribed"},
    ),
    "restore_archived off": Policy({"restore_archived": False}, lambda seen: seen.status("archived") == {"archived"}),
    "restore_archived on": Policy(
        {"restore_archived": True, "status_if_new": "pending"}, lambda seen: "archived" not in seen.status("archived")
    ),
    "suppress_automations": Policy({"suppress_automations": True}, _is_syncing, columns={"tags": ["Fresh"]}),
    "membership_tag and on_leaving": Policy({"membership_tag": TAG, "on_leaving": "remove_tag"}, _left),
    "max_leaving_percent": Policy(
        {"membership_tag": TAG, "on_leaving": "remove_tag", "max_leaving_percent": 1},
        lambda seen: all(TAG in member["tags"] for member in seen.after.values()),
    ),
    "dry_run": Policy({"dry_run": True}, lambda seen: seen.before == seen.after and not seen.sent),
    "rejected_records": Policy(
        {}, lambda seen: {line["record"]["email"] for line in seen.rejects} == {line["email"] for line in REJECTED}, extra=REJECTED
    ),
}  # fmt: skip


def account(make_runner: Any, policy: Policy) -> Any:
    """A runner for an audience with contacts of every status, who carry the tag."""
    more = {"merge_fields": [{"tag": "COMPANY", "required": True}]} if policy.required else {}
    return make_runner(contacts=12, statuses=STATUSES, tags=[TAG], tags_per_contact=1, **more)


def messages_of(policy: Policy, before: Json, record: Any, state: Any) -> list[Json]:
    """Everybody but one of those who are there and six new contacts, with a state in the middle and one at the end."""
    known = [record({"email": email, "first_name": "Set", **policy.columns}) for email in before if email != _absent(before)]
    new = [record({"email": email, "first_name": "Set", **policy.columns, **policy.of_new}) for email in NEW]
    told = {"stream_descriptor": {"name": "people"}, "status": "COMPLETE"}
    complete = {"type": "TRACE", "trace": {"type": "STREAM_STATUS", "emitted_at": 1, "stream_status": told}}
    return [*known[:6], state(1), *known[6:], *new, *map(record, policy.extra), state(2), complete]


def after_last(messages: list[Json], acknowledged: list[int], policy: Policy) -> list[Json]:
    """What comes when the sync is begun again: what followed the last state, or everything of a full refresh."""
    if not acknowledged or "on_leaving" in policy.options:
        return messages
    return messages[next(n for n, m in enumerate(messages) if m["type"] == "STATE" and m["state"]["id"] == acknowledged[-1]) + 1 :]


def options_of(policy: Policy, write_mode: str, path: Path) -> Json:
    """The whole configuration; a dry run would write each planned outcome into the file."""
    kept = {} if policy.options.get("dry_run") else {"rejected_records": "file", "rejected_records_file": str(path)}
    return {"max_rejected_percent": None, **kept, "write_mode": write_mode, **policy.options}


def seen_of(runner: Any, before: Json, result: Any, path: Path, syncs: int) -> Seen:
    """What became of it."""
    rejects = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return Seen(before, runner.members(), runner.writes(), result, rejects, syncs)


@pytest.mark.parametrize("write_mode", ["bulk", "single"])
@pytest.mark.parametrize("fault", [*DISTURBED, *ENDED])
@pytest.mark.parametrize("name", POLICIES)
def test_policies_hold_under_faults(  # noqa: PLR0917 - fixtures, and the table
    make_runner: Any, record: Any, state: Any, catalog: Any, tmp_path: Path, name: str, fault: str, write_mode: str
) -> None:
    """No matter which write fails, is lost, or ends the process, the policy holds in the end and every promise is kept."""
    policy, path = POLICIES[name], tmp_path / "rejected.jsonl"
    runner, streams = account(make_runner, policy), catalog({"name": "people", **REFRESH})
    before, options, syncs = runner.members(), options_of(policy, write_mode, path), 1
    messages = messages_of(policy, before, record, state)
    runner.mailchimp.faults([{**(DISTURBED | ENDED)[fault], "method": method} for method in WRITES])
    ends = fault in ENDED
    result = runner.write(messages, streams, patience=AT_ONCE if ends else IMPATIENT, **({"num_workers": 1} if ends else {}), **options)
    runner.mailchimp.clear_faults()
    if ends and result.error is not None and result.error.failure_type.value == "transient_error":
        syncs += 1
        result = runner.write(after_last(messages, result.ids, policy), streams, **options)
    assert (result.error is not None) == policy.fails, result.error
    seen = seen_of(runner, before, result, path, syncs)
    assert policy.holds(seen), {email: (member["status"], member["tags"]) for email, member in seen.after.items()}


KILLED = ("max_new_contacts", "membership_tag and on_leaving")


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in KILLED else pytest.mark.slow) for name in POLICIES])
def test_policies_hold_after_a_kill(  # noqa: PLR0917 - fixtures
    make_runner: Any, record: Any, state: Any, catalog: Any, start: Any, tmp_path: Path, name: str
) -> None:
    """The same with SIGKILL while the answer to a write is awaited that took effect."""
    policy, path = POLICIES[name], tmp_path / "rejected.jsonl"
    runner, streams = account(make_runner, policy), catalog({"name": "people", **REFRESH})
    before, options = runner.members(), options_of(policy, "single", path)
    messages = messages_of(policy, before, record, state)
    runner.mailchimp.faults([{"kind": "hang", "method": method, "after": 3, "when": "after", "times": 1} for method in WRITES])
    process = start("write", runner.config(num_workers=1, **options), streams)
    process.stdin.write(b"".join(json.dumps(message).encode() + b"\n" for message in messages))
    process.stdin.close()
    deadline = time.monotonic() + 60
    while not runner.mailchimp.stats()["faults"] and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()
    acknowledged = [json.loads(line)["state"]["id"] for line in process.stdout.read().splitlines() if b'"STATE"' in line]
    runner.mailchimp.clear_faults()
    result = runner.write(after_last(messages, acknowledged, policy), streams, **options)
    assert (result.error is not None) == policy.fails, result.error
    assert policy.holds(seen_of(runner, before, result, path, 2))


LOST: dict[str, Json] = {
    "the answer is lost": {"kind": "reset", "when": "after", "times": 1},
    "the answer is an error": {"kind": "500", "when": "after", "times": 1},
    "the answer is empty": {"kind": "empty_200", "when": "after", "times": 1},
}


@pytest.mark.parametrize("write_mode", ["bulk", "single"])
@pytest.mark.parametrize("lost", LOST)
def test_a_lost_answer_counts(runner: Any, record: Any, state: Any, lost: str, write_mode: str) -> None:
    """Contacts of a call whose answer was lost count as created: the next ones are too many."""
    runner.mailchimp.faults([{**LOST[lost], "method": method} for method in ("POST", "PUT")])
    first = [record({"email": f"a{n}@contacts.example"}) for n in range(500)]
    second = [record({"email": f"b{n}@contacts.example"}) for n in range(500)]
    result = runner.write([*first, state(1), *second, state(2)], write_mode=write_mode, max_new_contacts=600, num_workers=1)
    assert result.error is not None
    assert result.error.failure_type.value == "config_error"
    assert "max_new_contacts" in (result.error.message or "")
    assert len(runner.members()) <= 600


@pytest.mark.parametrize("take_effect", [False, True])
def test_rows_that_an_answer_lacks_count(runner: Any, record: Any, take_effect: bool) -> None:
    """A contact that may have been created counts once: as many as are allowed are created, and never one more."""
    runner.mailchimp.behavior(bulk_drop_rows=5, bulk_dropped_rows_take_effect=take_effect)
    people = [record({"email": f"a{n}@contacts.example"}) for n in range(30)]
    assert runner.write(people[:20], write_mode="bulk", max_new_contacts=20).error is None
    assert len(runner.members()) == 20
    stopped = runner.write([record({"email": f"b{n}@contacts.example"}) for n in range(30)], write_mode="bulk", max_new_contacts=29)
    assert stopped.error is not None
    assert len(runner.members()) <= 20 + 29


def test_who_signed_up_meanwhile_is_no_new_contact_of_ours(make_runner: Any, record: Any) -> None:
    """A row reported as existing counts only where an answer was lost before."""
    runner = make_runner(contacts=5)
    act = {"command": "act", "list_id": runner.list_id, "email": "late@contacts.example", "action": "subscribe"}
    runner.mailchimp.faults([{"kind": "run", "method": "POST", "path": "/lists/[^/]*$", "times": 1, "commands": [act]}])
    people = [record({"email": email}) for email in ("late@contacts.example", *NEW)]
    result = runner.write(people, write_mode="bulk", max_new_contacts=7)
    assert result.error is None
    assert runner.write([record({"email": "one@contacts.example"})], write_mode="bulk", max_new_contacts=1).error is None
