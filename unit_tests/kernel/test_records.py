"""Whole records, as they come out: what each property is made of, and what is null."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from mailchimp_unified.entities import audience, contact, tag, user
from mailchimp_unified.entities.entity import nested, or_null, rfc3339, strict_timestamp, timestamp
from mailchimp_unified.entities.merge_field import merge_field_of
from mailchimp_unified.entities.rows import member_of
from mailchimp_unified.identity import subscriber_hash

Json = dict[str, Any]

TIME, SPACED = "2026-01-31T12:00:00+00:00", "2026-01-31 12:00:00"

DEFINITION: Json = {
    "merge_id": 4, "tag": "PHONE", "name": "Phone Number", "type": "phone", "required": True, "public": False, "default_value": "none",
    "help_text": "a number", "display_order": 5, "list_id": "a",
    "options": {"size": 25, "phone_format": "US", "choices": ["x"], "date_format": "MM/DD/YYYY", "default_country": 164},
}  # fmt: skip

AUDIENCE: Json = {
    "id": "a", "web_id": 7, "name": "Shop", "date_created": SPACED, "list_rating": 3, "double_optin": True, "marketing_permissions": True,
    "visibility": "pub", "permission_reminder": "You bought", "subscribe_url_short": "https://s.example", "subscribe_url_long": "https://l.example",
    "contact": {"company": "Shop", "address2": ""},
    "campaign_defaults": {"from_name": "Ada", "from_email": "ada@shop.test", "subject": "News", "language": "en"},
    "stats": {
        "member_count": 10, "unsubscribe_count": 2, "cleaned_count": 3, "campaign_count": 4, "campaign_last_sent": TIME,
        "last_sub_date": TIME, "last_unsub_date": SPACED, "open_rate": 12.5, "click_rate": 0.5,
    },
}  # fmt: skip

MEMBER: Json = {
    "id": "i" * 32, "list_id": "a", "contact_id": "c", "unique_email_id": "u", "web_id": 1, "email_address": "Ada@shop.test",
    "full_name": "Ada L", "status": "archived", "tags": [{"id": 1, "name": "VIP"}], "tags_count": 2, "interests": {"g": True}, "language": "en",
    "vip": True, "email_type": "html", "consents_to_one_to_one_messaging": True, "sms_phone_number": "+1", "sms_subscription_status": "pending",
    "sms_subscription_last_updated": SPACED, "ip_signup": "192.0.2.1", "timestamp_signup": "2026-01-01 00:00:00", "ip_opt": "192.0.2.2",
    "timestamp_opt": "2026-01-02 00:00:00", "source": "Import", "member_rating": 4, "email_client": "Gmail", "unsubscribe_reason": "spam",
    "last_changed": "2026-01-03 00:00:00", "merge_fields": {"FNAME": "Ada", "LNAME": "L", "PHONE": "555"},
    "last_note": {"note": ""}, "stats": {"avg_open_rate": 0.5}, "location": {"latitude": 1.5, "region": ""},
    "marketing_permissions": [{"marketing_permission_id": "p", "text": ""}],
}  # fmt: skip


def test_a_whole_audience() -> None:
    """Each property comes from its own place."""
    assert audience.from_mailchimp(AUDIENCE, [DEFINITION]) == {
        "id": "a", "web_id": 7, "name": "Shop", "type": "audience", "created_at": TIME, "member_count": 10, "unsubscribed_count": 2,
        "cleaned_count": 3, "campaign_count": 4, "campaign_last_sent": TIME, "last_subscribed_at": TIME, "last_unsubscribed_at": TIME,
        "open_rate": 12.5, "click_rate": 0.5, "double_optin": True, "marketing_permissions_enabled": True, "list_rating": 3,
        "visibility": "pub", "permission_reminder": "You bought", "default_from_name": "Ada", "default_from_email": "ada@shop.test",
        "default_subject": "News", "default_language": "en", "contact": {"company": "Shop", "address2": None},
        "subscribe_url_short": "https://s.example", "subscribe_url_long": "https://l.example", "is_deleted": False,
        "merge_fields": [
            {
                "merge_id": 4, "tag": "PHONE", "name": "Phone Number", "type": "phone", "required": True, "public": False,
                "default_value": "none", "help_text": "a number", "display_order": 5, "choices": ["x"], "date_format": "MM/DD/YYYY",
                "phone_format": "US", "default_country": 164, "size": 25,
            }
        ],
    }  # fmt: skip


@pytest.mark.parametrize("empty", [{}, {"contact": {}, "stats": "", "campaign_defaults": None}, {"contact": "x", "stats": []}])
def test_an_audience_of_which_nothing_is_told(empty: Json) -> None:
    """Everything is null, but for what is always so; no definition, no merge fields."""
    found = audience.from_mailchimp(empty, [])

    assert {name: value for name, value in found.items() if value is not None} == {
        "type": "audience",
        "merge_fields": [],
        "is_deleted": False,
    }


def test_the_order_of_merge_fields_is_no_change() -> None:
    """They are sorted by number, those without one before all others and as they came."""
    definitions: list[Json] = [
        {"merge_id": 2},
        {"merge_id": 0},
        {"tag": "A"},
        {"merge_id": 1},
        {"merge_id": "x", "tag": "B"},
        {"merge_id": 10},
    ]

    found = audience.from_mailchimp({}, definitions)["merge_fields"]

    assert [(one["merge_id"], one["tag"]) for one in found] == [(0, None), (None, "A"), ("x", "B"), (1, None), (2, None), (10, None)]


def test_a_merge_field_as_far_as_values_depend_on_it() -> None:
    """What a definition does not say has a default: a text that nobody has to fill in."""
    known = merge_field_of(DEFINITION)
    plain = merge_field_of({"tag": "X", "type": "", "name": None, "options": {"choices": None}})

    assert (known.tag, known.type, known.name, known.required) == ("PHONE", "phone", "Phone Number", True)
    assert (known.choices, known.phone_format, known.default_country) == (("x",), "US", 164)
    assert (plain.tag, plain.type, plain.name, plain.required) == ("X", "text", "", False)
    assert (plain.choices, plain.phone_format, plain.default_country) == ((), "", None)
    assert merge_field_of({"tag": "X"}) == plain == type(plain)("X", "text")


def test_a_whole_tag() -> None:
    """Each property comes from its own, the list from the request."""
    segment = {"id": 1, "name": "VIP", "type": "static", "member_count": 2, "created_at": SPACED, "updated_at": TIME, "list_id": "other"}

    assert tag.from_mailchimp(segment, "a") == {
        "id": 1, "list_id": "a", "name": "VIP", "type": "static", "member_count": 2, "created_at": TIME, "updated_at": TIME, "is_deleted": False,
    }  # fmt: skip


ACCOUNT: Json = {
    "account_id": "acc", "login_id": "log", "account_name": "Shop", "email": "ada@shop.test", "first_name": "Ada", "last_name": "L",
    "username": "ada", "avatar_url": "https://a.example", "role": "owner", "member_since": SPACED, "pricing_plan_type": "monthly",
    "account_timezone": "UTC", "account_industry": "Retail", "contact": {"company": "Shop Inc"}, "last_login": TIME, "total_subscribers": 5,
}  # fmt: skip


def test_a_whole_user() -> None:
    """Each property comes from its own place."""
    assert user.from_mailchimp(ACCOUNT) == {
        "id": "log", "account_id": "acc", "account_name": "Shop", "name": "Ada L", "first_name": "Ada", "last_name": "L", "username": "ada",
        "email": "ada@shop.test", "role": "owner", "timezone": "UTC", "avatar_url": "https://a.example", "company": "Shop Inc",
        "plan": "monthly", "industry": "Retail", "total_subscribers": 5, "created_at": TIME, "last_login_at": TIME, "is_deleted": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("told", "name", "id_"),
    [
        ({"first_name": "", "login_id": 5}, "L", "5"),
        ({"last_name": None, "login_id": ""}, "Ada", "acc"),
        ({"first_name": "", "last_name": ""}, "Shop", "log"),
        ({"first_name": "", "last_name": "", "account_name": ""}, None, "log"),
    ],
)
def test_a_user_is_called_by_what_is_known(told: Json, name: str | None, id_: str) -> None:
    """By the names, or one of them, or the account's; and is known by the login, or the account."""
    found = user.from_mailchimp({**ACCOUNT, **told})

    assert (found["name"], found["id"]) == (name, id_)


