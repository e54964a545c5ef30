"""What data activation is offered: the audiences as objects, with the fields of a contact."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit

import pytest

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.groups import Groups
from destination_mailchimp_unified.audience.lookups import define
from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.discovery import operations_of
from destination_mailchimp_unified.intake.columns import Columns
from destination_mailchimp_unified.intake.operations import OFFERED_MODES
from destination_mailchimp_unified.intake.streams import targets_of
from destination_mailchimp_unified.offered_fields import column_of, offered_fields
from mailchimp_unified.entities.contact_fields import FIELDS, WRITABLE
from mailchimp_unified.errors import ConfigError
from mailchimp_unified.schemas import load_schema
from mailchimp_unified.transport import Outgoing, Received
from unit_tests.account import CONFIG, LOGGER, Account, audiences, destination, page
from unit_tests.kernel.conftest import answer

UNIFIED = load_schema("contacts")["properties"]
STANDARD = [("FNAME", "text"), ("LNAME", "text"), ("ADDRESS", "address"), ("PHONE", "phone")]
FIELDS_HERE = [("ZIP", "zip"), ("AGE", "number"), *STANDARD, ("BIRTHDAY", "birthday"), ("STATUS", "text"), ("SOURCE", "text")]
DEFINITIONS = [{"tag": tag, "name": f"The {tag}", "type": kind} for tag, kind in FIELDS_HERE]
SIZES = {"tag": "SIZE", "name": "Size", "type": "dropdown", "options": {"choices": ["S", "M", "S"]}}
LEVEL = {"tag": "LEVEL", "name": "Level", "type": "radio", "options": {"choices": ["Gold"]}}


def operations(account: Account, **options: Any) -> list[dict[str, Any]]:
    """Return what the destination offers."""
    catalog = destination(account)[0].discover(LOGGER, {**CONFIG, **options})["destination_catalog"]
    return list(catalog["operations"])


def offered(*more: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of an audience with some merge fields."""
    return dict(operations(Account(audiences(1), [*DEFINITIONS, *more]))[0]["json_schema"]["properties"])


def audience_with(*definitions: dict[str, Any]) -> Audience:
    """Return an audience with these merge fields."""
    audience = Audience("2e6b74a9f8", name="Event Guests")
    define(audience, definitions)
    return audience


@pytest.mark.parametrize("name", sorted(WRITABLE - {"list_id", "is_deleted", "custom_fields", "phones", "addresses"}))
def test_a_field_keeps_all_that_the_unified_schema_says_of_it(name: str) -> None:
    """Type and description come along; only what a JSON schema says to who reads does not."""
    assert offered()[name] == {word: value for word, value in UNIFIED[name].items() if word != "writeOnly"}


def test_a_field_is_offered_once() -> None:
    """Names by their unified names; phone and postal address by their tags, whose types are those of one value."""
    found = offered()

    assert {"first_name", "last_name", "PHONE", "ADDRESS"} <= found.keys()
    assert not {"FNAME", "LNAME", "phones", "addresses"} & found.keys()
    assert found["PHONE"]["type"] == ["null", "string"]
    assert found["ADDRESS"]["type"] == ["null", "object"]
    assert len({name.casefold() for name in found}) == len(found)


def test_what_the_audience_lacks_is_not_offered() -> None:
    """Without the merge field LNAME a last name could only be rejected."""
    assert "last_name" not in offered_fields(audience_with(DEFINITIONS[2]))
    assert "first_name" in offered_fields(audience_with(DEFINITIONS[2]))


def test_the_key_and_what_people_map_most_come_first() -> None:
    """Then the merge fields in Mailchimp's order, and then the other unified fields in the order of the schema, each time the same."""
    names = list(offered())
    first = ["email", "first_name", "last_name", "tags"]
    merge_fields = [column_of(tag) for tag, _ in FIELDS_HERE if tag not in ("FNAME", "LNAME")]

    assert names[: len(first)] == first
    assert names[len(first) :][: len(merge_fields)] == merge_fields
    rest = names[len(first) + len(merge_fields) :]
    assert rest == [name for name in UNIFIED if name in rest]
    assert "status_if_new" in rest
    assert names == list(offered())


@pytest.mark.parametrize("definition", [SIZES, LEVEL])
def test_a_choice_field_has_its_choices(definition: dict[str, Any]) -> None:
    """Each choice once, in Mailchimp's order, and null; the type stays that of a text, which Airbyte's form shows."""
    found = offered(definition)[definition["tag"]]

    assert found["type"] == ["null", "string"]
    assert found["enum"] == [*dict.fromkeys(definition["options"]["choices"]), None]


def test_a_choice_field_without_choices_takes_no_enum() -> None:
    """An empty enum would allow nothing at all."""
    assert "enum" not in offered({**SIZES, "options": {}})["SIZE"]


