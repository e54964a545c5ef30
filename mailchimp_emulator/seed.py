"""Audiences of any size from a short description, the same for the same seed number."""

from __future__ import annotations

import gc
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mailchimp_emulator.account import Account
from mailchimp_emulator.audience import Audience
from mailchimp_emulator.merge_rules import accepted
from mailchimp_emulator.models import Member, MergeField, Segment
from mailchimp_emulator.times import parse_instant
from mailchimp_emulator.writes import UNSUBSCRIBED_BY_ADMIN, UNSUBSCRIBED_BY_SELF

DAY = 86_400
DEFAULT_STATUSES = {"subscribed": 1.0}
_TAG_SETS = 199
_LIST_KEYS = {
    "id", "name", "contacts", "statuses", "tags", "tags_per_contact", "contacts_with_many_tags", "merge_fields",
    "date_created", "changed_from", "changed_to", "ties", "double_optin", "marketing_permissions", "domain",
    "interests",
}  # fmt: skip
FIRST_NAMES = (
    "Ada", "Bruno", "Chiara", "Dmitri", "Elena", "Farid", "Grace", "Hana", "Ivan", "Jun", "Kofi", "Lena",
    "Marta", "Nils", "Olga", "Pedro", "Qing", "Rosa", "Sven", "Tara", "Uma", "Victor", "Wanda", "Zoë",
)  # fmt: skip
LAST_NAMES = (
    "Abel", "Brandt", "Costa", "Dubois", "Eriksen", "Fischer", "Garcia", "Haas", "Ito", "Jensen", "Kowalski",
    "Lopez", "Meyer", "Novak", "O'Brien", "Petrov", "Quist", "Rossi", "Silva", "Tanaka", "Urban", "Vogel", "Wagner",
)  # fmt: skip
_TRADES = ("Outfitters", "Guides & Co", "Climbing Gym", "Sports", "Travel")
_CITIES = (("Portland", "OR", "97201"), ("Austin", "TX", "78701"), ("Boston", "MA", "02108"), ("Reno", "NV", "89501"))


@dataclass(slots=True)
class Seeding:
    """One list on its way from description to members."""

    account: Account
    audience: Audience
    wanted: dict[str, Any]
    now: int
    chance: random.Random

    def run(self) -> None:
        """Make the members and everything they need."""
        count = int(self.wanted.get("contacts", 0))
        for definition in self.wanted.get("merge_fields", []):
            self._merge_field(definition)
        for title, names in self.wanted.get("interests", {}).items():
            self._interests(title, names)
        statuses = self._statuses(count)
        moments = list(self._moments(count))
        tags = self._tags()
        values = self._value_pools()
        members = [self._member(seq, statuses[seq], moments[seq], values) for seq in range(count)]
        self._hand_out(members, tags)
        _leave(members)
        self.audience.add_many(members)
        self.audience.last_sub = moments[-1] if moments else 0

    def _merge_field(self, definition: dict[str, Any]) -> None:
        more = {name: definition[name] for name in ("required", "options", "public", "help_text") if name in definition}
        if "choices" in definition:
            more["options"] = {"choices": definition["choices"]}
        if self.audience.merge_field(definition["tag"]) is not None:
            # One of those that every list begins with: it only gets values.
            return
        name = definition.get("name", definition["tag"])
        self.audience.add_merge_field(definition["tag"], name, definition.get("type", "text"), **more)

    def _interests(self, title: str, names: list[str]) -> None:
        category = self.audience.add_category(title, "checkboxes")
        for name in names:
            self.audience.add_interest(category, name)

    def _statuses(self, count: int) -> list[str]:
        """As many of each status as its share says, shuffled."""
        shares: dict[str, float] = self.wanted.get("statuses") or DEFAULT_STATUSES
        whole, drawn = sum(shares.values()), list[str]()
        for status, share in shares.items():
            drawn += [status] * round(count * share / whole)
        drawn += [next(iter(shares))] * (count - len(drawn))
        del drawn[count:]
        if len(shares) > 1:
            self.chance.shuffle(drawn)
        return drawn

    def bound(self, name: str, otherwise: int) -> int:
        """A moment of the description, as timestamp or seconds."""
        raw = self.wanted.get(name)
        if raw is None:
            return otherwise
        moment = float(raw) if isinstance(raw, (int, float)) else parse_instant(raw)
        if moment is None:
            raise ValueError(f"{name} is not a timestamp: {raw!r}")
        return int(moment)

    def _moments(self, count: int) -> Iterator[int]:
        """last_changed of each contact: spread evenly, or in groups that share a second."""
        last = self.bound("changed_to", self.now - DAY)
        first = min(self.bound("changed_from", last - 365 * DAY), last)
        groups = self._group_sizes(count)
        for place, size in enumerate(groups):
            second = first + (last - first) * place // max(len(groups) - 1, 1)
            for _ in range(size):
                yield second

    def _group_sizes(self, count: int) -> list[int]:
        ties = self.wanted.get("ties")
        if not ties or ties == "evenly":
            return [1] * count
        low, high = ties["groups"]
        sizes: list[int] = []
        while count > 0:
            sizes.append(min(self.chance.randint(low, high), count))
            count -= sizes[-1]
        return sizes

    def _tags(self) -> list[int]:
        names = list(self.wanted.get("tags", []))
        many = self.wanted.get("contacts_with_many_tags")
        if many:
            numbered = [f"Tag {number:03d}" for number in range(len(names) + 1, int(many["tags"]) + 1)]
            names += many.get("names", numbered)[: int(many["tags"]) - len(names)]
        made = [Segment(next(self.account.segment_ids), name, "static", self.now, self.now) for name in names]
        return [self.audience.add_segment(segment).id for segment in made]

    def _hand_out(self, members: list[Member], tags: list[int]) -> None:
        """Give contacts their tags; sets are drawn from a few and shared, which keeps a million contacts small."""
        many = self.wanted.get("contacts_with_many_tags") or {"count": 0, "tags": 0}
        named = tags[: len(self.wanted.get("tags", []))]
        size = min(int(self.wanted.get("tags_per_contact", 0)), len(named))
        if size:
            added = self.now - DAY
            sets = [dict.fromkeys(self.chance.sample(named, size), added) for _ in range(_TAG_SETS)]
            for member in members:
                member.tags = sets[member.seq % _TAG_SETS]
        for member in members[: int(many["count"])]:
            member.tags = dict.fromkeys(tags[: int(many["tags"])], self.now - DAY)

    def _value_pools(self) -> list[tuple[str, list[Any]]]:
        """For each merge field a pool of values of a length of its own, so that combinations vary."""
        pools = [(field.tag, _pool(field)) for field in self.audience.merge_fields.values()]
        described = {definition["tag"] for definition in self.wanted.get("merge_fields", [])}
        return [(tag, pool) for tag, pool in pools if pool and tag in described | {"FNAME", "LNAME"}]

    def _member(self, seq: int, status: str, moment: int, pools: list[tuple[str, list[Any]]]) -> Member:
        values = {tag: pool[seq % len(pool)] for tag, pool in pools}
        first, last = FIRST_NAMES[seq % len(FIRST_NAMES)], LAST_NAMES[seq % len(LAST_NAMES)]
        domain = self.wanted.get("domain", "contacts.example")
        email = f"{_ASCII[first]}.{_ASCII[last]}.{seq}@{domain}"
        return Member(seq, email, status, moment, values, _NO_TAGS, timestamp_opt=moment, source="Import")