def test_a_whole_contact() -> None:
    """Each property comes from its own place."""
    assert contact.from_mailchimp(MEMBER) == {
        "id": "i" * 32, "list_id": "a", "contact_id": "c", "unique_email_id": "u", "web_id": 1, "email": "Ada@shop.test", "first_name": "Ada",
        "last_name": "L", "name": "Ada L", "phones": [{"phone": "555", "type": "phone"}, {"phone": "+1", "type": "sms"}], "addresses": [],
        "status": "archived", "tags": [{"id": 1, "name": "VIP"}], "tags_count": 2,
        "custom_fields": {"FNAME": "Ada", "LNAME": "L", "PHONE": "555"}, "interests": {"g": True}, "language": "en", "vip": True,
        "email_type": "html", "location": {"latitude": 1.5, "region": None},
        "marketing_permissions": [{"marketing_permission_id": "p", "text": None}], "consents_to_one_to_one_messaging": True,
        "sms_phone_number": "+1", "sms_subscription_status": "pending", "sms_subscription_last_updated": TIME, "ip_signup": "192.0.2.1",
        "timestamp_signup": "2026-01-01T00:00:00+00:00", "ip_opt": "192.0.2.2", "timestamp_opt": "2026-01-02T00:00:00+00:00",
        "source": "Import", "member_rating": 4, "email_client": "Gmail", "unsubscribe_reason": "spam", "last_note": {"note": None},
        "stats": {"avg_open_rate": 0.5}, "created_at": "2026-01-01T00:00:00+00:00", "updated_at": "2026-01-03T00:00:00+00:00",
        "is_deleted": True,
    }  # fmt: skip


