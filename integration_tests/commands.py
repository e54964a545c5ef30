"""Runs the source through its real entry points and reads what it printed; configurations and retries that the destination's tests share."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from airbyte_cdk.models import AirbyteMessageSerializer
from airbyte_cdk.test.entrypoint_wrapper import EntrypointOutput, _run_command

from mailchimp_emulator import DEFAULT_API_KEY, Emulator
from mailchimp_unified.client import MailchimpClient
from mailchimp_unified.patience import Patience
from mailchimp_unified.request import Reply, Request
from source_mailchimp_unified import SourceMailchimpUnified

STREAMS = ("contacts", "lists", "tags", "users")

IMPATIENT = Patience(connect=20.0, read=20.0, rest_after_timeout=0.01, first_back_off=0.01, longest_back_off=0.05, total=60.0)
"""Retries without the pauses that a real Mailchimp needs; a busy machine is not a timeout."""

BRIEF = replace(IMPATIENT, read=0.5)
"""Gives up requests that hang."""

Message = dict[str, Any]


def config(url: str, **more: Any) -> dict[str, Any]:
    """Return a configuration for an emulator."""
    return {"credentials": {"auth_type": "apikey", "apikey": DEFAULT_API_KEY}, "api_url": url, **more}


def catalog(streams: Sequence[str] = STREAMS, sync_mode: str = "incremental") -> dict[str, Any]:
    """Return a configured catalog of streams by name."""
    keys = {"contacts": [["list_id"], ["id"]], "tags": [["list_id"], ["id"]]}
    return {
        "streams": [
            {
                "stream": {
                    "name": name,
                    "json_schema": {"type": "object", "properties": {}},
                    "supported_sync_modes": ["full_refresh", "incremental"],
                    "source_defined_cursor": True,
                    "default_cursor_field": ["updated_at"],
                    "source_defined_primary_key": keys.get(name, [["id"]]),
                },
                "sync_mode": sync_mode,
                "destination_sync_mode": "append_dedup",
            }
            for name in streams
        ]
    }


@dataclass
class Output:
    """The messages of one run, and its exit code."""

    messages: list[Message]
    exit_code: int = 0

    def records(self, stream: str) -> list[dict[str, Any]]:
        """Return the records of a stream."""
        return [m["record"]["data"] for m in self.messages if m["type"] == "RECORD" and m["record"]["stream"] == stream]

    def state(self) -> list[dict[str, Any]]:
        """Return the last state of every stream, as `read --state` takes it."""
        last = {}
        for message in self.messages:
            if message["type"] == "STATE":
                last[message["state"]["stream"]["stream_descriptor"]["name"]] = message["state"]
        return list(last.values())

    def states(self, stream: str) -> list[dict[str, Any]]:
        """Return every state of a stream, in order."""
        states = [m["state"] for m in self.messages if m["type"] == "STATE"]
        return [s["stream"]["stream_state"] for s in states if s["stream"]["stream_descriptor"]["name"] == stream]

    def statuses(self, stream: str) -> list[str]:
        """Return the statuses a stream went through."""
        traces = [m["trace"]["stream_status"] for m in self.messages if m["type"] == "TRACE" and m["trace"]["type"] == "STREAM_STATUS"]
        return [t["status"] for t in traces if t["stream_descriptor"]["name"] == stream]

    def errors(self) -> list[dict[str, Any]]:
        """Return the errors."""
        return [m["trace"]["error"] for m in self.messages if m["type"] == "TRACE" and m["trace"]["type"] == "ERROR"]

    def logs(self) -> list[str]:
        """Return the log lines."""
        return [m["log"]["message"] for m in self.messages if m["type"] == "LOG"]

    def connection_status(self) -> dict[str, Any]:
        """Return the answer of a check."""
        (status,) = [m["connectionStatus"] for m in self.messages if m["type"] == "CONNECTION_STATUS"]
        return status  # type: ignore[no-any-return]


class Source:
    """The source with one configuration, run as a process (`command`) or in this one (`read`)."""

    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        self._folder = folder
        self._config = self._file("config.json", config)

    def arguments(self, name: str, catalog: Any = None, state: Any = None) -> list[str]:
        """Return the command line of a command."""
        if name == "spec":
            return [name]
        arguments = [name, "--config", str(self._config)]
        if catalog is not None:
            arguments += ["--catalog", str(self._file("catalog.json", catalog))]
        if state is not None:
            arguments += ["--state", str(self._file("state.json", state))]
        return arguments

    def popen(self, name: str, catalog: Any = None, state: Any = None) -> subprocess.Popen[str]:
        """Start a command in a process of its own."""
        command = [sys.executable, "-m", "source_mailchimp_unified.run", *self.arguments(name, catalog, state)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def command(self, name: str, catalog: Any = None, state: Any = None) -> Output:
        """Run a command in a process of its own. Every line of its output must be a message."""
        process = self.popen(name, catalog, state)
        out, err = process.communicate(timeout=120)
        assert err == ""
        return Output([json.loads(line) for line in out.splitlines()], process.returncode)

    def read(self, catalog: Any, state: Any = None, patience: Patience = IMPATIENT) -> Output:
        """Read through Airbyte's own test kit, in this process."""
        return self._run("read", catalog, state, patience)

    def discover(self) -> list[dict[str, Any]]:
        """Return the streams of the catalog, through Airbyte's own test kit, in this process."""
        (catalog,) = [message["catalog"] for message in self._run("discover").messages if message["type"] == "CATALOG"]
        return catalog["streams"]  # type: ignore[no-any-return]

    def _run(self, name: str, catalog: Any = None, state: Any = None, patience: Patience = IMPATIENT) -> Output:
        output: EntrypointOutput = _run_command(SourceMailchimpUnified(patience), self.arguments(name, catalog, state))
        return Output([AirbyteMessageSerializer.dump(message) for message in output.get_message_iterator()])

    def _file(self, name: str, content: Any) -> Path:
        path = self._folder / name
        path.write_text(json.dumps(content))
        return path


def delete_after_listing(monkeypatch: pytest.MonkeyPatch, mailchimp: Emulator, list_id: str) -> None:
    """Let an audience vanish between the listing of all and what is read of it."""
    call = MailchimpClient.call

    async def call_and_delete(client: MailchimpClient, request: Request, **limits: Any) -> Reply:
        reply = await call(client, request, **limits)
        if request.path == "/lists":
            mailchimp.delete_list(list_id)
        return reply

    monkeypatch.setattr(MailchimpClient, "call", call_and_delete)
