"""Who is in the simulated audiences, and what people do there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mailchimp_emulator.acts import act
from mailchimp_emulator.models import Member, Segment
from mailchimp_emulator.problems import Problem
from mailchimp_emulator.state import State


@dataclass(frozen=True)
class Person:
    """A contact when the story begins. `age` is how many seconds ago it changed last."""

    list_id: str
    email: str
    status: str = "subscribed"
    age: int = 86_400
    first_name: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Event:
    """What somebody does just before request number `request` of a sync takes effect, or after the sync where it makes fewer."""

    request: int
    act: str
    list_id: str
    email: str = ""
    more: tuple[tuple[str, Any], ...] = field(default=())

    @property
    def said(self) -> str:
        """The event in words, for the log."""
        return " ".join([self.act, self.list_id, self.email, *(f"{name}={value}" for name, value in self.more)]).strip()


def new_list(state: State, list_id: str, created: int, **settings: Any) -> None:
    """Make an audience."""
    state.account.new_audience(f"Audience {list_id}", created, settings, list_id)


def settle_in(state: State, people: tuple[Person, ...], now: int) -> None:
    """Put everybody into their audiences, which are made where they are not there."""
    for person in people:
        if person.list_id not in state.account.audiences:
            new_list(state, person.list_id, now - 400 * 86_400)
        audience = state.account.audiences[person.list_id]
        moment = now - person.age
        for name in person.tags:
            if audience.tag(name) is None:
                audience.add_segment(Segment(next(state.account.segment_ids), name, "static", moment, moment))
        tags = {found.id: moment for name in person.tags if (found := audience.tag(name))}
        values = {"FNAME": person.first_name, "LNAME": ""}
        member = Member(audience.next_seq(), person.email, person.status, moment, values, tags, timestamp_opt=moment)
        member.compliance = {"cleaned": "cleaned", "unsubscribed": "self"}.get(person.status, "")
        audience.add(member)
    # Everybody who was there at the beginning is seen at once, also where changes show late.
    state.behave({})
    for audience in state.account.audiences.values():
        audience.show_late(0)
        audience.show_late(state.behavior.visible_after)


def happen(state: State, event: Event) -> bool:
    """Let an event happen. Returns whether it could: nobody archives a contact that is not there."""
    audience = state.account.audiences.get(event.list_id)
    if event.act == "create_list":
        if audience is None:
            new_list(state, event.list_id, state.clock.second())
        return audience is None
    if audience is None:
        return False
    if event.act == "delete_list":
        del state.account.audiences[event.list_id]
        return True
    if event.act in ("rename_tag", "delete_tag"):
        return _tag_event(state, event, dict(event.more))
    return _contact_event(state, event, audience.find(event.email))


def _contact_event(state: State, event: Event, member: Member | None) -> bool:
    if member is None and event.act != "subscribe":
        return False
    if event.act == "unarchive" and member is not None and member.status != "archived":
        return False
    try:
        act(state, event.list_id, event.email, event.act, dict(event.more))
    except (Problem, ValueError):
        return False
    return True


def _tag_event(state: State, event: Event, more: dict[str, Any]) -> bool:
    audience = state.account.audiences[event.list_id]
    tag = audience.tag(more["tag"])
    if tag is None or (event.act == "rename_tag" and audience.tag(more["name"])):
        return False
    if event.act == "rename_tag":
        audience.rename_segment(tag, more["name"], state.clock.second())
    else:
        audience.remove_segment(tag)
    return True
