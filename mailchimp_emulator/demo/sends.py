"""Who was sent which campaign, and what each of them did: the facts that campaigns and reports tell."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from mailchimp_emulator.account import Account
from mailchimp_emulator.audience import Audience
from mailchimp_emulator.demo.serving import DAY, HOUR
from mailchimp_emulator.models import Member, stable_hex

_AGENTS = ("203.0.113.7", "198.51.100.23", "203.0.113.88", "192.0.2.41")
_OPENS, _CLICKS, _BOUNCES = 0.38, 0.24, 0.012
MOST_LEAVERS = 3
# Title, subject, preview, audience by name, tag of the recipients, days ago, pages linked to.
_CAMPAIGNS = (
    ("Welcome to Trail Notes", "Your first Trail Notes", "Three walks to begin with", "Trail Notes Newsletter", "Reader", 320, ("trails/forest-park", "about")),
    ("Spring gear guide", "What to pack when the snow melts", "Layers, boots and one good map", "Northwind Customers", "Hiking", 214, ("p/alpine-tent", "p/rain-shell")),
    ("Spring fair invitation", "You are invited: the spring fair", "Saturday, ten to four, on the pier", "Event Guests", "Spring fair", 190, ("events/spring-fair",)),
    ("Climbing week", "A week on the wall", "Ropes and harnesses at 15% off", "Northwind Customers", "Climbing", 121, ("p/rope-60", "p/harness")),
    ("Trail Notes, June", "Five lakes you can walk to", "And a recipe for the stove", "Trail Notes Newsletter", "Reader", 96, ("trails/blue-pool", "trails/crater-rim", "p/camp-stove")),
    ("Early access for our best customers", "You see it first", "The autumn catalog, a week early", "Northwind Customers", "VIP", 45, ("catalog/autumn", "p/down-jacket")),
    ("Trail Notes, autumn", "Larches, and where to find them", "Ten days of gold", "Trail Notes Newsletter", "Contributor", 17, ("trails/eagle-creek", "trails/smith-rock")),
    ("Wholesale price list", "New prices from next month", "For our partners", "Northwind Customers", "Wholesale", 6, ("wholesale/prices",)),
)  # fmt: skip


@dataclass(slots=True)
class Receipt:
    """One email of a campaign: to whom, whether it bounced, when it was opened, what was clicked when."""

    member: Member
    bounced: bool = False
    opened: list[tuple[int, str]] = field(default_factory=list)
    clicked: list[tuple[int, str, str]] = field(default_factory=list)
    left_at: int = 0


@dataclass(slots=True)
class Send:
    """A campaign that was sent."""

    id: str
    number: int
    title: str
    subject: str
    preview: str
    audience: Audience
    tag_id: int
    tag: str
    at: int
    urls: list[str]
    receipts: list[Receipt]


def sent(account: Account, now: int) -> list[Send]:
    """All campaigns of the demo, the oldest first; the same for the same audiences and the same now."""
    by_name = {audience.name: audience for audience in account.audiences.values()}
    sends = []
    for number, (title, subject, preview, name, tag, days, pages) in enumerate(_CAMPAIGNS):
        audience, at = by_name[name], (now // DAY - days) * DAY + 15 * HOUR
        segment = audience.tag(tag)
        assert segment is not None, f"the demo has no tag {tag}"
        urls = [f"https://northwind.example/{page}" for page in pages]
        chance = random.Random(f"send:{number}")
        receipts = [_receipt(member, at, now, urls, chance) for member in _recipients(audience, segment.id)]
        sends.append(
            Send(stable_hex(f"campaign:{number}", 10), number, title, subject, preview, audience, segment.id, tag, at, urls, receipts)
        )
    return sends


def _recipients(audience: Audience, tag: int) -> list[Member]:
    """Who is subscribed, and a few who left because of this campaign."""
    tagged = audience.tagged(tag)
    leavers = [member for member in tagged if member.status == "unsubscribed" and member.unsubscribed_by == "self"]
    return [member for member in tagged if member.status == "subscribed"] + leavers[:MOST_LEAVERS]


def _receipt(member: Member, at: int, now: int, urls: list[str], chance: random.Random) -> Receipt:
    receipt = Receipt(member, bounced=member.status == "subscribed" and chance.random() < _BOUNCES)
    leaves = member.status == "unsubscribed"
    if receipt.bounced or not (leaves or chance.random() < _OPENS):
        return receipt
    moments = [min(at + int(chance.expovariate(1 / (9 * HOUR))) + 60, now - 60) for _ in range(1 + (chance.random() < 0.3))]
    ip = chance.choice(_AGENTS)
    receipt.opened = [(moment, ip) for moment in sorted(moments)]
    first = receipt.opened[0][0]
    if leaves:
        receipt.left_at = min(first + 40, now - 30)
    elif chance.random() < _CLICKS:
        receipt.clicked = [(min(first + 20 + 15 * place, now - 30), url, ip) for place, url in enumerate(chance.sample(urls, 1))]
    return receipt
