from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from destination_mailchimp_unified.config import DestinationConfig
from mailchimp_unified.patience import Patience

GONE = ("unsubscribed", "cleaned", "pending", "archived", "transactional")
HOLDING = ("subscribed", "pending")
PER_STATUS = 12
QUICK = Patience(first_back_off=0.01, longest_back_off=0.02, total=20)

MODES = st.fixed_dictionaries(
    {
        "write_mode": st.sampled_from(["auto", "bulk", "single"]),
        "status_if_new": st.sampled_from(["auto", "subscribed", "pending", "unsubscribed", "transactional"]),
        "on_compliance_state": st.sampled_from(["reject", "pending"]),
        "tag_mode": st.sampled_from(["add", "replace"]),
        "suppress_automations": st.booleans(),
        "empty_values": st.sampled_from(["keep", "clear"]),
        "on_delete": st.sampled_from(["archive", "unsubscribe", "ignore"]),
        "unmapped_columns": st.sampled_from(["ignore", "merge_fields"]),
        "num_workers": st.integers(1, 6),
    }
)


READINGS = st.fixed_dictionaries(
    {
        "bulk_without_status": st.sampled_from(["keep", "subscribed"]),
        "bulk_new_without_status": st.sampled_from(["error", "subscribed"]),
        "bulk_refused_compliance": st.sampled_from(["error", "ignore"]),
        "status_if_new_unarchives": st.booleans(),
        "patch_archived_status": st.sampled_from([404, 405]),
        "subscribe_pending": st.sampled_from(["taken", "kept", "error"]),
        "subscribe_held_pending": st.sampled_from(["taken", "kept", "error"]),
        "compliance_survives_archive": st.booleans(),
        "archived_in_bare_list": st.booleans(),
        "transactional_in_bare_list": st.booleans(),
        "email_case_changes": st.booleans(),
        "tie_order": st.sampled_from(["insertion", "id", "shuffled"]),
        "visible_after": st.sampled_from([0, 30]),
    }
)
"""Every reading of what Mailchimp does not document and that a status depends on."""


def seeded(runner: Any, readings: dict[str, Any], *, double_optin: bool) -> dict[str, str]:
    """An audience with contacts of every status, left by themselves or by others. Returns status by email address."""
    mailchimp = runner.mailchimp
    mailchimp.reset()
    mailchimp.behavior(**readings)
    statuses = dict.fromkeys(("subscribed", *GONE), 1.0)
    [runner.list_id] = mailchimp.seed(
        name="A", contacts=PER_STATUS * len(statuses), statuses=statuses, double_optin=double_optin, tags=["vip", "m:old"]
    )
    found = runner.members()
    for email in [email for email, member in found.items() if member["status"] == "unsubscribed"][:3]:
        mailchimp.act(runner.list_id, email, "forget")
    return {email: member["status"] for email, member in runner.members().items()}


def columns_of(chance: random.Random, known: list[str]) -> dict[str, Any]:
    """Random columns of a contact that is there, or of a new one."""
    email = chance.choice(known) if chance.random() < 0.8 else f"new{chance.randrange(60)}@contacts.example"
    columns: dict[str, Any] = {"email": chance.choice([email, email.upper(), f" {email} "])}
    optional: dict[str, Any] = {
        "first_name": chance.choice(["Ada", "", None]),
        "status": chance.choice(["subscribed", "pending", "unsubscribed", "cleaned", "archived", "transactional"]),
        "status_if_new": chance.choice(["subscribed", "pending", "unsubscribed", None]),
        "tags": chance.choice([[], ["vip"], [{"name": "m:new"}], None]),
        "tags_to_remove": ["vip"],
        "is_deleted": chance.random() < 0.1,
        "FNAME": "Bob",
        "marketing_permissions": [{"marketing_permission_id": "x", "enabled": True}],
    }
    columns.update({name: value for name, value in optional.items() if chance.random() < 0.35})
    return columns


