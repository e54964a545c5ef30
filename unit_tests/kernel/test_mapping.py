"""The mappings: every property of a schema is produced, and consumed or named as read only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailchimp_unified import endpoints
from mailchimp_unified.entities import ENTITIES, audience, contact, tag, user
from mailchimp_unified.entities.contact_fields import FIELDS as TABLE
from mailchimp_unified.entities.entity import timestamp
from mailchimp_unified.entities.merge_field import InvalidValueError, MergeField, value_schema, value_to_mailchimp
from mailchimp_unified.entities.rows import member_of
from mailchimp_unified.identity import subscriber_hash
from mailchimp_unified.schemas import load_schema, readable_schema

MEMBER: dict[str, Any] = {
    "id": "f" * 32,
    "email_address": "Ada@Example.org",
    "unique_email_id": "0123456789",
    "contact_id": "c" * 32,
    "full_name": "Ada Lovelace",
    "web_id": 7,
    "email_type": "html",
    "status": "unsubscribed",
    "unsubscribe_reason": "N/A (Unsubscribed by admin)",
    "consents_to_one_to_one_messaging": True,
    "sms_phone_number": "+15550100",
    "sms_subscription_status": "subscribed",
    "sms_subscription_last_updated": "2026-01-01T00:00:00+00:00",
    "merge_fields": {
        "FNAME": "Ada",
        "LNAME": "Lovelace",
        "PHONE": "555",
        "LTV": 12.5,
        "EMPTY": "",
        "ADDRESS": {"addr1": "1 Main St", "addr2": "", "city": "Reno", "state": "NV", "zip": "89501", "country": "US"},
    },
    "interests": {"abc": True},
    "stats": {
        "avg_open_rate": 0.5,
        "avg_click_rate": 0,
        "ecommerce_data": {"total_revenue": 1, "number_of_orders": 1, "currency_code": "EUR"},
    },
    "ip_signup": "192.0.2.1",
    "timestamp_signup": "2025-01-01T00:00:00+00:00",
    "ip_opt": "192.0.2.1",
    "timestamp_opt": "2025-01-02T00:00:00+00:00",
    "member_rating": 4,
    "last_changed": "2026-02-02T02:02:02+00:00",
    "language": "en",
    "vip": True,
    "email_client": "Gmail",
    "location": {"latitude": 39.5, "longitude": -119.8, "gmtoff": -8, "dstoff": -7, "country_code": "US", "timezone": "x", "region": "NV"},
    "marketing_permissions": [{"marketing_permission_id": "p", "text": "Mail", "enabled": True}],
    "last_note": {"note_id": 1, "created_at": "2025-01-01T00:00:00+00:00", "created_by": "x", "note": "hello"},
    "source": "API - Generic",
    "tags_count": 1,
    "tags": [{"id": 1, "name": "VIP"}],
    "list_id": "a1b2c3d4e5",
}

SEGMENT = {"id": 1, "name": "VIP", "type": "static", "member_count": 2, "created_at": "2025-01-01T00:00:00+00:00", "updated_at": ""}

TYPES = {"FNAME": "text", "LNAME": "text", "PHONE": "phone", "LTV": "number", "EMPTY": "text", "ADDRESS": "address"}
FIELDS = {tag_: MergeField(tag_, type_) for tag_, type_ in TYPES.items()}

EXAMPLES: dict[str, dict[str, Any]] = {
    "contacts": contact.from_mailchimp(MEMBER, remote=True),
    "lists": audience.from_mailchimp({"id": "a"}, [{"tag": "FNAME", "merge_id": 1}], remote=True),
    "tags": tag.from_mailchimp(SEGMENT, "a", remote=True),
    "users": user.from_mailchimp({"login_id": 1}, remote=True),
}


@pytest.mark.parametrize("name", ENTITIES)
def test_every_property_is_produced_and_every_key_is_a_property(name: str) -> None:
    """What a source emits and what its schema declares are the same names; the reader adds `updated_at` where Mailchimp has none."""
    assert set(EXAMPLES[name]) | {"updated_at"} == set(readable_schema(name)["properties"])


def test_every_property_of_a_contact_is_consumed_or_named() -> None:
    """A property changes the body of a call, or decides which call is made, or is named as read only."""
    written = contact.to_mailchimp(EXAMPLES["contacts"], FIELDS)
    named_roles = ("derived", "read only", "routing")
    for name in load_schema("contacts")["properties"]:
        changed = contact.to_mailchimp(
            {**EXAMPLES["contacts"], name: None if name != "email" else "other@example.org", **other(name)}, FIELDS
        )
        named = TABLE[name].role in named_roles
        assert (changed != written) != named, name


def other(name: str) -> dict[str, Any]:
    """Take away the complete map of merge fields where it would hide a named one."""
    return {"custom_fields": {}} if name in ("first_name", "last_name", "phones", "addresses") else {}


@pytest.mark.parametrize("name", ENTITIES)
def test_every_schema_is_draft_7_and_says_what_each_property_is(name: str) -> None:
    """Schemas are valid; each property has a description; each time names its Airbyte type; more properties may come."""
    schema = load_schema(name)

    jsonschema.Draft7Validator.check_schema(schema)
    assert schema["additionalProperties"] is True
    for path, property_ in properties(schema):
        assert property_.get("description"), path
        assert property_.get("format") != "date-time" or property_["airbyte_type"] == "timestamp_with_timezone", path
        assert path in ENTITIES[name].primary_key or "null" in property_["type"], path
    assert set(ENTITIES[name].primary_key) <= set(schema["properties"])


def properties(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every property at every depth."""
    for key, property_ in schema.get("properties", {}).items():
        yield f"{path}{key}", property_
        yield from properties(property_, f"{path}{key}.")
        yield from properties(property_.get("items", {}), f"{path}{key}[].")