def test_a_contact_of_which_nothing_is_told() -> None:
    """Everything is null, but for lists and fields that it may have."""
    known: Json = {"phones": [], "addresses": [], "tags": [], "custom_fields": {}, "is_deleted": False}

    for nothing in ({}, dict.fromkeys(MEMBER), {name: "" if type(value) is str else None for name, value in MEMBER.items()}):
        found = contact.from_mailchimp(nothing)
        assert {name: value for name, value in found.items() if value not in (None, "")} == known
        assert {name for name, value in found.items() if value == ""} <= {"list_id"}


@pytest.mark.parametrize(
    ("member", "id_"),
    [
        ({"email_address": "a@shop.test", "id": "i", "contact_id": "c"}, "i"),
        ({"email_address": "", "id": "i", "contact_id": "c"}, "c"),
        ({"email_address": None, "id": "i", "contact_id": ""}, "i"),
        ({"email_address": "a@shop.test", "id": "", "contact_id": "c"}, subscriber_hash("a@shop.test")),
        ({"email_address": "a@shop.test", "id": 5, "contact_id": "c"}, subscriber_hash("a@shop.test")),
        ({"email_address": ["a@shop.test"], "id": 5, "contact_id": "c"}, "c"),
        ({"id": None, "contact_id": None}, None),
    ],
)
def test_a_contact_has_an_id_in_any_case(member: Json, id_: str | None) -> None:
    """That of its email address, computed where Mailchimp gives none; without an address, the contact's own."""
    assert contact.from_mailchimp(member)["id"] == id_