def test_a_first_name_that_is_a_choice_is_one() -> None:
    """FNAME need not be a text: what first_name takes is what the audience's field takes."""
    found = offered_fields(audience_with({**SIZES, "tag": "FNAME"}))["first_name"]

    assert found["enum"] == ["S", "M", None]


def test_groups_and_permissions_are_offered_by_name() -> None:
    """A boolean each, under the name that a rule of field_mapping would use."""
    audience = audience_with()
    audience.groups = Groups()
    audience.groups.add_interests("Topics", [{"id": "i1", "name": "News"}])
    audience.groups.add_permissions([{"text": "Direct Mail", "marketing_permission_id": "p1"}])
    found = offered_fields(audience)

    assert found["interests.Topics/News"]["type"] == ["null", "boolean"]
    assert found["marketing_permissions.Direct Mail"]["type"] == ["null", "boolean"]


def test_every_offered_column_is_written() -> None:
    """A stream with an object writes each offered column: into its unified field, its merge field, its group or its permission."""
    audience = audience_with(*DEFINITIONS, SIZES)
    audience.groups = Groups()
    audience.groups.add_interests("Topics", [{"id": "i1", "name": "News"}])
    audience.groups.add_permissions([{"text": "Direct Mail", "marketing_permission_id": "p1"}])
    columns = Columns(by_hand=True, merge_extras=True)
    by_tag = {column_of(tag): tag for tag in audience.merge_fields}

    for name in offered_fields(audience):
        [filler] = columns.fillers(name)
        assert filler.field.merge_tag == by_tag[name] if filler.field.kind == "merge field" else True
        assert filler.field.label == name or filler.field.slots == {by_tag[name]}


@pytest.mark.parametrize("tag", ["FNAME", "LNAME", "PHONE", "ADDRESS", "fname"])
def test_a_tag_of_a_saved_mapping_is_still_written(tag: str) -> None:
    """What was mapped to FNAME before it was offered as first_name, or is typed by hand, fills the merge field."""
    [filler] = Columns(by_hand=True, merge_extras=True).fillers(tag)

    assert (filler.field.kind, filler.field.name) == ("merge tag", tag)
    assert tag.casefold() not in FIELDS


def test_each_of_many_audiences_has_every_operation() -> None:
    """Audiences beyond the first page of a thousand are offered, too, in Mailchimp's order."""
    many = audiences(1_001)

    found = [(one["object_name"], one["sync_mode"]) for one in operations(Account(many))]

    assert found == [(f"{audience['name']} ({audience['id']})", mode) for audience in many for mode in OFFERED_MODES]


def asked_for(number: int, *absent: str) -> tuple[list[dict[str, Any]], list[str]]:
    """Return what is offered of so many audiences with groups, and the last words of the paths; what ends so is not there."""
    account = Account(audiences(number), DEFINITIONS[2:3])
    collections = {"interest-categories": [{"id": "c1", "title": "Topics"}], "interests": [{"id": "i1", "name": "News"}]}

    def answers(outgoing: Outgoing) -> Received:
        path = urlsplit(outgoing.url).path
        if any(path.endswith(one) for one in absent):
            return answer({}, 404)
        name = path.rpartition("/")[2]
        return page(outgoing, name.replace("interest-", ""), collections[name]) if name in collections else account(outgoing)

    connector, scripted = destination(answers)
    found = connector.discover(LOGGER, CONFIG)["destination_catalog"]["operations"]
    return list(found), [path.rpartition("/")[2] for path in scripted.paths]


@pytest.mark.parametrize(("number", "by_name"), [(1, True), (19, True), (20, True), (21, False)])
def test_groups_are_offered_by_name_of_twenty_audiences_at_most(number: int, by_name: bool, caplog: pytest.LogCaptureFixture) -> None:
    """Each of them takes several requests, and somebody waits in front of a form; the log says that they are left out."""
    with caplog.at_level(logging.INFO, LOGGER.name):
        found, paths = asked_for(number)

    assert paths.count("interest-categories") == (number if by_name else 0)
    assert ("groups" in caplog.text) is not by_name
    assert ["interests.Topics/News" in one["json_schema"]["properties"] for one in found] == [by_name] * len(OFFERED_MODES) * number


def test_an_audience_that_was_deleted_meanwhile_is_not_offered() -> None:
    """The others are."""
    gone, there = audiences(2)
    found, _ = asked_for(2, f"{gone['id']}/merge-fields")

    assert {one["object_name"] for one in found} == {f"{there['name']} ({there['id']})"}