@settings(
    max_examples=25,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    modes=MODES,
    readings=READINGS,
    seed=st.integers(0, 10**6),
    mode=st.sampled_from(["append", "append_dedup", "update", "overwrite"]),
    double_optin=st.booleans(),
)
def test_nobody_is_subscribed_again(  # noqa: PLR0917 - fixtures, and what is drawn
    runner: Any,
    record: Any,
    state: Any,
    catalog: Any,
    modes: dict[str, Any],
    readings: dict[str, Any],
    seed: int,
    mode: str,
    double_optin: bool,
) -> None:
    """Of 500 random records none moves a contact that was there into subscribed or pending, under every reading of what is not documented."""
    before = seeded(runner, readings, double_optin=double_optin)
    chance = random.Random(seed)
    messages = []
    for number in range(500):
        messages.append(record(columns_of(chance, list(before))))
        if chance.random() < 0.01:
            messages.append(state(number))
    streams = catalog({"name": "people", "destination_sync_mode": mode})
    result = runner.write([*messages, state(999)], streams, QUICK, managed_tags=["m:*"], max_rejected_percent=None, **modes)
    assert result.error is None, result.text
    assert result.ids[-1] == 999
    assert sum(result.counts().values()) == 500
    after = runner.members()
    assert len({email for email in before if email in after}) == len(before)
    for email, status in before.items():
        now = after[email]["status"]
        assert now == status or now not in HOLDING, (email, status, now)


def test_forgotten_contacts_are_rejected(runner: Any, record: Any, state: Any) -> None:
    """A permanently deleted contact is a reject with Mailchimp's words, its email address masked, and the sync continues."""
    runner.mailchimp.act(runner.list_id, "gone@contacts.example", "subscribe")
    runner.mailchimp.act(runner.list_id, "gone@contacts.example", "forget")
    result = runner.write([record({"email": "gone@contacts.example"}), record({"email": "b@contacts.example"}), state(1)])
    assert result.counts()["rejected"] == result.counts()["created"] == 1
    assert "permanently deleted" in result.text
    assert "gone@" not in result.text


