"""A record that changes nothing is found, and one that would change anything never is, by the rules by which the emulator stores."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from destination_mailchimp_unified.audience.audience import Audience, Tag
from destination_mailchimp_unified.audience.comparison import MOST_WORDS
from destination_mailchimp_unified.audience.statuses import Statuses
from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.intake.arrivals import Arrival, Entry
from destination_mailchimp_unified.intake.contact import MappedContact
from destination_mailchimp_unified.planning.changes import Change, change_of
from destination_mailchimp_unified.planning.compared import changes_nothing, comparison_for
from destination_mailchimp_unified.planning.plan import plan, route
from destination_mailchimp_unified.planning.tags import delta, is_managed
from mailchimp_emulator.account import Account
from mailchimp_emulator.audience import Audience as Stored
from mailchimp_emulator.behavior import Behavior
from mailchimp_emulator.member_shapes import member_object
from mailchimp_emulator.problems import Problem
from mailchimp_emulator.writes import Writer
from mailchimp_unified.entities.contact_fields import read_field
from mailchimp_unified.entities.merge_field import InvalidValueError, merge_field_of

Json = dict[str, Any]

EMAIL = "Ada@contacts.example"
FIELDS: list[tuple[str, str, Json]] = [
    ("LTV", "number", {}),
    ("JOINED", "date", {}),
    ("USPHONE", "phone", {"phone_format": "US"}),
    ("ZIP", "zip", {}),
    ("SIZE", "dropdown", {"choices": ["Small", "Large"]}),
    ("SITE", "url", {}),
]
GROUPS = ["i1", "i2"]


def config(**options: Any) -> DestinationConfig:
    """A configuration with options."""
    return DestinationConfig.model_validate({"credentials": {"auth_type": "oauth2.0", "access_token": "t"}, **options})


class Mailchimp:
    """One contact in the emulator, and the audience as the destination knows it."""

    def __init__(self, **options: Any) -> None:
        self.config = config(**options)
        self.stored = Stored("a1", 1, "A", 0, {"marketing_permissions": True})
        for tag, kind, more in FIELDS:
            self.stored.add_merge_field(tag, tag, kind, options=more)
        category = self.stored.add_category("Topics", "checkboxes")
        self.groups = [self.stored.add_interest(category, name).id for name in GROUPS]
        self.writer = Writer(Account(), self.stored, Behavior(), 100)
        self.member = self.writer.insert({"email_address": EMAIL, "merge_fields": {}}, "subscribed")
        definitions = [
            {"tag": one.tag, "type": one.type, "options": {**one.default_options(), **one.options}}
            for one in self.stored.merge_fields.values()
        ]
        fields = {str(one["tag"]): merge_field_of(one) for one in definitions}
        self.audience = Audience("a1", known=True, listed_whole=True, merge_fields=fields, tags={})

    def shown(self) -> Json:
        """The contact as a listing shows it."""
        return member_object(self.stored, self.member, self.stored.merge_tags())

    def change(self, columns: Json) -> Change:
        """What a record wants. Raises InvalidValueError."""
        unified = {name: read_field(name, value) for name, value in columns.items()}
        found = change_of(Arrival(Entry((None, "s"), 0, 1), MappedContact({"email": EMAIL, **unified})), self.audience, self.config)
        assert isinstance(found, Change)
        return found

    def apply(self, change: Change) -> None:
        """Write a change as the destination would: in bulk with the email address as it is spelled, or without it."""
        body = dict(change.body)
        if route(change, self.audience, self.config) != "update":
            del body["email_address"]
        self.writer.amend(self.member, body, None)
        names = [str(row["name"]) for row in self.shown()["tags"]]
        edits = delta(change.tagging, names, is_managed(self.config.managed_tags))
        self.writer.tag(self.member, edits.add)
        self.writer.untag(self.member, edits.remove)

    def read(self, changes: Sequence[Change]) -> None:
        """Read the contact, to be compared with what these changes want."""
        comparison = comparison_for(changes, self.audience, self.config, None)
        assert comparison.words <= MOST_WORDS
        self.audience.begin_to_know(comparison)
        member = self.shown()
        self.audience.note_member({name: member[name] for name in ("id", "status", *comparison.shown) if name in member})
        self.audience.tags = {name: Tag(name, 1) for name in ("vip", "leads", "m:1", "m:2", "z")}
        self.audience.is_compared = True

    def differs(self, change: Change) -> bool:
        """Whether a change would be written."""
        return not changes_nothing(change, self.audience, self.config)

    def give(self, status: str) -> None:
        """Set the status of the contact, as if somebody did it in Mailchimp."""
        self.stored.changed(self.member, self.member.last_changed, status)

    def truth(self) -> Json:
        """What of the contact a record can change."""
        return {name: value for name, value in self.shown().items() if name != "last_changed"}


SPELLINGS: list[tuple[Json, Json]] = [
    ({"first_name": "Ada"}, {"first_name": "Ada", "last_name": None}),
    ({"first_name": 12}, {"first_name": 12.0}),
    ({"custom_fields": {"LTV": 5}}, {"custom_fields": {"LTV": "5"}}),
    ({"custom_fields": {"LTV": 5.0}}, {"custom_fields": {"LTV": "5.0"}}),
    ({"custom_fields": {"LTV": "15.50"}}, {"custom_fields": {"ltv": 15.5}}),
    ({"custom_fields": {"JOINED": "2026-01-31"}}, {"custom_fields": {"JOINED": "01/31/2026"}}),
    ({"custom_fields": {"JOINED": "2026-01-31T10:00:00Z"}}, {"custom_fields": {"JOINED": "Jan 31, 2026"}}),
    ({"custom_fields": {"BIRTHDAY": "01/31"}}, {"custom_fields": {"BIRTHDAY": "1980-01-31"}}),
    ({"custom_fields": {"USPHONE": "404-555-0100"}}, {"custom_fields": {"USPHONE": "+1 (404) 5550100"}}),
    ({"phones": "+44 20 7946 0000"}, {"custom_fields": {"PHONE": "+44 20 7946 0000"}}),
    ({"custom_fields": {"ZIP": 1234}}, {"custom_fields": {"ZIP": "01234"}}),
    ({"custom_fields": {"SIZE": "small"}}, {"custom_fields": {"SIZE": "SMALL"}}),
    ({"custom_fields": {"SITE": ""}}, {"custom_fields": {"SITE": None}}),
    (
        {"addresses": [{"street_1": "1 Main St", "city": "Portland", "state": "OR", "postal_code": "97201"}]},
        {
            "custom_fields": {
                "ADDRESS": {"addr1": "1 Main St", "addr2": "", "city": "Portland", "state": "OR", "zip": 97201, "country": "US"}
            }
        },
    ),
    ({"vip": "yes", "language": "de", "email_type": "TEXT"}, {"vip": True, "language": "de", "email_type": "text"}),
    ({"vip": False}, {"vip": "no"}),
    ({"location": {"latitude": 45.5, "longitude": -122}}, {"location": '{"latitude": 45.5, "longitude": -122.0}'}),
    ({"timestamp_opt": "2026-01-31 12:00:00"}, {"timestamp_opt": "2026-01-31T13:00:00+01:00"}),
    ({"ip_opt": "203.0.113.9"}, {"ip_opt": "203.0.113.9"}),
    ({"tags": ["VIP", "Leads"]}, {"tags": "leads, vip"}),
    ({"tags": ["VIP"]}, {"tags": ["vip"], "tags_to_remove": ["Gone"], "first_name": None}),
    ({"interests": ["i1"]}, {"interests": {"i1": True, "i2": False}}),
]


def named(columns: Json, mailchimp: Mailchimp) -> Json:
    """Columns with the ids of interests."""
    interests = columns.get("interests")
    ids = dict(zip(GROUPS, mailchimp.groups, strict=True))
    if isinstance(interests, list):
        return {**columns, "interests": [ids[name] for name in interests]}
    return {**columns, "interests": {ids[name]: on for name, on in interests.items()}} if interests else columns


@pytest.mark.parametrize("status", ["subscribed", "unsubscribed", "archived"])
@pytest.mark.parametrize(("stored", "sent"), SPELLINGS)
def test_values_are_compared_as_they_are_stored(stored: Json, sent: Json, status: str) -> None:
    """A value written in one spelling is unchanged in the same spelling and in others, regardless of the contact's status."""
    mailchimp = Mailchimp()
    first, second = (mailchimp.change(named(columns, mailchimp)) for columns in (stored, sent))
    mailchimp.apply(first)
    mailchimp.give(status)
    mailchimp.read([second])
    assert not mailchimp.differs(second)
    mailchimp.read([first])
    assert not mailchimp.differs(first)