@pytest.mark.parametrize(
    ("member", "name", "value"),
    [
        ({"full_name": "Ada@shop.test"}, "name", None),
        ({"timestamp_signup": ""}, "created_at", "2026-01-02T00:00:00+00:00"),
        ({"timestamp_signup": "0000-00-00 00:00:00"}, "created_at", "2026-01-02T00:00:00+00:00"),
        ({"timestamp_signup": "", "timestamp_opt": ""}, "created_at", None),
        ({"status": "subscribed"}, "is_deleted", False),
        ({"merge_fields": [5]}, "custom_fields", [5]),
        ({"location": {"latitude": 0, "longitude": 0, "region": ""}}, "location", None),
        ({"location": {"latitude": 0, "longitude": 2}}, "location", {"latitude": 0, "longitude": 2}),
        ({"location": "Reno"}, "location", "Reno"),
        ({"location": []}, "location", None),
        ({"marketing_permissions": ""}, "marketing_permissions", None),
        ({"marketing_permissions": {"a": {"b": ""}, "c": ["", 1, {"d": ""}]}}, "marketing_permissions", {"a": {"b": None}, "c": [None, 1, {"d": None}]}),
        ({"last_note": ""}, "last_note", None),
        ({"stats": {"n": 1, "more": {"currency_code": ""}}}, "stats", {"n": 1, "more": {"currency_code": None}}),
        ({"sms_subscription_last_updated": 5}, "sms_subscription_last_updated", 5),
        ({"last_changed": ["soon"]}, "updated_at", ["soon"]),
        ({"last_changed": {"a": 1}}, "updated_at", {"a": 1}),
    ],
)  # fmt: skip
def test_what_a_property_of_a_contact_becomes(member: Json, name: str, value: Any) -> None:
    """Empty texts are null at any depth, and what has an odd type is passed on."""
    assert contact.from_mailchimp({**MEMBER, **member})[name] == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Ada", "Ada"), ("", None), (None, None), (5, "5"), (5.0, "5"), (5.5, "5.5"), (0, "0"), (True, True), ([5], [5]), (1e300, str(int(1e300))),
    ],
)  # fmt: skip
def test_a_name_is_text(value: Any, text: Any) -> None:
    """Also that of a field that holds numbers; anything else is passed on."""
    found = contact.from_mailchimp({**MEMBER, "merge_fields": {"FNAME": value, "LNAME": value}})

    assert (found["first_name"], found["last_name"]) == (text, text)
    assert type(found["first_name"]) is type(text)


@pytest.mark.parametrize(
    ("phone", "sms", "phones"),
    [
        ("", "", []),
        (None, "+1", [{"phone": "+1", "type": "sms"}]),
        (5550100, None, [{"phone": "5550100", "type": "phone"}]),
        ("5", 1.0, [{"phone": "5", "type": "phone"}, {"phone": "1", "type": "sms"}]),
    ],
)
def test_phones_are_those_that_there_are(phone: Any, sms: Any, phones: list[Json]) -> None:
    """That of the merge field before the one for text messages, both as text."""
    assert contact.from_mailchimp({"merge_fields": {"PHONE": phone}, "sms_phone_number": sms})["phones"] == phones


def test_addresses_are_all_merge_fields_that_are_objects() -> None:
    """Each with its tag, empty texts in it are null, and one of only such is no address."""
    home = {"addr1": "1 Main St", "addr2": "", "city": "Reno", "state": 5, "zip": 89501.0, "country": "US", "more": ["", {"x": ""}]}
    found = contact.from_mailchimp(
        {"merge_fields": {"HOME": home, "WORK": {"addr1": "", "more": {"x": ""}}, "FNAME": "", "LIST": ["", {"a": ""}]}}
    )

    assert found["addresses"] == [
        {"type": "HOME", "street_1": "1 Main St", "street_2": None, "city": "Reno", "state": "5", "postal_code": "89501", "country": "US"}
    ]
    assert found["custom_fields"]["HOME"] == {**home, "addr2": None, "more": [None, None]}
    assert found["custom_fields"]["WORK"] is None
    assert found["custom_fields"]["FNAME"] is None


WHOLE: list[tuple[Callable[..., Json], Json]] = [
    (contact.from_mailchimp, MEMBER),
    (lambda one, **options: audience.from_mailchimp(one, [], **options), AUDIENCE),
    (lambda one, **options: tag.from_mailchimp(one, "a", **options), {"id": 1}),
    (user.from_mailchimp, ACCOUNT),
]