_NO_TAGS: dict[int, int] = {}
_ASCII = {name: "".join(c for c in name.lower() if c.isascii() and c.isalpha()) for name in FIRST_NAMES + LAST_NAMES}


def _pool(field: MergeField) -> list[Any]:
    if field.tag == "FNAME":
        return list(FIRST_NAMES)
    if field.tag == "LNAME":
        return list(LAST_NAMES)
    if field.tag == "COMPANY":
        return [f"{name} {kind}" for kind in _TRADES for name in LAST_NAMES]
    choices = field.options.get("choices", [])
    raw: dict[str, list[Any]] = {
        "text": [f"Note {number}" for number in range(29)],
        "number": [*range(1, 30), 19.5, 290.53],
        "date": [f"20{year:02d}-{1 + year % 12:02d}-14" for year in range(10, 27)],
        "birthday": [f"{month:02d}/{day:02d}" for month in range(1, 13) for day in (3, 17, 28)],
        "phone": [f"503-555-01{number:02d}" for number in range(37)],
        "zip": [f"972{number:02d}" for number in range(41)],
        "url": [f"https://northwind.example/p/{number}" for number in range(43)],
        "imageurl": [f"https://northwind.example/i/{number}.png" for number in range(47)],
        "address": [_street(number) for number in range(53)],
    }
    return [accepted(field, value) for value in raw.get(field.type, choices)]


def _street(number: int) -> dict[str, str]:
    city, state, code = _CITIES[number % len(_CITIES)]
    return {"addr1": f"{number + 1} Harbour Street", "addr2": "", "city": city, "state": state, "zip": code}


def _leave(members: list[Member]) -> None:
    """Give the unsubscribed and the cleaned their reasons: every second unsubscribed left by themselves."""
    for member in members:
        if member.status == "unsubscribed":
            by_self = member.seq % 2 == 0
            member.reason = UNSUBSCRIBED_BY_SELF if by_self else UNSUBSCRIBED_BY_ADMIN
            member.unsubscribed_by = member.compliance = "self" if by_self else ""
            member.unsubscribed_by = member.unsubscribed_by or "admin"
        elif member.status == "cleaned":
            member.compliance = "cleaned"
        elif member.status in ("pending", "transactional"):
            member.timestamp_opt = 0


def seed(account: Account, wanted: dict[str, Any], now: int) -> list[str]:
    """Make the lists of `{"seed": 1, "lists": [{...}]}`; returns their ids."""
    number = int(wanted.get("seed", 1))
    made = []
    # A million new objects would be walked over and over by the collector.
    gc.disable()
    try:
        for place, description in enumerate(wanted.get("lists", [])):
            made.append(_seed_list(account, description, now, random.Random(f"{number}:{place}")))
    finally:
        gc.enable()
    if any(len(account.audiences[list_id].members) > 50_000 for list_id in made):
        gc.collect()
        gc.freeze()
    return made


def _seed_list(account: Account, description: dict[str, Any], now: int, chance: random.Random) -> str:
    if unknown := sorted(set(description) - _LIST_KEYS):
        raise ValueError(f"unknown keys in a list: {', '.join(unknown)}")
    switches = ("double_optin", "marketing_permissions")
    settings: dict[str, Any] = {name: description[name] for name in switches if name in description}
    name = description.get("name", f"Audience {len(account.audiences) + 1}")
    audience = account.new_audience(name, now - 400 * DAY, settings, description.get("id"))
    seeding = Seeding(account, audience, description, now, chance)
    audience.date_created = seeding.bound("date_created", now - 400 * DAY)
    seeding.run()
    return audience.id