DIFFERENCES: list[tuple[Json, Json]] = [
    ({"first_name": "Ada"}, {"first_name": "ada"}),
    ({"first_name": "Ada"}, {"first_name": "Ada "}),
    ({"custom_fields": {"LTV": 5}}, {"custom_fields": {"LTV": 5.01}}),
    ({"custom_fields": {"LTV": 2**60}}, {"custom_fields": {"LTV": 2**60 + 1}}),
    ({"custom_fields": {"JOINED": "2026-01-31"}}, {"custom_fields": {"JOINED": "2026-01-30"}}),
    ({"custom_fields": {"USPHONE": "4045550100"}}, {"custom_fields": {"USPHONE": "4045550101"}}),
    (
        {"custom_fields": {"ADDRESS": {"addr1": "1 Main St", "addr2": "Flat 2", "city": "P", "state": "OR", "zip": "97201"}}},
        {"custom_fields": {"ADDRESS": {"addr1": "1 Main St", "city": "P", "state": "OR", "zip": "97201"}}},
    ),
    ({"vip": True}, {"vip": False}),
    ({"tags": ["VIP"]}, {"tags": ["VIP", "New"]}),
    ({"tags": ["VIP"]}, {"tags_to_remove": ["vip"]}),
    ({"interests": ["i1"]}, {"interests": {"i1": False}}),
]


