"""The emulator against 200 calls of the live API, recorded in 2021 and 2022."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pytest

from integration_tests.real.independent import client
from integration_tests.real.replay import Played, members, play, sittings
from integration_tests.real.shapes import Shape, shape
from mailchimp_emulator import Emulator
from unit_tests.references import reference

SITTINGS = sittings(reference("mailchimp-recordings.json"))


@dataclass(frozen=True)
class Difference:
    """A place where recording and emulator may differ, whose side has it, and why that is as it should be."""

    path: str
    side: str
    reason: str


DIFFERENCES = {
    "links": Difference(r"(.*\.|.*\])?_links(\W.*)?", "emulator", "cut out of the recordings; kept there as examples of their own"),
    "list contact": Difference(r"lists\[\]\.contact(\..*)?", "emulator", "cut out of the recordings, being somebody's address"),
    "region": Difference(r"(members\[\]\.)?location\.region", "emulator", "Mailchimp added it between November 2021 and February 2022"),
}


@cache
def played(number: int) -> list[Played]:
    """Play one sitting once."""
    with Emulator() as mailchimp:
        return play(mailchimp, SITTINGS[number])


def named(path: str, side: str) -> str:
    """Return the name of the difference that a path falls under, or ''."""
    return next((name for name, one in DIFFERENCES.items() if one.side == side and re.fullmatch(one.path, path)), "")


def differing(recorded: Shape, ours: Shape) -> Iterator[tuple[str, str]]:
    """Yield every path that only one side has or whose types differ, with the name of its difference."""
    for path in sorted({*recorded, *ours}):
        if path not in recorded:
            yield f"only the emulator has {path}", named(path, "emulator")
        elif path not in ours:
            yield f"only the recording has {path}", named(path, "recording")
        elif recorded[path] != ours[path]:
            yield f"{path} is {sorted(recorded[path])}, in the emulator {sorted(ours[path])}", named(path, "both")


def outcome(body: Any) -> tuple[Any, ...]:
    """Return what a body says in addition to its shape: a problem's words, a total, the state of a member."""
    if not isinstance(body, dict):
        return (body,)
    if "title" in body:
        return (body["title"], body["detail"], body.get("errors"))
    if "total_items" in body:
        return (body["total_items"], [member["email_address"] for member in body.get("members", [])])
    names = ("id", "email_address", "status", "merge_fields", "tags_count", "full_name", "unsubscribe_reason")
    return (*(body.get(name) for name in names), sorted(tag["name"] for tag in body.get("tags", [])))


@pytest.mark.parametrize("number", range(len(SITTINGS)))
def test_every_recorded_call_is_answered_alike(number: int) -> None:
    """Status, title, keys and types of each answer are the recorded ones, but for the named differences."""
    for one in played(number):
        assert one.status == one.recorded["status"], one.name
        assert one.content_type == one.recorded["headers"]["Content-Type"], one.name
        unnamed = [text for text, name in differing(shape(one.recorded["response"]), shape(one.body)) if not name]
        assert unnamed == [], one.name


@pytest.mark.parametrize("number", range(len(SITTINGS)))
def test_every_recorded_call_has_the_recorded_outcome(number: int) -> None:
    """Problems have the recorded words; contacts the recorded state, values and tags; pages the recorded contacts in their order."""
    for one in played(number):
        assert outcome(one.body) == outcome(one.recorded["response"]), one.name


@pytest.mark.parametrize("number", range(len(SITTINGS)))
def test_last_changed_moves_when_it_moved_in_the_recording(number: int) -> None:
    """Every last_changed is the recorded one, give or take the second between a change and its answer."""
    for one in played(number):
        ours = list(members({"response": one.body}))
        for recorded, member in zip(members(one.recorded), ours, strict=True):
            apart = datetime.fromisoformat(recorded["last_changed"]) - datetime.fromisoformat(member["last_changed"])
            assert abs(apart.total_seconds()) <= 1, one.name


def test_all_200_recordings_are_played() -> None:
    """No recorded call is left out."""
    assert sum(len(calls) for calls in SITTINGS) == 200


def test_every_named_difference_occurs() -> None:
    """A difference that is no longer there is struck from the table."""
    pairs = [(shape(one.recorded["response"]), shape(one.body)) for number in range(len(SITTINGS)) for one in played(number)]
    assert {name for recorded, ours in pairs for _, name in differing(recorded, ours) if name} == set(DIFFERENCES)


def links(found: list[dict[str, str]]) -> dict[str, tuple[str, str, str, str]]:
    """Return method and paths of links by their names, for any host and ids."""
    kinds = ("href", "targetSchema", "schema")
    return {one["rel"]: (one["method"], *(path_of(one.get(kind, "")) for kind in kinds)) for one in found}


def path_of(url: str) -> str:
    """Return the path of a URL, with every id alike."""
    return re.sub(r"/(\d+|[0-9a-f]{10}|[0-9a-f]{32})(?=/|$)", "/ID", urlsplit(url).path)


def test_links_are_the_recorded_ones() -> None:
    """Members, lists, merge fields and their collections carry the recorded links; a collection may have its own order of them."""
    examples = json.loads(reference("mailchimp-recordings.json").read_text())["full_examples"]
    with Emulator() as mailchimp:
        mailchimp.seed(contacts=1)
        chimp = client(mailchimp).lists
        lists = chimp.get_all_lists()
        list_id = lists["lists"][0]["id"]
        members, fields = chimp.get_list_members_info(list_id), chimp.get_list_merge_fields(list_id)
    assert links(lists["lists"][0]["_links"]) == links(examples["list_with_links"]["_links"])
    assert links(lists["_links"]) == links(examples["lists_links"])
    assert links(members["members"][0]["_links"]) == links(examples["member_with_links"]["_links"])
    assert links(members["_links"]) == links(examples["members_links"])
    assert links(fields["merge_fields"][0]["_links"]) == links(examples["mf"]["merge_fields"][0]["_links"])
    assert links(fields["_links"]) == links(examples["mf"]["_links"])
