"""Clients that are none of ours work against the emulator as they do against Mailchimp."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from airbyte_cdk.models import AirbyteMessageSerializer, AirbyteStateMessageSerializer, ConfiguredAirbyteCatalogSerializer
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource
from airbyte_cdk.test.entrypoint_wrapper import _run_command

from integration_tests.commands import Output
from integration_tests.real.independent import client, drive
from mailchimp_emulator import DEFAULT_API_KEY, DEFAULT_OAUTH_TOKEN, Emulator

MANIFEST = Path(__file__).with_name("manifest.yaml")
CREDENTIALS = {"key": {"sign_in": "key", "key": DEFAULT_API_KEY}, "token": {"sign_in": "token", "token": DEFAULT_OAUTH_TOKEN}}


def test_mailchimps_own_client(mailchimp: Emulator) -> None:
    """Mailchimp's Python client reads and writes lists, members, tags, segments, merge fields and interests."""
    drive(mailchimp)
    assert {entry["user_agent"].split("/")[0] for entry in mailchimp.journal()} == {"Swagger-Codegen"}


def test_mailchimps_own_client_with_a_token(mailchimp: Emulator) -> None:
    """Mailchimp's Python client signs in with a token too."""
    assert client(mailchimp, token=True).ping.get() == {"health_status": "Everything's Chimpy!"}


def read(settings: dict[str, Any], folder: Path, state: Any = None) -> Output:
    """Read every stream of the low-code reader."""
    streams = [
        {
            "stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]},
            "sync_mode": "incremental" if name == "people" else "full_refresh",
            "destination_sync_mode": "append",
        }
        for name in ("audiences", "people", "labels")
    ]
    arguments = ["read"]
    for name, content in (("config", settings), ("catalog", {"streams": streams}), ("state", state or [])):
        (folder / name).write_text(json.dumps(content))
        arguments += [f"--{name}", str(folder / name)]
    chosen = ConfiguredAirbyteCatalogSerializer.load({"streams": streams})
    before = [AirbyteStateMessageSerializer.load(one) for one in state or []]
    source = ConcurrentDeclarativeSource(catalog=chosen, config=settings, state=before, source_config=yaml.safe_load(MANIFEST.read_text()))
    output = _run_command(source, arguments)
    return Output([AirbyteMessageSerializer.dump(message) for message in output.get_message_iterator()])


@pytest.mark.parametrize("sign_in", CREDENTIALS)
def test_low_code_reading(mailchimp: Emulator, tmp_path: Path, sign_in: str) -> None:
    """Offset pages of a thousand per audience give every contact that is not archived, then only those that changed since."""
    big, small = mailchimp.seed(
        {"name": "Big", "contacts": 2500, "statuses": {"subscribed": 8, "unsubscribed": 1, "archived": 1}, "tags": ["One", "Two"]},
        {"name": "Small", "contacts": 3},
    )
    settings = {"url": mailchimp.url, **CREDENTIALS[sign_in]}
    first = read(settings, tmp_path)
    assert [len(first.records(name)) for name in ("audiences", "people", "labels")] == [2, 2253, 2]
    assert len({(one["list_id"], one["id"]) for one in first.records("people")}) == 2253
    pages = [entry["query"] for entry in mailchimp.journal() if entry["path"] == f"/3.0/lists/{big}/members"]
    assert [page.get("offset") for page in pages] == [None, "1000", "2000"]
    mailchimp.clock(advance=60)
    mailchimp.act(small, mailchimp.members(small)[0]["email_address"], "change_merge_field", tag="FNAME", value="Edited")
    again = read(settings, tmp_path, first.state())
    assert "Edited" in [one["merge_fields"]["FNAME"] for one in again.records("people")]
    assert len(again.records("people")) <= 3
