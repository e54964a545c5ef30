"""What an audience holds: members, merge fields, segments (tags among them) and interests."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import md5
from typing import Any

# A rank is a second and, below it, the member's number: it sorts by last_changed and keeps ties in a stable order.
RANK_BITS = 32


def subscriber_hash(email: str) -> str:
    """The MD5 of the lower-case address, the id of a member.

    Public source: https://mailchimp.com/developer/marketing/docs/methods-parameters/#path-parameters
    """
    return md5(email.lower().encode(), usedforsecurity=False).hexdigest()


def stable_hex(text: str, digits: int) -> str:
    """Hex digits that are the same in every run for the same text."""
    return md5(text.encode(), usedforsecurity=False).hexdigest()[:digits]


class Member:
    """One contact of one audience. `rank` and `fragment` are kept in step by the audience alone."""

    __slots__ = (
        "added_at",
        "compliance",
        "email",
        "email_type",
        "fragment",
        "id",
        "ip_opt",
        "last_changed",
        "merge_fields",
        "rank",
        "rarities",
        "reason",
        "seq",
        "source",
        "status",
        "tags",
        "timestamp_opt",
        "timestamp_signup",
        "unsubscribed_by",
    )

    def __init__(
        self,
        seq: int,
        email: str,
        status: str,
        last_changed: int,
        merge_fields: dict[str, Any],
        tags: dict[int, int],
        *,
        timestamp_opt: int = 0,
        source: str = "API - Generic",
    ) -> None:
        self.seq = seq
        self.id = subscriber_hash(email)
        self.email = email
        self.status = status
        self.last_changed = last_changed
        self.rank = last_changed << RANK_BITS | seq
        self.merge_fields = merge_fields
        self.tags = tags
        self.added_at = last_changed
        self.timestamp_opt = timestamp_opt
        self.timestamp_signup = 0
        self.ip_opt = ""
        self.email_type = "html"
        self.source = source
        self.unsubscribed_by = ""
        self.reason = ""
        # Why the API may not subscribe this contact: "" (it may), "self" or "cleaned".
        self.compliance = ""
        # What few contacts have: language, vip, ip_signup, location, interests, marketing_permissions.
        self.rarities: dict[str, Any] | None = None
        self.fragment: bytes | None = None

    @property
    def unique_email_id(self) -> str:
        """Ten hex digits that belong to the email address in every audience."""
        return stable_hex(f"unique:{self.email.lower()}", 10)

    def rare(self, name: str, default: Any) -> Any:
        """Something that few contacts have."""
        return default if self.rarities is None else self.rarities.get(name, default)

    def set_rare(self, name: str, setting: Any) -> None:
        """Set something that few contacts have."""
        self.rarities = {**(self.rarities or {}), name: setting}


@dataclass(slots=True)
class MergeField:
    """A field of an audience; see https://mailchimp.com/developer/marketing/api/list-merges/ for each key."""

    merge_id: int
    tag: str
    name: str
    type: str
    required: bool = False
    default_value: str = ""
    public: bool = True
    display_order: int = 0
    options: dict[str, Any] = field(default_factory=dict)
    help_text: str = ""

    def default_options(self) -> dict[str, Any]:
        """The options Mailchimp fills in for the type."""
        by_type: dict[str, dict[str, Any]] = {
            "text": {"size": 25},
            "address": {"default_country": 164},
            "phone": {"phone_format": "none"},
            "date": {"date_format": "MM/DD/YYYY"},
            "birthday": {"date_format": "MM/DD"},
            "radio": {"choices": []},
            "dropdown": {"choices": []},
        }
        return by_type.get(self.type, {})


@dataclass(slots=True)
class Segment:
    """A saved segment, or a static one, which is a tag.

    Public source: https://mailchimp.com/developer/marketing/api/list-segments/
    """

    id: int
    name: str
    type: str
    created_at: int
    updated_at: int
    options: dict[str, Any] | None = None


@dataclass(slots=True)
class Interest:
    """One interest of a group."""

    id: str
    name: str
    display_order: int


@dataclass(slots=True)
class InterestCategory:
    """A group of interests; see https://mailchimp.com/developer/marketing/api/interest-categories/ for each key."""

    id: str
    title: str
    type: str
    display_order: int
    interests: dict[str, Interest] = field(default_factory=dict)