@pytest.mark.parametrize(("convert", "theirs"), WHOLE, ids=["contacts", "lists", "tags", "users"])
def test_remote_data_is_the_whole_of_what_mailchimp_gave(convert: Callable[..., Json], theirs: Json) -> None:
    """It is there when it is asked for, and changes nothing else."""
    plain = convert(theirs)

    assert "remote_data" not in plain
    assert convert(theirs, remote=False) == plain
    assert convert(theirs, remote=True) == {**plain, "remote_data": theirs}


def test_a_contact_as_an_object_holds_remote_data_when_it_is_asked_for() -> None:
    """A member keeps all of its row."""
    member = member_of(MEMBER)

    assert contact.unified(member).remote_data is None
    assert contact.unified(member, remote=True).remote_data is MEMBER
    assert "remote_data" not in contact.tolerantly(member)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("2022-02-23 16:25:57+00:00", "2022-02-23T16:25:57+00:00"),
        ("2022-02-23T16:25:57", "2022-02-23T16:25:57+00:00"),
        ("2022-02-23T16:25:57+02:00", "2022-02-23T14:25:57+00:00"),
        ("2022-02-23T16:25:57.900+00:00", "2022-02-23T16:25:57+00:00"),
        ("2022-02-23T16:25+00:00", "2022-02-23T16:25:00+00:00"),
        ("2022-02-23", "2022-02-23T00:00:00+00:00"),
        ("0000-00-00", None),
        ("0000-00-00T00:00:00+00:00", None),
    ],
)
def test_a_time_in_any_form_is_one_in_utc(theirs: str, ours: str | None) -> None:
    """With whole seconds; zeros are no time."""
    assert (strict_timestamp(theirs), timestamp(theirs)) == (ours, ours)


def test_a_time_in_the_wanted_form_is_passed_on() -> None:
    """Nearly all are: none of them is written again."""
    assert strict_timestamp(TIME) is TIME
    assert timestamp(TIME) is TIME


BEYOND = ["9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+02:00"]
"""Times that are in no year with four digits once they are in UTC. Tables write so what never ends."""


@pytest.mark.parametrize("value", ["", "soon", *BEYOND, None, 5, True, ["2022-02-23"], {}])
def test_what_is_no_time_is_none(value: Any) -> None:
    """No text is taken for a time because it looks like one, and nothing else is looked at."""
    assert timestamp(value) is None
    with pytest.raises((ValueError, TypeError)):
        strict_timestamp(value)


@pytest.mark.parametrize("value", BEYOND)
def test_a_time_beyond_the_calendar_harms_itself_only(value: str) -> None:
    """It is passed on as any text that is no time, for the schema to tell."""
    assert contact.from_mailchimp({**MEMBER, "timestamp_opt": value})["timestamp_opt"] == value
    with pytest.raises(ValueError, match="9999"):
        rfc3339(datetime.fromisoformat(value))


def test_the_empty_text_alone_is_null() -> None:
    """It is how Mailchimp says that nothing is there; zero and false are values."""
    values: list[Any] = ["", "x", 0, False, [], None]
    assert [or_null(value) for value in values] == [None, "x", 0, False, [], None]
    assert nested({"a": {"b": 1}, "c": "x"}, "a") == {"b": 1}
    assert nested({"a": {"b": 1}, "c": "x"}, "c") == nested({}, "a") == {}


def test_a_moment_is_written_in_whole_seconds() -> None:
    """In UTC, also where it has no zone."""
    east = timezone(timedelta(hours=2))
    assert rfc3339(datetime(2026, 1, 31, 1, 0, 0, 999_999, tzinfo=east)) == "2026-01-30T23:00:00+00:00"
    assert rfc3339(datetime.fromisoformat("2026-01-31")) == rfc3339(datetime(2026, 1, 31, tzinfo=UTC)) == "2026-01-31T00:00:00+00:00"