@pytest.mark.parametrize(("stored", "sent"), DIFFERENCES)
def test_what_differs_is_written(stored: Json, sent: Json) -> None:
    """A single difference is enough."""
    mailchimp = Mailchimp()
    mailchimp.apply(mailchimp.change(named(stored, mailchimp)))
    second = mailchimp.change(named(sent, mailchimp))
    mailchimp.read([second])
    assert mailchimp.differs(second)


WORDS = st.sampled_from(["Ada", "ada", "Ada ", "", "5", "Ä"])
CUSTOM = st.fixed_dictionaries(
    {},
    optional={
        "LTV": st.sampled_from([5, 5.0, "5", "5.00", 5.5, "-0", 0, None, 2**60]),
        "JOINED": st.sampled_from(["2026-01-31", "31-01-2026", "2026-02-01", None]),
        "BIRTHDAY": st.sampled_from(["01/31", "1/31", "2000-01-31", "02/01"]),
        "USPHONE": st.sampled_from(["4045550100", "(404) 555-0100", "1-404-555-0101"]),
        "ZIP": st.sampled_from([1234, "01234", "97201"]),
        "SIZE": st.sampled_from(["Small", "small", "LARGE"]),
        "ADDRESS": st.fixed_dictionaries(
            {"addr1": WORDS, "city": st.just("P"), "state": st.sampled_from(["OR", "WA"]), "zip": st.sampled_from(["97201", 97201])},
            optional={"addr2": st.sampled_from(["", "Flat", None]), "country": st.sampled_from(["US", "GB", "", None])},
        ),
    },
)
TAGS = st.lists(st.sampled_from(["VIP", "vip", "Leads", "m:1", "M:2", "Z"]), max_size=3)
COLUMNS = st.fixed_dictionaries(
    {},
    optional={
        "email": st.sampled_from([EMAIL, EMAIL.lower(), EMAIL.upper()]),
        "first_name": WORDS,
        "last_name": WORDS,
        "custom_fields": CUSTOM,
        "language": st.sampled_from(["en", "de"]),
        "vip": st.booleans(),
        "email_type": st.sampled_from(["html", "text"]),
        "location": st.sampled_from([{"latitude": 1, "longitude": 2.0}, {"latitude": 1.0}, {"latitude": 0, "longitude": 0}]),
        "ip_signup": st.sampled_from(["203.0.113.9", "203.0.113.8"]),
        "timestamp_signup": st.sampled_from(["2026-01-31", "2026-01-31T00:00:00Z", "2026-02-01T01:00:00+01:00"]),
        "interests": st.sampled_from([["i1"], {"i1": False, "i2": True}, {"i2": False}]),
        "tags": TAGS,
        "tags_to_remove": TAGS,
    },
)
OPTIONS = st.sampled_from(
    [{}, {"empty_values": "clear"}, {"tag_mode": "replace", "managed_tags": ["m:*"]}, {"tag_mode": "replace", "managed_tags": ["*"]}]
)
STATUS = st.sampled_from(["subscribed", "unsubscribed", "pending", "archived"])


def wanted(mailchimp: Mailchimp, columns: list[Json]) -> list[Change]:
    """What records want, those left out that the destination refuses."""
    found = []
    for one in columns:
        try:
            found.append(mailchimp.change(named(one, mailchimp)))
        except InvalidValueError:
            continue
    return found


