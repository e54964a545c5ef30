"""The configuration of the destination: what its options take, and what they mean when they are not set."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from destination_mailchimp_unified.config import DestinationConfig, parse_destination_config, read_object
from mailchimp_unified.errors import ConfigError
from unit_tests.account import CONFIG, LOGGER

FLAGS = ("suppress_automations", "every_sync_is_complete", "create_missing_merge_fields", "restore_archived", "dry_run")


def parsed(**options: Any) -> DestinationConfig:
    """Return a configuration."""
    return parse_destination_config({**CONFIG, **options}, LOGGER)


def refused(**options: Any) -> str:
    """Return the words with which a configuration is refused."""
    with pytest.raises(ConfigError) as raised:
        parsed(**options)
    return raised.value.message


CAREFUL: dict[str, Any] = {
    "list_id": None,
    "list_ids_from": "record",
    "field_mapping": [],
    "unmapped_columns": "ignore",
    "write_mode": "auto",
    "status_if_new": "auto",
    "apply_status": "never",
    "on_compliance_state": "reject",
    "tag_mode": "add",
    "managed_tags": [],
    "membership_tag": None,
    "membership_streams": [],
    "on_leaving": "nothing",
    "max_leaving_percent": 20,
    "empty_values": "keep",
    "invalid_values": "reject",
    "required_fields": "enforce",
    "on_delete": "archive",
    "max_rejected_percent": 100,
    "write_policy": "upsert",
    "max_new_contacts": None,
    "rejected_records": "none",
    "rejected_records_file": None,
    **dict.fromkeys(FLAGS, False),
}


@pytest.mark.parametrize("name", CAREFUL)
def test_an_option_that_is_not_set_is_careful(name: str) -> None:
    """As docs/destination.md says of each."""
    assert getattr(parsed(), name) == CAREFUL[name]


def test_rejected_records_go_nowhere_by_themselves() -> None:
    """A bucket is named by who wants one."""
    assert parsed().object_storage_config.storage_type == "None"


@pytest.mark.parametrize("name", FLAGS)
def test_a_switch_is_a_boolean(name: str) -> None:
    """Words and numbers that look like one are refused: they may mean anything."""
    assert getattr(parsed(**{name: True}), name) is True
    assert getattr(parsed(**{name: False}), name) is False
    for odd in ("true", "yes", 1, 0):
        assert name in refused(**{name: odd})


@pytest.mark.parametrize("name", ["max_leaving_percent", "max_rejected_percent"])
@pytest.mark.parametrize(("percent", "taken"), [(-0.1, False), (0, True), (0.5, True), (100, True), (100.1, False), (200, False)])
def test_a_percentage_is_from_0_to_100(name: str, percent: float, taken: bool) -> None:
    """With both ends."""
    if taken:
        assert getattr(parsed(**{name: percent}), name) == percent
    else:
        assert name in refused(**{name: percent})


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (500, "500"), (0, "0"), ("500", "500"), (" 500 ", "500"), ("10%", "10%"), ("0.5%", "0.5%"), ("100%", "100%"), ("1234.5%", "1234.5%"),
        (999_999_999, "999999999"), (None, None), ("", None), ("  ", None),
    ],
)  # fmt: skip
def test_a_bound_on_new_contacts_is_a_number_or_a_percentage(given: object, meant: str | None) -> None:
    """As a form or a file has it; nothing is no bound."""
    assert parsed(max_new_contacts=given).max_new_contacts == meant


@pytest.mark.parametrize("given", [True, False, -1, 1.5, "many", "10 %", "%", "1e3", "1234567890", "12345%", ".5%", "5.%", [5]])
def test_another_bound_on_new_contacts_is_refused(given: object) -> None:
    """What cannot be read bounds nothing, so nothing is written with it."""
    assert "max_new_contacts" in refused(max_new_contacts=given)


def test_a_bound_that_a_program_leaves_empty_is_none() -> None:
    """The model takes what no form went through before."""
    for nothing in (None, ""):
        assert DestinationConfig.model_validate({**CONFIG, "max_new_contacts": nothing}).max_new_contacts is None


@pytest.mark.parametrize(
    ("given", "meant"), [(" a1b2c3d4e5 ", "a1b2c3d4e5"), ("", None), ("  ", None), (None, None)],
)  # fmt: skip
def test_an_audience_is_named_by_its_id(given: str | None, meant: str | None) -> None:
    """Without blanks around it; blank is none."""
    assert parsed(list_id=given).list_id == meant
    assert DestinationConfig.model_validate({**CONFIG, "list_id": given}).list_id == meant
    assert "list_id" in refused(list_id="no/../way")


@pytest.mark.parametrize(("given", "meant"), [(" VIP\u200b ", "VIP"), ("\u200b", None), ("", None), (None, None)])
def test_a_membership_tag_is_what_can_be_seen_of_it(given: str | None, meant: str | None) -> None:
    """Nothing to see is none."""
    assert parsed(membership_tag=given).membership_tag == meant
    assert DestinationConfig.model_validate({**CONFIG, "membership_tag": given}).membership_tag == meant


@pytest.mark.parametrize(
    ("given", "meant"), [("web", "web"), (True, "true"), (False, "false"), (5, "5"), (5.0, "5"), (1.5, "1.5")],
)  # fmt: skip
def test_a_constant_of_a_rule_is_text(given: object, meant: str) -> None:
    """As a cell with it would be read."""
    [rule] = parsed(field_mapping=[{"value": given, "field": "tags"}]).field_mapping
    assert rule.value == meant


@pytest.mark.parametrize("rule", [{"column": "a", "field": ""}, {"column": "a"}, {"value": ["a"], "field": "tags"}])
def test_a_rule_names_a_field_and_a_text(rule: dict[str, Any]) -> None:
    """Nothing fills a field without a name."""
    assert "field_mapping" in refused(field_mapping=[rule])


@pytest.mark.parametrize("kind", ["S3", "None"])
def test_a_bucket_is_of_a_kind_that_is_known(kind: str) -> None:
    """S3 or none."""
    assert parsed(object_storage_config={"storage_type": kind}).object_storage_config.storage_type == kind
    assert "storage_type" in refused(object_storage_config={"storage_type": kind.lower()})


@pytest.mark.parametrize(
    ("name", "options"),
    [("managed_tags", {"managed_tags": "vip"}), ("tag_mode", {"tag_mode": "Replace"}), ("on_delete", {"on_delete": "delete"})],
)
def test_what_no_option_takes_is_refused_by_name(name: str, options: dict[str, Any]) -> None:
    """Before anything else."""
    assert name in refused(**options)


def test_a_key_that_is_nearly_a_known_one_is_a_mistake_and_another_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """An option that nobody reads would write for real; what belongs to somebody else is only ignored."""
    assert "dry_run" in refused(dryrun=True)
    with caplog.at_level(logging.WARNING, LOGGER.name):
        parsed()
        assert caplog.messages == []
        parsed(zebra=1, _platform=2)
    assert len(caplog.messages) == 1
    assert "zebra" in caplog.messages[0]
    assert "_platform" not in caplog.messages[0]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"text"', b"null", b"\xff{}", None])
def test_a_file_without_an_object_is_named(content: bytes | None, tmp_path: Path) -> None:
    """By what it is for, also where there is none."""
    path = tmp_path / "file.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match="catalog"):
        read_object(str(path), "catalog")


def test_an_object_in_a_file_is_read(tmp_path: Path) -> None:
    """As it is."""
    (tmp_path / "file.json").write_text(json.dumps({"a": [1, None]}))
    assert read_object(str(tmp_path / "file.json"), "catalog") == {"a": [1, None]}