def test_an_audience_whose_groups_cannot_be_read_is_offered_without_them() -> None:
    """All else of it stays."""
    found, _ = asked_for(1, "interest-categories")

    assert len(found) == len(OFFERED_MODES)
    assert {"first_name", "email"} <= found[0]["json_schema"]["properties"].keys()
    assert not any(name.startswith("interests.") for name in found[0]["json_schema"]["properties"])


@pytest.mark.parametrize(("name", "called"), [("Event Guests", "Event Guests"), ("", "2e6b74a9f8")])
def test_a_schema_says_which_audience_it_is_of(name: str, called: str) -> None:
    """By its name, or by its id where it has none."""
    [schema, *_] = [
        one["json_schema"] for one in operations_of(Audience("2e6b74a9f8", name=name), DestinationConfig.model_validate(CONFIG))
    ]

    assert schema["title"] == called
    assert called in schema["description"]


def test_an_audience_without_a_name_is_offered() -> None:
    """By its id."""
    nameless = [{**audiences(1)[0], "name": None}]

    assert {one["object_name"] for one in operations(Account(nameless))} == {nameless[0]["id"]}


def test_names_that_are_texts_are_offered_as_the_unified_ones() -> None:
    """With the words of the unified schema; a number or a choice under such a tag is offered as what it is."""
    found = {
        kind: offered_fields(audience_with({"tag": "FNAME", "name": "N", "type": kind}))["first_name"] for kind in ("text", "number", "url")
    }

    assert found["text"]["description"] == found["url"]["description"] == UNIFIED["first_name"]["description"]
    assert (found["number"]["type"], "FNAME" in found["number"]["description"]) == (["null", "number"], True)
    assert "FNAME" in offered_fields(audience_with({**SIZES, "tag": "FNAME"}))["first_name"]["description"]


@pytest.mark.parametrize("tag", ["COMPANY", "STATUS", "status", "ID", "FNAME"])
def test_a_merge_field_that_is_called_like_a_unified_field_is_offered_with_its_prefix(tag: str) -> None:
    """In any case of its tag: without the prefix it would be that field."""
    expected = {"COMPANY": "COMPANY", "FNAME": "first_name"}.get(tag, f"custom_fields.{tag}")

    assert column_of(tag) == expected
    assert expected in offered_fields(audience_with({"tag": tag, "name": "N", "type": "text"}))


@pytest.mark.parametrize("policy", ["upsert", "update_only", "create_only"])
def test_what_is_offered_is_what_a_sync_takes(policy: str) -> None:
    """An insertion type is offered exactly where a stream with it could write something; the others are refused by name."""
    config = DestinationConfig.model_validate({**CONFIG, "write_policy": policy})
    audience = audience_with(*DEFINITIONS)
    found = {one["sync_mode"]: one for one in operations_of(audience, config)}
    for mode in OFFERED_MODES:
        stream = {"stream": {"name": "people", "json_schema": {}}, "destination_sync_mode": mode}
        catalog = {"streams": [{**stream, "destination_object_name": f"Event Guests ({audience.id})", "primary_key": [["email"]]}]}
        if mode in found:
            assert targets_of(catalog, config, LOGGER)[None, "people"].list_id == audience.id
            assert found[mode]["matching_keys"] == [["email"]]
        else:
            with pytest.raises(ConfigError, match="write_policy"):
                targets_of(catalog, config, LOGGER)


@pytest.mark.parametrize(
    ("options", "required"),
    [
        ({}, ["email", "first_name", "AGE"]),
        ({"required_fields": "skip"}, ["email"]),
        ({"field_mapping": [{"value": "7", "field": "custom_fields.AGE"}]}, ["email", "first_name"]),
        ({"field_mapping": [{"value": "Ada", "field": "first_name"}]}, ["email", "AGE"]),
        ({"field_mapping": [{"value": "7", "field": "custom_fields.AGE", "stream": "other"}]}, ["email", "first_name", "AGE"]),
    ],
)
def test_who_may_create_has_to_map_what_mailchimp_requires(options: dict[str, Any], required: list[str]) -> None:
    """Required merge fields belong to the insertion types that create contacts, unless the configuration fills or skips them."""
    needed = [{**one, "required": one["tag"] in ("FNAME", "AGE")} for one in sorted(DEFINITIONS, key=lambda one: one["tag"] == "AGE")]
    config = DestinationConfig.model_validate({**CONFIG, **options})
    found = {one["sync_mode"]: one["json_schema"]["required"] for one in operations_of(audience_with(*needed), config)}

    assert found == {"append": required, "append_dedup": required, "update": ["email"], "soft_delete": ["email"]}
    for one in operations_of(audience_with(*needed), config):
        assert set(one["json_schema"]["required"]) <= one["json_schema"]["properties"].keys()
        assert one["json_schema"]["additionalProperties"] is True