@settings(max_examples=600, deadline=None)
@given(OPTIONS, st.lists(COLUMNS, max_size=3), st.lists(COLUMNS, min_size=1, max_size=4), COLUMNS, STATUS)
def test_what_would_change_anything_is_never_unchanged(
    options: Json, before: list[Json], came: list[Json], sent: Json, status: str
) -> None:
    """Whichever records the comparison was made for, a record is unchanged only where writing it changes nothing."""
    mailchimp = Mailchimp(**options)
    for one in wanted(mailchimp, before):
        try:
            mailchimp.apply(one)
        except Problem:
            continue
    mailchimp.give(status)
    changes = wanted(mailchimp, [*came, sent])
    mailchimp.read(changes)
    truth = mailchimp.truth()
    for change in changes:
        if mailchimp.differs(change):
            continue
        try:
            mailchimp.apply(change)
        except Problem:
            continue
        assert mailchimp.truth() == truth


@settings(max_examples=300, deadline=None)
@given(OPTIONS, COLUMNS, STATUS)
def test_a_record_that_was_written_is_unchanged(options: Json, columns: Json, status: str) -> None:
    """A record that is applied and read back differs in nothing."""
    mailchimp = Mailchimp(**options)
    for change in wanted(mailchimp, [columns]):
        mailchimp.read([change])
        try:
            mailchimp.apply(change)
        except Problem:
            return
        mailchimp.give(status)
        mailchimp.read([change])
        assert not mailchimp.differs(change) or mailchimp.member.email != change.body["email_address"]


def test_records_that_fill_different_fields_are_compared_by_what_they_fill() -> None:
    """A blank leaves its field alone, so what Mailchimp has there is no difference, as long as the fields fit the words."""
    mailchimp = Mailchimp()
    full, some = mailchimp.change({"first_name": "Ada", "phones": "1", "tags": ["VIP"]}), mailchimp.change({"first_name": "Ada"})
    mailchimp.apply(full)
    mailchimp.read([full, some])
    assert not mailchimp.differs(full)
    assert not mailchimp.differs(some)
    assert mailchimp.differs(mailchimp.change({"first_name": "Ada", "language": "de"}))


def test_a_contact_with_more_tags_than_are_shown_is_written() -> None:
    """Mailchimp shows the first fifty tags of a contact: of one with more nobody knows what it lacks."""
    mailchimp = Mailchimp()
    change, untagged = mailchimp.change({"tags": ["T1"]}), mailchimp.change({"first_name": None})
    for count, differs in ((50, False), (51, True)):
        mailchimp.writer.tag(mailchimp.member, [f"T{number}" for number in range(count)])
        mailchimp.read([change, untagged])
        assert mailchimp.differs(change) == differs
        assert not mailchimp.differs(untagged)


@pytest.mark.parametrize("options", [{}, {"tag_mode": "replace", "managed_tags": ["t*"]}])
def test_more_tags_than_bits_are_compared_as_a_whole(options: Json) -> None:
    """Of a table with very many tags a contact is unchanged that has exactly those of them that its record names."""
    mailchimp = Mailchimp(**options)
    everybody = [mailchimp.change({"tags": [f"T{number}"]}) for number in range(100)]
    mailchimp.apply(everybody[90])
    mailchimp.writer.tag(mailchimp.member, ["By hand"])
    mailchimp.read(everybody)
    assert [number for number, change in enumerate(everybody) if not mailchimp.differs(change)] == [90]
    assert mailchimp.differs(mailchimp.change({"tags": ["Nobody knows"]}))


ODD: list[Json] = [
    {"merge_fields": None},
    {"merge_fields": []},
    {"merge_fields": {"LNAME": "L"}},
    {"tags": None},
    {"tags_count": 2},
    {"email_address": None},
]


@pytest.mark.parametrize("odd", ODD)
def test_what_a_listing_does_not_show_is_written(odd: Json) -> None:
    """A contact that is shown without a field is not compared by it."""
    mailchimp = Mailchimp()
    change = mailchimp.change({"first_name": "Ada", "tags": ["VIP"]})
    mailchimp.apply(change)
    mailchimp.read([change])
    assert not mailchimp.differs(change)
    mailchimp.audience.note_member({**mailchimp.shown(), **odd})
    assert mailchimp.differs(change)