def test_a_contact_reads_names_phones_and_addresses_out_of_its_merge_fields() -> None:
    """The unified names hold what the merge fields hold, and the merge fields stay complete."""
    record = EXAMPLES["contacts"]

    assert (record["first_name"], record["last_name"]) == ("Ada", "Lovelace")
    assert record["phones"] == [{"phone": "555", "type": "phone"}, {"phone": "+15550100", "type": "sms"}]
    assert record["addresses"] == [
        {
            "type": "ADDRESS",
            "street_1": "1 Main St",
            "street_2": None,
            "city": "Reno",
            "state": "NV",
            "postal_code": "89501",
            "country": "US",
        }
    ]
    home = {**MEMBER["merge_fields"]["ADDRESS"], "addr2": None}
    assert record["custom_fields"] == {**MEMBER["merge_fields"], "EMPTY": None, "ADDRESS": home}


def test_what_mailchimp_leaves_empty_is_null() -> None:
    """Empty texts, zeros for an unknown place and the email address in place of a name are null."""
    empty = {"latitude": 0, "longitude": 0, "gmtoff": 0, "dstoff": 0, "country_code": "", "timezone": ""}
    record = contact.from_mailchimp(
        {**MEMBER, "full_name": MEMBER["email_address"], "language": "", "timestamp_signup": "", "ip_opt": "", "location": empty}
    )

    assert record["name"] is record["language"] is record["timestamp_signup"] is record["ip_opt"] is record["location"] is None
    assert record["created_at"] == MEMBER["timestamp_opt"]


def test_what_was_read_can_be_written_back() -> None:
    """A contact read from Mailchimp gives the body that would write it, without what Mailchimp sets itself."""
    body = contact.to_mailchimp(EXAMPLES["contacts"], FIELDS)

    assert body["email_address"] == MEMBER["email_address"]
    written = dict(MEMBER["merge_fields"])
    del written["EMPTY"]
    assert body["merge_fields"] == written
    assert body["location"] == {"latitude": 39.5, "longitude": -119.8}
    assert body["marketing_permissions"] == [{"marketing_permission_id": "p", "enabled": True}]
    for name in ("language", "vip", "email_type", "interests", "ip_signup", "timestamp_opt"):
        assert body[name] == MEMBER[name]


@given(st.dictionaries(st.sampled_from(sorted(MEMBER)), st.sampled_from(["", None]), max_size=len(MEMBER)))
def test_no_emptiness_breaks_the_mapping(emptied: dict[str, Any]) -> None:
    """No matter what Mailchimp leaves empty or out, the record still fits the schema in everything but its keys."""
    validator = jsonschema.Draft7Validator(load_schema("contacts"))

    record = contact.from_mailchimp({**MEMBER, **emptied})

    allowed = {"id", "list_id", *(name for name, value in emptied.items() if value == "")}
    assert {str(error.path[0]) for error in validator.iter_errors(record)} <= allowed


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("2022-02-23T16:25:57+00:00", "2022-02-23T16:25:57+00:00"),
        ("2018-07-16 19:49:42", "2018-07-16T19:49:42+00:00"),
        ("2022-02-23T16:25:57Z", "2022-02-23T16:25:57+00:00"),
        ("2022-02-23T18:25:57.123456+02:00", "2022-02-23T16:25:57+00:00"),
        ("", None),
        (None, None),
        ("soon", None),
    ],
)
def test_times_are_rfc_3339_in_utc(theirs: Any, ours: str | None) -> None:
    """Every way in which Mailchimp writes a time gives the same form."""
    assert timestamp(theirs) == ours