def test_unsubscribing_during_a_long_sync_is_respected(make_runner: Any, record: Any, state: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A contact who leaves after the statuses were read is read again before the next bulk update, once the statuses have aged."""
    runner = make_runner(contacts=600)
    monkeypatch.setattr("destination_mailchimp_unified.audience.listing.FRESH_SECONDS", 0.02)
    runner.mailchimp.behavior(bulk_without_status="subscribed")
    emails = list(runner.members())
    messages = [record({"email": email, "first_name": "New"}) for email in emails[:500]]
    first = runner.write([*messages, state(1)], write_mode="bulk")
    assert first.counts()["updated"] == 500
    runner.mailchimp.clear_journal()
    runner.mailchimp.churn(edits_per_request=1, mix={"unsubscribe": 1.0}, seed=3)
    # Each further request lets one contact leave; what was read before the last look is protected.
    runner.write([*(record({"email": email, "last_name": "X"}) for email in emails), state(2)], write_mode="bulk", num_workers=1)
    runner.mailchimp.stop_churn()
    refreshed = [entry for entry in runner.mailchimp.journal() if entry["query"].get("status") == "unsubscribed"]
    assert refreshed


def test_statuses_read_late_are_complete(make_runner: Any, record: Any, state: Any) -> None:
    """Who was archived by this very sync, before bulk began to pay, is not taken for new when it does."""
    runner = make_runner(contacts=5_000)
    first, *others = list(runner.members())
    messages = [
        record({"email": first, "is_deleted": True}),
        state(1),
        *(record({"email": email, "last_name": "X"}) for email in others[:20]),
    ]
    messages += [state(2), *(record({"email": email, "last_name": "Y"}) for email in [*others, first]), state(3)]
    result = runner.write(messages, num_workers=1)
    assert result.error is None
    assert any(entry["method"] == "POST" for entry in runner.writes())
    assert runner.members()[first]["status"] == "archived"


@pytest.mark.parametrize(
    ("double_optin", "config", "columns", "expected"),
    [
        (False, {}, {}, "subscribed"),
        (True, {}, {}, "pending"),
        (True, {}, {"status": "subscribed"}, "pending"),
        (True, {"status_if_new": "subscribed"}, {"status": "subscribed"}, "subscribed"),
        (True, {}, {"status_if_new": "subscribed"}, "pending"),
        (False, {}, {"status": "unsubscribed"}, "unsubscribed"),
        (False, {"status_if_new": "subscribed"}, {"status": "transactional"}, "transactional"),
        (False, {"status_if_new": "pending"}, {"status": "subscribed"}, "pending"),
        (False, {}, {"status": "cleaned"}, None),
        (False, {}, {"status": "archived"}, None),
        (True, {"apply_status": True}, {"status": "subscribed"}, "pending"),
        (True, {"apply_status": True, "status_if_new": "subscribed"}, {"status": "subscribed"}, "subscribed"),
    ],
)
@pytest.mark.parametrize("write_mode", ["bulk", "single"])
def test_status_of_new_contacts(  # noqa: PLR0917 - fixtures, and the table
    make_runner: Any,
    record: Any,
    double_optin: bool,
    config: dict[str, Any],
    columns: dict[str, Any],
    expected: str | None,
    write_mode: str,
) -> None:
    """A new contact never gets more consent than the record and the configuration give; cleaned and archived create nobody."""
    runner = make_runner(double_optin=double_optin)
    result = runner.write([record({"email": "a@contacts.example", **columns})], write_mode=write_mode, **config)
    # A single answer does not tell whether the contact is new, unless it is subscribed.
    kinds = ("created", "updated") if expected else ("skipped",)
    assert sum(result.counts()[kind] for kind in kinds) == 1
    assert runner.members().get("a@contacts.example", {}).get("status") == expected


APPLYING = st.fixed_dictionaries(
    {
        "apply_status": st.sampled_from(["opt_outs", "always"]),
        "write_mode": st.sampled_from(["bulk", "single"]),
        "status_if_new": st.sampled_from(["auto", "subscribed", "pending"]),
        "on_compliance_state": st.sampled_from(["reject", "pending"]),
        "restore_archived": st.booleans(),
    }
)


@settings(
    max_examples=25,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(options=APPLYING, readings=READINGS, seed=st.integers(0, 10**6), double_optin=st.booleans())
def test_applied_statuses_respect_who_waits_and_who_was_asked(
    runner: Any, record: Any, options: dict[str, Any], readings: dict[str, Any], seed: int, double_optin: bool
) -> None:
    """Under every reading opt_outs subscribes nobody, always nobody who is pending, and no double opt-in audience anybody unasked."""
    before = seeded(runner, readings, double_optin=double_optin)
    chance = random.Random(seed)
    wanted = {email: chance.choice(["subscribed", "pending", "unsubscribed", "cleaned", "archived", "transactional"]) for email in before}
    for _ in range(2):
        result = runner.write([record({"email": email, "status": status}) for email, status in wanted.items()], None, QUICK, **options)
        assert result.error is None, result.error
        runner.mailchimp.clock(advance=60)
    after = {email: member["status"] for email, member in runner.members().items()}
    joined = {email for email, status in before.items() if after[email] == "subscribed" and status != "subscribed"}
    asks_first = double_optin and options["status_if_new"] != "subscribed"
    for email in joined:
        restored = before[email] == "archived" and options["restore_archived"]
        assert before[email] != "pending"
        assert not asks_first
        assert options["apply_status"] == "always" or restored, (email, before[email], wanted[email])
    for email, status in before.items():
        if wanted[email] == "unsubscribed" and status in HOLDING:
            assert after[email] == "unsubscribed"


@pytest.mark.parametrize("write_mode", ["bulk", "single"])
@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("subscribe_pending", ["taken", "kept", "error"])
def test_who_was_asked_stays_pending(make_runner: Any, record: Any, write_mode: str, held: bool, subscribe_pending: str) -> None:
    """Whom one sync has asked to confirm the next one does not subscribe, nor the one after it."""
    runner = make_runner(contacts=1)
    runner.mailchimp.behavior(subscribe_pending=subscribe_pending, subscribe_held_pending=subscribe_pending)
    [email] = runner.members()
    runner.mailchimp.act(runner.list_id, email, "unsubscribe_self" if held else "pending")
    for number in range(3):
        messages = [record({"email": email, "status": "subscribed", "first_name": str(number)})]
        result = runner.write(messages, write_mode=write_mode, apply_status="always", on_compliance_state="pending")
        assert result.error is None
        assert runner.members()[email]["status"] == "pending"
    assert runner.members()[email]["merge_fields"]["FNAME"] == "2"
    assert "1 statuses not applied: the contact has to confirm first" in result.text


@pytest.mark.parametrize(("old", "new"), [(True, "always"), (False, "never")])
def test_the_former_boolean_is_understood(old: bool, new: str) -> None:
    """A configuration of the first version means what it meant."""
    credentials = {"auth_type": "apikey", "apikey": "0123456789abcdef0123456789abcdef-us1"}
    assert DestinationConfig.model_validate({"credentials": credentials, "apply_status": old}).apply_status == new


@pytest.mark.parametrize("write_mode", ["bulk", "single"])
def test_apply_status_is_authoritative_but_for_compliance(make_runner: Any, record: Any, write_mode: str) -> None:
    """With apply_status a record's status is set; whom Mailchimp does not let subscribe is rejected, or asked when so configured."""
    runner = make_runner(contacts=4)
    first, second, third, fourth = list(runner.members())
    runner.mailchimp.act(runner.list_id, first, "unsubscribe_admin")
    runner.mailchimp.act(runner.list_id, second, "unsubscribe_self")
    wanted = {first: "subscribed", second: "subscribed", third: "unsubscribed", fourth: "archived"}
    messages = [record({"email": email, "status": status, "first_name": "New"}) for email, status in wanted.items()]
    result = runner.write(messages, write_mode=write_mode, apply_status=True)
    assert result.counts() == {"created": 0, "updated": 3, "unchanged": 0, "skipped": 0, "rejected": 1}
    after = runner.members()
    assert [after[email]["status"] for email in wanted] == ["subscribed", "unsubscribed", "unsubscribed", "archived"]
    assert after[second]["merge_fields"]["FNAME"] == "New"
    runner.write(messages[1:2], write_mode=write_mode, apply_status=True, on_compliance_state="pending")
    assert runner.members()[second]["status"] == "pending"


@pytest.mark.parametrize("write_mode", ["bulk", "single"])
@pytest.mark.parametrize("restore", [False, True])
def test_archived_contacts_come_back_only_on_request(make_runner: Any, record: Any, write_mode: str, restore: bool) -> None:
    """An archived contact stays archived unless restore_archived is on."""
    runner = make_runner(contacts=1, statuses={"archived": 1})
    [email] = runner.members()
    result = runner.write([record({"email": email, "first_name": "New"})], write_mode=write_mode, restore_archived=restore)
    assert result.counts()["updated"] == 1
    assert runner.members()[email]["status"] == ("subscribed" if restore else "archived")


@pytest.mark.parametrize("write_mode", ["bulk", "single"])
@pytest.mark.parametrize(
    ("on_delete", "statuses"),
    [
        ("archive", ["archived", "archived", "cleaned", "archived", "pending"]),
        ("unsubscribe", ["unsubscribed", "unsubscribed", "cleaned", "archived", "unsubscribed"]),
        ("ignore", ["subscribed", "unsubscribed", "cleaned", "archived", "pending"]),
    ],
)
def test_deleted_rows(make_runner: Any, record: Any, write_mode: str, on_delete: str, statuses: list[str]) -> None:
    """A deleted row archives, unsubscribes or leaves its contact; nobody is created for it."""
    runner = make_runner(contacts=5)
    emails = list(runner.members())
    for email, action in zip(emails[1:], ["unsubscribe_self", "clean", "archive", "pending"], strict=True):
        runner.mailchimp.act(runner.list_id, email, action)
    marks = [
        {"_ab_cdc_deleted_at": "2026-01-01T00:00:00"},
        {"is_deleted": True},
        {"is_deleted": "true"},
        {"IS_DELETED": 1},
        {"is_deleted": True},
    ]
    messages = [record({"email": email, **mark}) for email, mark in zip(emails, marks, strict=True)]
    result = runner.write(
        [*messages, record({"email": "new@contacts.example", "is_deleted": True})], write_mode=write_mode, on_delete=on_delete
    )
    after = runner.members()
    assert [after[email]["status"] for email in emails] == statuses
    assert "new@contacts.example" not in after
    assert result.counts()["rejected"] == 0


def test_later_row_brings_back_what_an_earlier_one_deletes(make_runner: Any, record: Any) -> None:
    """A deletion that a later record of the same contact takes back is not carried out, and both have their outcome."""
    runner = make_runner(contacts=1)
    [email] = runner.members()
    result = runner.write([record({"email": email, "is_deleted": True}), record({"email": email, "first_name": "New"})])
    assert runner.members()[email]["status"] == "subscribed"
    assert result.counts() == {"created": 0, "updated": 1, "unchanged": 0, "skipped": 1, "rejected": 0}