def test_who_was_written_is_compared_no_more() -> None:
    """A listing that was asked for before a call may come after it."""
    mailchimp = Mailchimp()
    change = mailchimp.change({"first_name": "Ada"})
    mailchimp.apply(change)
    mailchimp.read([change])
    mailchimp.audience.note_written(change.id)
    assert mailchimp.differs(change)
    mailchimp.audience.note_member(mailchimp.shown())
    assert mailchimp.differs(change)


ROUTED: list[tuple[Json, Json, str]] = [
    ({"is_deleted": True}, {}, "subscribed"),
    ({"status": "unsubscribed"}, {"apply_status": "opt_outs"}, "unsubscribed"),
    ({"status": "unsubscribed"}, {"apply_status": "opt_outs"}, "subscribed"),
    ({"status": "subscribed"}, {"apply_status": "always"}, "unsubscribed"),
    ({}, {"restore_archived": True}, "archived"),
    ({"previous_email": "old@contacts.example"}, {}, "subscribed"),
    ({"tags_to_remove": ["never seen"]}, {}, "subscribed"),
]


@pytest.mark.parametrize(("columns", "options", "status"), ROUTED)
def test_what_is_about_more_than_fields_goes_by_a_call(columns: Json, options: Json, status: str) -> None:
    """Deletions, statuses to apply, new email addresses and the way back from the archive are never decided by what was read."""
    mailchimp = Mailchimp(**options)
    change = mailchimp.change(columns)
    mailchimp.give(status)
    mailchimp.read([change])
    assert mailchimp.differs(change)


AS_IT_IS: list[tuple[Json, Json, str]] = [
    ({"status": "unsubscribed"}, {}, "subscribed"),
    ({"status": "subscribed"}, {"apply_status": "always"}, "subscribed"),
    ({}, {"apply_status": "opt_outs"}, "unsubscribed"),
    ({}, {"apply_status": "always"}, "archived"),
    ({}, {"restore_archived": True}, "unsubscribed"),
    ({"is_deleted": False}, {}, "subscribed"),
    ({"tags_to_remove": ["Z"]}, {}, "subscribed"),
]


@pytest.mark.parametrize(("columns", "options", "status"), AS_IT_IS)
def test_a_record_with_nothing_to_apply_is_compared(columns: Json, options: Json, status: str) -> None:
    """A status that is not applied, or the one that is there, and the removal of a known tag are decided by what was read."""
    mailchimp = Mailchimp(**options)
    change = mailchimp.change(columns)
    mailchimp.give(status)
    mailchimp.read([change])
    assert not mailchimp.differs(change)


def test_who_comes_behind_what_changes_nothing_is_written() -> None:
    """Each change for itself: nothing of the others is lost with it."""
    mailchimp = Mailchimp()
    same, other = mailchimp.change({"first_name": None}), mailchimp.change({"email": "ben@contacts.example", "first_name": "Ben"})
    mailchimp.read([same, other])
    made = plan([same, other], mailchimp.audience, mailchimp.config, 2)

    assert made.unchanged == [same]
    assert [change for batch in made.batches for change in batch.changes] == [other]


def test_who_is_known_too_little_is_written() -> None:
    """Nothing to compare by, a contact that no listing has, and one that is only to be created."""
    mailchimp = Mailchimp()
    change = mailchimp.change({"first_name": None})
    assert mailchimp.differs(change)
    mailchimp.read([change])
    assert not mailchimp.differs(change)
    change.new_only = True
    assert mailchimp.differs(change)
    assert mailchimp.differs(mailchimp.change({"email": "nobody@contacts.example"}))


@pytest.mark.parametrize(("status", "differs"), [("subscribed", True), ("unsubscribed", False)])
def test_another_spelling_of_the_email_address_is_written_in_bulk_alone(status: str, differs: bool) -> None:
    """A call of its own keeps the spelling that is there."""
    mailchimp = Mailchimp()
    mailchimp.stored.changed(mailchimp.member, mailchimp.member.last_changed, status)
    mailchimp.member.email = EMAIL.lower()
    change = mailchimp.change({"first_name": None})
    mailchimp.read([change])
    assert mailchimp.differs(change) is differs


def test_a_contact_takes_forty_bytes_at_most() -> None:
    """Status, half of the id and three words of a contact, with everything that finds them, measured."""
    contacts = 200_000
    tracemalloc.start()
    try:
        table = Statuses(MOST_WORDS, contacts)
        for number in range(contacts):
            table.put(f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}{'0' * 16}", "subscribed", (1, 2, 3))
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(table) == contacts
    assert taken / contacts <= 40