@pytest.mark.parametrize(
    ("type_", "value", "sent"),
    [
        ("text", "x", "x"),
        ("text", True, "true"),
        ("text", 5, "5"),
        ("number", "12.5", 12.5),
        ("number", 3, 3),
        ("date", "2026-01-31T10:00:00Z", "2026-01-31"),
        ("date", "01/31/2026", "2026-01-31"),
        ("birthday", "2/29", "02/29"),
        ("birthday", "1990-03-04", "03/04"),
        ("dropdown", "blue", "Blue"),
        ("radio", None, ""),
        ("address", {"addr1": "1", "city": "c", "state": "s", "zip": 89501}, {"addr1": "1", "city": "c", "state": "s", "zip": "89501"}),
    ],
)
def test_values_are_converted_to_their_merge_field(type_: str, value: Any, sent: Any) -> None:
    """A value arrives as Mailchimp wants it for the type of its merge field."""
    assert value_to_mailchimp(MergeField("TAG", type_, choices=("Blue", "Red")), value) == sent


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("text", "ü" * 200),
        ("text", {"a": 1}),
        ("number", "many"),
        ("number", "inf"),
        ("date", "31.12.2026"),
        ("birthday", "13/45"),
        ("dropdown", "Green"),
        ("address", "1 Main St"),
        ("address", {"addr1": "1 Main St"}),
    ],
)
def test_a_value_that_does_not_fit_names_its_field_and_not_itself(type_: str, value: Any) -> None:
    """The refusal names the tag and the reason, and does not quote what may be personal."""
    with pytest.raises(InvalidValueError) as refused:
        value_to_mailchimp(MergeField("TAG", type_, choices=("Blue",)), value)

    assert str(refused.value).startswith("TAG: ")
    assert str(value) not in str(refused.value)


@pytest.mark.parametrize(
    ("email", "md5"),
    [
        # The example of https://mailchimp.com/developer/marketing/docs/methods-parameters/#path-parameters.
        ("Urist.McVankab@freddiesjokes.com", "62eeb292278cc15f5817cb78f7790b08"),
        (" urist.mcvankab@freddiesjokes.com ", "62eeb292278cc15f5817cb78f7790b08"),
    ],
)
def test_the_id_of_a_contact_is_the_md5_of_its_lower_cased_address(email: str, md5: str) -> None:
    """Upper case and blanks around an email address do not make another contact."""
    assert subscriber_hash(email) == md5


@pytest.mark.parametrize("property_", ["timestamp_signup", "timestamp_opt", "last_changed", "sms_subscription_last_updated"])
def test_a_day_that_is_none_is_no_time(property_: str) -> None:
    """Zeros are how Mailchimp writes that there is no time; any other text that is no time is odd, and told as such."""
    name = {"last_changed": "updated_at"}.get(property_, property_)

    assert contact.from_mailchimp({**MEMBER, property_: "0000-00-00 00:00:00"})[name] is None
    assert contact.from_mailchimp({**MEMBER, property_: "soon"})[name] == "soon"
    with pytest.raises(ValueError, match="soon"):
        contact.unified(member_of({**MEMBER, property_: "soon"}))


@pytest.mark.parametrize(
    ("phones", "sent"),
    [
        ([{"type": None, "phone": "555"}], {"PHONE": "555"}),
        ([{"type": "sms", "phone": "1"}, {"type": "x", "phone": "555"}], {"PHONE": "555"}),
        ([{"type": "sms", "phone": "1"}], {}),
        ([{"type": None, "phone": None}], {}),
    ],
)
def test_the_first_phone_that_is_not_for_sms_is_the_merge_field(phones: list[dict[str, Any]], sent: dict[str, Any]) -> None:
    """The number for text messages belongs to Mailchimp's own subscription and is not written."""
    assert contact.merge_values({"phones": phones}) == sent


def test_the_schema_of_an_address_takes_parts_that_nobody_has_documented() -> None:
    """A merge field of addresses in the discovered schema fits what Mailchimp gives now and later."""
    validator = jsonschema.Draft7Validator(value_schema("address"))

    assert validator.is_valid({"addr1": "1 Main St", "county": "Washoe"})
    assert validator.is_valid(None)
    assert not validator.is_valid({"addr1": 1})
    assert not validator.is_valid("1 Main St")


def test_a_count_costs_one_row() -> None:
    """Mailchimp documents no request for nothing but a count."""
    params = endpoints.totals(endpoints.members("a", {"status": "archived"})).params

    assert (params["count"], params["offset"], params["status"]) == (1, 0, "archived")


def test_what_mailchimp_has_is_not_deleted() -> None:
    """Only a contact that is archived: everything else is deleted when it is there no more."""
    assert audience.from_mailchimp({"id": "a", "stats": {}}, [])["is_deleted"] is False
    assert tag.from_mailchimp({"id": 1, "name": "A"}, "a")["is_deleted"] is False
    assert user.from_mailchimp({"account_id": "a", "login_id": "b"})["is_deleted"] is False
    assert [contact.from_mailchimp({**MEMBER, "status": one})["is_deleted"] for one in ("subscribed", "archived")] == [False, True]
