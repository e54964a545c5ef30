"""The streams of a catalog, and the mistakes in a mapping that are found before anything is sent."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.groups import Groups
from destination_mailchimp_unified.audience.merge_fields import PlannedField
from destination_mailchimp_unified.config import DestinationConfig, Rule
from destination_mailchimp_unified.intake.arrivals import Arrival, Entry, stream_key
from destination_mailchimp_unified.intake.columns import Columns
from destination_mailchimp_unified.intake.contact import MappedContact
from destination_mailchimp_unified.intake.described import described, described_rules, shown, unmatched
from destination_mailchimp_unified.intake.mapping import (
    check_audience,
    check_fields,
    check_filled_once,
    missing_fields,
    missing_tags,
    names_groups,
    unmapped_required,
)
from destination_mailchimp_unified.intake.planned import planned_by_rules, planned_fields
from destination_mailchimp_unified.intake.rules import filler_of
from destination_mailchimp_unified.intake.streams import Target, membership_tag_of, targets_of
from mailchimp_unified.entities.merge_field import MergeField
from mailchimp_unified.errors import ConfigError
from unit_tests.account import CONFIG, LOGGER

Json = dict[str, Any]

LIST = "2e6b74a9f8"
OBJECT = f"Event Guests ({LIST})"
PROPERTIES: Json = {"Mail": {"type": "string"}, "Stage": {"type": "string"}, "Since": {"type": "string", "format": "date"}}
MAIL = {"column": "Mail", "field": "email"}


def config(*rules: Json, **options: Any) -> DestinationConfig:
    """Return a configuration with rules."""
    return DestinationConfig.model_validate({**CONFIG, "field_mapping": list(rules), **options})


def stream(name: str = "people", properties: Json | None = None, **more: Any) -> Json:
    """Return a stream of a catalog."""
    described = {"name": name, "json_schema": {"properties": PROPERTIES if properties is None else properties}}
    for key in ("namespace", "json_schema", "is_resumable"):
        if key in more:
            described[key] = more.pop(key)
    return {"stream": described, "destination_sync_mode": "append", "sync_mode": "full_refresh", **more}


def targets(given: DestinationConfig, *streams: Json) -> list[Target]:
    """Return the streams of a catalog as they are written."""
    return list(targets_of({"streams": list(streams)}, given, LOGGER).values())


def target(given: DestinationConfig, **more: Any) -> Target:
    """Return one stream of a catalog as it is written."""
    [found] = targets(given, stream(**more))
    return found


def refused(given: DestinationConfig, *streams: Json) -> str:
    """Return the words with which a catalog is refused."""
    with pytest.raises(ConfigError) as raised:
        targets(given, *streams)
    return raised.value.message


DEFAULT = {"list_id": LIST}

# Streams.


@pytest.mark.parametrize(
    "catalog", [{}, {"streams": None}, {"streams": ["people"]}, {"streams": [{"stream": "people"}]}, {"streams": [{}]}]
)
def test_a_catalog_without_streams_is_refused(catalog: Json) -> None:
    """A catalog of none is one."""
    with pytest.raises(ConfigError):
        targets_of(catalog, config(), LOGGER)
    assert targets_of({"streams": []}, config(), LOGGER) == {}


@pytest.mark.parametrize(("namespace", "key"), [(None, None), ("", None), ("crm", "crm"), (5, None)])
def test_a_stream_is_known_by_namespace_and_name(namespace: Any, key: str | None) -> None:
    """An empty namespace is none."""
    assert target(config(MAIL, **DEFAULT), namespace=namespace).key == (key, "people")
    assert stream_key("people", namespace) == (key, "people")
    assert target(config(MAIL, **DEFAULT), namespace=namespace).name == "people"


@pytest.mark.parametrize("name", [None, ""])
def test_a_stream_without_an_object_goes_where_the_configuration_or_the_record_says(name: str | None) -> None:
    """It names no audience, and its columns were not named by hand."""
    found = target(config(MAIL, **DEFAULT), destination_object_name=name)

    assert (found.list_id, found.operation, found.columns.by_hand, found.columns.merge_extras) == (None, "upsert", False, False)


def test_a_stream_with_an_object_goes_into_its_audience() -> None:
    """Its columns were named by hand, append inserts, and no other audience has to be named."""
    found = target(config(), properties={"email": {}, "AGE": {}}, destination_object_name=OBJECT, primary_key=[["email"]])

    assert (found.list_id, found.operation, found.columns.by_hand, found.columns.merge_extras) == (LIST, "create", True, True)
    assert "(2e6b74a9f8)" in refused(config(), stream(destination_object_name="Event Guests"))


@pytest.mark.parametrize(
    ("keys", "matches"),
    [
        ([["email"]], True),
        (["Email"], True),
        (None, True),
        ([], True),
        ([["id"]], False),
        ([["email"], ["id"]], False),
        ([["email", "id"]], False),
    ],
)
def test_contacts_are_matched_by_their_email_address(keys: Any, matches: bool) -> None:
    """Another key of a stream with an object is refused; one without an object may have any."""
    one = stream(properties={"email": {}}, destination_object_name=OBJECT, primary_key=keys)
    if matches:
        assert len(targets(config(), one)) == 1
    else:
        assert "email" in refused(config(), one)
    assert target(config(**DEFAULT), properties={"email": {}}, primary_key=keys).list_id is None


@pytest.mark.parametrize(
    ("mode", "policy", "operation"),
    [
        ("append", "upsert", "upsert"),
        ("update", "create_only", None),
        ("merge", "upsert", None),
        ("", "upsert", None),
        (None, "upsert", None),
    ],
)
def test_a_stream_that_could_write_nothing_is_refused(mode: str | None, policy: str, operation: str | None) -> None:
    """By its mode and the write policy, and without a mode that is known."""
    given, one = config(MAIL, **DEFAULT, write_policy=policy), stream(destination_sync_mode=mode)
    if operation:
        assert targets(given, one)[0].operation == operation
    else:
        words = refused(given, one)
        assert (mode or "no sync mode") in words
        assert ("unknown" in words) is (mode == "merge")


@pytest.mark.parametrize("known", [True, False])
def test_a_stream_without_a_column_for_the_email_address_is_refused_with_the_likely_one(known: bool) -> None:
    """As far as its schema tells the columns."""
    words = refused(config(**DEFAULT), stream(properties={"E-Mail": {}, "Name": {}} if known else {"Name": {}}))

    assert ("perhaps" in words) is known
    assert "Name" in words
    assert len(targets(config(**DEFAULT), stream(properties={}))) == 1
    assert len(targets(config({"value": "a@x.org", "field": "email"}, **DEFAULT), stream(properties={"Name": {}}))) == 1


def test_a_stream_has_to_say_which_audience_it_goes_to() -> None:
    """By a column, a constant, an object, or the configuration."""
    assert "list_id" in refused(config(MAIL), stream())
    for given, one in (
        (config(MAIL, **DEFAULT), stream()),
        (config(MAIL, {"column": "Stage", "field": "list_id"}), stream()),
        (config(MAIL, {"value": "a1", "field": "list_id"}), stream()),
        (config(), stream(properties={"email": {}, "list_id": {}})),
        (config(), stream(properties={"email": {}}, destination_object_name=OBJECT)),
    ):
        assert len(targets(given, one)) == 1


@pytest.mark.parametrize("schema", [None, True, {}, {"properties": None}, {"properties": []}])
def test_a_schema_that_tells_no_columns_leaves_them_to_the_records(schema: Any) -> None:
    """Nothing is known of them, so nothing of them is refused, and every rule may have its column."""
    found = target(config(MAIL, **DEFAULT), json_schema=schema)

    assert list(found.columns.known) == []
    assert found.planned == {}


def test_columns_are_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """By the schema where it names them, by the first record where it does not."""
    with caplog.at_level(logging.INFO, LOGGER.name):
        known = target(config(MAIL, **DEFAULT))
        assert len(caplog.messages) == 1
        known.columns.contact({"Mail": "a@x.org", "More": 1})
        assert len(caplog.messages) == 1
        unknown = target(config(MAIL, **DEFAULT), properties={})
        assert len(caplog.messages) == 1
        for row in ({"Mail": "a@x.org"}, {"Mail": "a@x.org", "More": 1}):
            unknown.columns.contact(row)
            assert len(caplog.messages) == 2
    assert "email <- Mail" in caplog.messages[0]


def test_records_that_show_two_columns_for_one_field_are_refused() -> None:
    """The rules of a stream without a schema are judged by its first record."""
    given = config({**MAIL, "stream": "people"}, {"column": "Stage", "field": "email"}, **DEFAULT)
    found = target(given, properties={})
    with pytest.raises(ConfigError, match="more than one column"):
        found.columns.contact({"Mail": "a@x.org", "Stage": "b@x.org"})
    fits = target(given, properties={})
    assert fits.columns.contact({"Mail": "a@x.org"}).unified == {"email": "a@x.org"}


@pytest.mark.parametrize(
    ("more", "warnings"),
    [
        ({}, 0),
        ({"destination_sync_mode": "overwrite"}, 1),
        ({"destination_sync_mode": "overwrite_dedup"}, 1),
        ({"destination_sync_mode": "append_dedup"}, 0),
        ({"minimum_generation_id": 0}, 0),
        ({"minimum_generation_id": 2}, 1),
        ({"minimum_generation_id": 2, "destination_sync_mode": "overwrite"}, 2),
    ],
)
def test_what_is_never_emptied_is_told(more: Json, warnings: int, caplog: pytest.LogCaptureFixture) -> None:
    """Where a mode or a refresh would empty a table, an audience keeps its contacts."""
    with caplog.at_level(logging.WARNING, LOGGER.name):
        target(config(MAIL, **DEFAULT), **more)
    assert len(caplog.messages) == warnings


@pytest.mark.parametrize(("option", "value"), [("membership_streams", ["peopel"]), ("stream", "peopel")])
def test_a_stream_that_the_connection_does_not_have_is_named(option: str, value: Any) -> None:
    """In a rule as in the list of those that feed the audience; any case will do."""
    rule = {**MAIL, **({"stream": value} if option == "stream" else {})}
    more = {"membership_tag": "Crowd", "membership_streams": value} if option != "stream" else {}
    words = refused(config(rule, **DEFAULT, **more), stream())
    assert "peopel" in words
    assert "did you mean people" in words
    fitting = {"membership_tag": "Crowd", "membership_streams": ["PEOPLE"]}
    assert len(targets(config({**MAIL, "stream": "People"}, **DEFAULT, **fitting), stream())) == 1


@pytest.mark.parametrize(
    ("options", "tag"),
    [
        ({}, ""),
        ({"membership_tag": "Crowd"}, "Crowd"),
        ({"membership_tag": "Crowd", "membership_streams": ["People"]}, "Crowd"),
        ({"membership_tag": "Crowd", "membership_streams": ["guests"]}, ""),
    ],
)
def test_the_streams_that_feed_an_audience_give_the_membership_tag(options: Json, tag: str) -> None:
    """Those that are named, or all where none is."""
    assert membership_tag_of("people", config(**options)) == tag
    found = targets(config(MAIL, **DEFAULT, **options), stream(), stream("guests"))[0]
    arrival = found.arrival(Entry(found.key, 0, 1), {"Mail": "a@x.org"})
    assert (found.membership_tag, arrival.membership_tag, arrival.operation) == (tag, tag, "upsert")


def test_a_rule_holds_for_its_stream_or_for_all() -> None:
    """Names of streams in any case."""
    rules = [MAIL, {"column": "Stage", "field": "tags", "stream": "GUESTS"}]
    people, guests = targets(config(*rules, **DEFAULT), stream(), stream("guests"))

    assert [rule.field for rule in people.columns.rules] == ["email"]
    assert [rule.field for rule in guests.columns.rules] == ["email", "tags"]


@pytest.mark.parametrize(("options", "value"), [({}, {"list_id": "a1"}), ({"list_ids_from": "configuration"}, {})])
def test_the_audience_of_a_record_does_nothing_where_the_configuration_says_it(options: Json, value: Json) -> None:
    """Its column is left alone then."""
    found = target(config(**DEFAULT, **options), properties={"email": {}, "list_id": {}})
    assert found.columns.contact({"email": "a@x.org", "list_id": "a1"}).unified == {"email": "a@x.org", **value}


@pytest.mark.parametrize(("choice", "extras"), [("ignore", {}), ("merge_fields", {"AGE": 7})])
def test_columns_that_fill_nothing_may_be_merge_fields_on_request(choice: str, extras: Json) -> None:
    """Or for a stream whose columns were named by hand."""
    found = target(config(**DEFAULT, unmapped_columns=choice), properties={"email": {}, "AGE": {}})
    assert found.columns.contact({"email": "a@x.org", "AGE": 7}).extras == extras


def test_a_value_that_cannot_be_read_is_left_out_on_request() -> None:
    """By invalid_values."""
    row = {"email": "a@x.org", "first_name": {"no": "way"}}
    found = target(config(**DEFAULT, invalid_values="leave_out"), properties={"email": {}, "first_name": {}})
    assert found.columns.contact(row).left_out == ("first_name",)
    with pytest.raises(ValueError, match="first_name"):
        target(config(**DEFAULT), properties={"email": {}, "first_name": {}}).columns.contact(row)


# Rules without a column.


@pytest.mark.parametrize(
    ("column", "found"),
    [("Mail", True), ("mail ", True), ("Mail.address", True), ("Mial", False), ("Mial.address", False), ("x.Mail", False)],
)
def test_a_rule_whose_column_no_stream_has_is_named(column: str, found: bool) -> None:
    """Of a path the first part has to be there."""
    given = config(MAIL, {"column": column, "field": "tags"}, **DEFAULT)
    if found:
        assert len(targets(given, stream())) == 1
    else:
        assert column in refused(given, stream())
        assert len(targets(given, stream(properties={}))) == 1
        assert len(targets(given, stream(), stream("guests", properties={}))) == 2


def test_a_column_of_one_stream_is_enough() -> None:
    """Unless the rule names another stream: then it has to be there."""
    guests = stream("guests", properties={"Mail": {}, "Table": {}})
    table = {"column": "Table", "field": "tags"}

    assert len(targets(config(MAIL, table, **DEFAULT), stream(), guests)) == 2
    assert len(targets(config(MAIL, {**table, "stream": "Guests"}, **DEFAULT), stream(), guests)) == 2
    assert "Table of stream people" in refused(config(MAIL, {**table, "stream": "people"}, **DEFAULT), stream(), guests)
    assert "of stream" not in refused(config(MAIL, table, **DEFAULT), stream())
    constant = {"value": "a", "field": "tags"}
    assert len(targets(config(MAIL, constant, **DEFAULT), stream())) == 1
    assert "Table" in refused(config(MAIL, constant, table, **DEFAULT), stream())


# Mistakes of the configuration alone.

MISTAKES: list[tuple[list[Json], Json]] = [
    ([MAIL, {"column": "Other", "field": "email"}], {}),
    ([MAIL, {"value": "a@x.org", "field": "email"}], {}),
    ([MAIL, {"column": "Stage", "field": "tags"}, {"column": "Other", "field": "email"}], {}),
    ([{"column": "a", "field": "first_name"}, {"column": "b", "field": "custom_fields.FNAME"}], {}),
    ([{"column": "a", "field": "last_name"}, {"column": "b", "field": "full_name"}], {}),
    ([{"column": "a", "field": "phones"}, {"column": "b", "field": "custom_fields.PHONE"}], {}),
    ([{"column": "a", "field": "custom_fields.ADDRESS"}, {"column": "b", "field": "custom_fields.ADDRESS.city"}], {}),
    ([{"column": "a", "field": "custom_fields.ADDRESS.city"}, {"column": "b", "field": "custom_fields.ADDRESS.city"}], {}),
    ([{"column": "a", "field": "tag:VIP"}, {"column": "b", "field": "tag:VIP"}], {}),
    ([{**MAIL, "stream": "people"}, {"column": "b", "field": "email", "stream": "People"}], {}),
    ([{"column": "a", "field": "emial"}], {}),
    ([{"column": "a", "field": "tags", "format": "number"}], {}),
    ([], {"tag_mode": "replace"}),
    ([], {"on_leaving": "remove_tag"}),
    ([], {"membership_streams": ["people"]}),
    ([{"column": "a", "field": "tag:crowd"}], {"membership_tag": "Crowd"}),
    ([], {"list_ids_from": "configuration"}),
    ([{"column": "a", "field": "list_id"}], {"list_ids_from": "configuration", **DEFAULT}),
]


@pytest.mark.parametrize(("rules", "options"), MISTAKES)
def test_what_is_wrong_in_every_audience_is_refused(rules: list[Json], options: Json) -> None:
    """Two origins for one field, fields that cannot be, and options that need another one."""
    with pytest.raises(ConfigError):
        check_fields(config(*rules, **options))


FITTING: list[tuple[list[Json], Json]] = [
    ([], {}),
    ([MAIL, dict(MAIL)], {}),
    ([{**MAIL, "stream": "people"}, {"column": "b", "field": "email", "stream": "guests"}], {}),
    ([MAIL, {"column": "b", "field": "email", "stream": "guests"}], {}),
    ([{"column": "a", "field": "tags"}, {"column": "b", "field": "tags"}, {"value": "c", "field": "tags_to_remove"}], {}),
    ([{"column": "a", "field": "ignore"}, {"column": "b", "field": "ignore"}], {}),
    ([{"column": "a", "field": "custom_fields.ADDRESS.city"}, {"column": "b", "field": "custom_fields.ADDRESS.state"}], {}),
    ([{"column": "a", "field": "custom_fields.ADDRESS"}, {"column": "b", "field": "custom_fields.OTHER.city"}], {}),
    ([{"column": "a", "field": "custom_fields.A"}, {"column": "b", "field": "custom_fields.B"}], {}),
    ([{"column": "a", "field": "tag:VIP"}, {"column": "b", "field": "interests.A/B"}], {}),
    ([], {"tag_mode": "replace", "managed_tags": ["a:*"]}),
    ([], {"managed_tags": ["a:*"]}),
    ([{"column": "a", "field": "tag:VIP"}], {"membership_tag": "Crowd", "on_leaving": "remove_tag", "membership_streams": ["people"]}),
    ([{"column": "a", "field": "interests.Crowd"}, {"column": "b", "field": "custom_fields.CROWD"}], {"membership_tag": "Crowd"}),
    ([{"column": "a", "field": "tag:Crowd"}], {}),
    ([MAIL], {"list_ids_from": "configuration", **DEFAULT}),
    ([{"column": "a", "field": "list_id"}], DEFAULT),
]


@pytest.mark.parametrize(("rules", "options"), FITTING)
def test_what_may_be_right_somewhere_is_not_refused(rules: list[Json], options: Json) -> None:
    """The same rule twice, other streams, fields that several columns may fill, and options with what they need."""
    check_fields(config(*rules, **options))


def test_every_mistake_is_named() -> None:
    """And each once."""
    with pytest.raises(ConfigError) as raised:
        check_fields(
            config({"column": "a", "field": "emial"}, {"column": "b", "field": "emial"}, {"column": "c", "field": "member_rating"})
        )
    assert raised.value.message.count("emial does not exist") == 1
    assert "member_rating" in raised.value.message


def test_two_columns_for_one_field_are_both_named() -> None:
    """And the field by both of its names where it has two."""
    with pytest.raises(ConfigError, match="email from more than one column: Mail and Other"):
        check_fields(config(MAIL, {"column": "Other", "field": "email"}))
    with pytest.raises(ConfigError, match=r"custom_fields\.FNAME.*same field"):
        check_fields(config({"column": "a", "field": "first_name"}, {"column": "b", "field": "custom_fields.FNAME"}))
    columns = Columns([Rule.model_validate(rule) for rule in (MAIL, {"column": "Other", "field": "email"})])
    check_filled_once("people", columns)


# Mistakes that an audience shows.

AUDIENCE = Audience(
    "a1",
    merge_fields={
        one.tag: one
        for one in (
            MergeField("FNAME", "text", required=True),
            MergeField("AGE", "number"),
            MergeField("ADDRESS", "address"),
            MergeField("SIZE", "dropdown", choices=("S", "M")),
            MergeField("EMPTY", "dropdown"),
            MergeField("LEVEL", "radio"),
        )
    },
)


@pytest.mark.parametrize(
    ("rule", "options", "fits"),
    [
        ({"column": "a", "field": "custom_fields.age"}, {}, True),
        ({"column": "a", "field": "custom_fields.NOPE"}, {}, False),
        ({"column": "a", "field": "custom_fields.NOPE"}, {"create_missing_merge_fields": True}, True),
        ({"column": "a", "field": "custom_fields.NOPE.city"}, {"create_missing_merge_fields": True}, True),
        ({"column": "a", "field": "custom_fields.ADDRESS.city"}, {}, True),
        ({"column": "a", "field": "custom_fields.AGE.city"}, {}, False),
        ({"value": "Reno", "field": "custom_fields.ADDRESS.city"}, {}, True),
        ({"column": "a", "field": "custom_fields.SIZE"}, {}, True),
        ({"column": "a", "field": "custom_fields.EMPTY"}, {}, False),
        ({"column": "a", "field": "custom_fields.LEVEL"}, {}, False),
        ({"value": "s", "field": "custom_fields.SIZE"}, {}, True),
        ({"value": "XL", "field": "custom_fields.SIZE"}, {}, False),
        ({"value": "7", "field": "custom_fields.AGE"}, {}, True),
        ({"value": "old", "field": "custom_fields.AGE"}, {}, False),
        ({"value": "1,200", "field": "custom_fields.AGE"}, {}, False),
        ({"value": "1,200", "field": "custom_fields.AGE", "format": "number"}, {}, True),
        ({"value": "many", "field": "custom_fields.AGE", "format": "number"}, {}, False),
        ({"value": "7", "field": "custom_fields.AGE", "prefix": "1"}, {}, True),
        ({"value": "7", "field": "custom_fields.AGE", "prefix": "about "}, {}, False),
        ({"column": "a", "field": "custom_fields.AGE", "prefix": "about "}, {}, True),
        ({"column": "a", "field": "custom_fields.AGE", "format": "number"}, {}, True),
        ({"column": "a", "field": "tags"}, {}, True),
    ],
)
def test_a_rule_has_to_fit_the_merge_fields_of_the_audience(rule: Json, options: Json, fits: bool) -> None:
    """Tags that are there or may be created, parts of addresses only, choices to choose among, and constants that can be written."""
    given = config(rule, **{"required_fields": "skip", **options})
    if fits:
        check_audience(given, AUDIENCE)
    else:
        with pytest.raises(ConfigError, match=str(rule["field"]).split(".")[1].upper()):
            check_audience(given, AUDIENCE)


@pytest.mark.parametrize(("number", "fits"), [(20, True), (21, False)])
def test_a_sync_creates_twenty_merge_fields_at_most(number: int, fits: bool) -> None:
    """More are a mistake before anything is sent."""
    rules = [{"column": f"c{n}", "field": f"custom_fields.N{n}"} for n in range(number)]
    given = config(*rules, create_missing_merge_fields=True, required_fields="skip")
    assert len(missing_tags(given, AUDIENCE)) == number
    if fits:
        check_audience(given, AUDIENCE)
    else:
        with pytest.raises(ConfigError):
            check_audience(given, AUDIENCE)


@pytest.mark.parametrize(
    ("field", "known", "fits"),
    [
        ("interests.Topics/News", True, True),
        ("interests.Topics/Chess", True, False),
        ("interests.Topics/Chess", False, True),
        ("marketing_permissions.Mail", True, True),
        ("marketing_permissions.Phone", True, False),
        ("tag:Topics/Chess", True, True),
    ],
)
def test_groups_and_permissions_have_to_be_there_where_their_names_were_read(field: str, known: bool, fits: bool) -> None:
    """A tag need not be: it is made."""
    groups = Groups()
    groups.add_interests("Topics", [{"id": "i1", "name": "News"}])
    groups.add_permissions([{"text": "Mail", "marketing_permission_id": "p1"}])
    given, audience = config({"column": "a", "field": field}), Audience("a1", groups=groups if known else None)
    if fits:
        check_audience(given, audience)
    else:
        with pytest.raises(ConfigError, match=field.rpartition("/")[2].rpartition(".")[2]):
            check_audience(given, audience)
    assert names_groups(given) is not field.startswith("tag:")


REQUIRING = Audience(
    "a1", merge_fields={tag: MergeField(tag, "text", required=tag != "AGE") for tag in ("FNAME", "PHONE", "COMPANY", "AGE")}
)


@pytest.mark.parametrize(
    ("rules", "options", "missing"),
    [
        ([], {}, ["COMPANY"]),
        ([MAIL], {}, ["COMPANY"]),
        ([{"column": "a", "field": "custom_fields.company"}], {}, []),
        ([{"column": "a", "field": "custom_fields"}], {}, []),
        ([MAIL], {"unmapped_columns": "merge_fields"}, []),
    ],
)
def test_required_merge_fields_are_filled_by_a_rule_or_a_name(rules: list[Json], options: Json, missing: list[str]) -> None:
    """Names, phone and address have columns by their names; all others need a rule. Without any rule records may bring them."""
    given = config(*rules, **options)
    assert unmapped_required(given, REQUIRING) == missing
    if missing and rules:
        with pytest.raises(ConfigError, match="COMPANY"):
            check_audience(given, REQUIRING)
        check_audience(config(*rules, **options, required_fields="skip"), REQUIRING)
    else:
        check_audience(given, REQUIRING)


def test_a_mistake_says_what_there_is_to_choose_from() -> None:
    """The merge fields of the audience with the nearest, or that there are none; of a constant what its field expects, once."""
    given = config({"column": "a", "field": "custom_fields.AGEE"})
    with pytest.raises(ConfigError, match=r"AGEE \(did you mean AGE\?\).*ADDRESS, AGE, EMPTY"):
        check_audience(given, AUDIENCE)
    with pytest.raises(ConfigError, match="from none"):
        check_audience(given, Audience("a1"))
    for rule in ({"value": "old", "field": "custom_fields.AGE"}, {"value": "old", "field": "custom_fields.AGE", "format": "number"}):
        with pytest.raises(ConfigError, match=r"^[^:]*custom_fields\.AGE in field_mapping is invalid: expects a number[^:]*$"):
            check_audience(config(rule), AUDIENCE)


def test_every_required_merge_field_is_named_and_the_first_is_the_example() -> None:
    """In Mailchimp's order."""
    audience = Audience("a1", merge_fields={tag: MergeField(tag, "text", required=True) for tag in ("COMPANY", "SIZE", "AGE")})
    with pytest.raises(ConfigError, match=r"COMPANY, SIZE, AGE.* Map a column to custom_fields\.COMPANY"):
        check_audience(config(MAIL), audience)


# Merge fields to come.


def planned(rule: Json, properties: Json) -> dict[str, PlannedField]:
    """Return the merge fields that a stream with a rule names."""
    return dict(planned_fields(Columns([Rule.model_validate(rule)], known=list(properties)), properties))


@pytest.mark.parametrize(
    ("rule", "type_", "label"),
    [
        ({"column": "Since", "field": "custom_fields.X"}, "date", "Since"),
        ({"column": "SINCE", "field": "custom_fields.X"}, "date", "SINCE"),
        ({"column": "Stage", "field": "custom_fields.X"}, "text", "Stage"),
        ({"column": "Age", "field": "custom_fields.X"}, "number", "Age"),
        ({"column": "Age", "field": "custom_fields.X", "prefix": "about "}, "text", "Age"),
        ({"column": "Stage", "field": "custom_fields.X", "format": "number"}, "number", "Stage"),
        ({"column": "Stage", "field": "custom_fields.X", "format": "DD/MM/YYYY"}, "date", "Stage"),
        ({"column": "Age", "field": "custom_fields.X", "format": "epoch_seconds"}, "date", "Age"),
        ({"column": "Age", "field": "custom_fields.X", "format": "number", "prefix": "$"}, "text", "Age"),
        ({"column": "Stage", "field": "custom_fields.X.city"}, "address", "X"),
        ({"value": "web", "field": "custom_fields.X"}, "text", "X"),
    ],
)
def test_a_merge_field_that_is_missing_is_created_with_type_and_label_of_its_column(rule: Json, type_: str, label: str) -> None:
    """A prefix makes text of everything, a format says what is read, a part belongs to a postal address."""
    found = planned(rule, {**PROPERTIES, "Age": {"type": ["null", "integer"]}})

    assert found == {"X": PlannedField("X", label, type_)}
    assert str(found["X"]) == f"X ({type_})"


def test_rules_that_name_no_merge_field_or_whose_column_is_not_there_plan_none() -> None:
    """Only what the stream can fill."""
    assert planned({"column": "Stage", "field": "tags"}, PROPERTIES) == {}
    assert planned({"column": "Other", "field": "custom_fields.X"}, PROPERTIES) == {}
    assert set(planned_by_rules(config(MAIL, {"column": "Other", "field": "custom_fields.X"}))) == {"X"}


@pytest.mark.parametrize(
    ("schema", "known", "found"),
    [
        ({"properties": {"age": {"type": "number"}, "much too long": {}, "B-C": {}}}, ["email", "list_id"], {"AGE": "number"}),
        ({"properties": {"age": {"type": "number"}}}, ["email"], {}),
        ({"properties": []}, ["email", "list_id"], {}),
        ({}, ["email", "list_id"], {}),
        (True, ["email", "list_id"], {}),
    ],
)
def test_a_stream_of_contacts_names_merge_fields_in_its_schema(schema: Any, known: list[str], found: dict[str, str]) -> None:
    """Under custom_fields, by tags that Mailchimp takes; in any other table such a column fills nothing."""
    properties = {**{name: {} for name in known}, "custom_fields": schema}

    assert {tag: one.type for tag, one in planned_fields(Columns(known=list(properties)), properties).items()} == found


@pytest.mark.parametrize(
    ("value", "asked_for", "missing"),
    [("L", [], ["LEVELS"]), ("L", ["LEVELS"], []), (None, [], []), ("  ", [], [])],
)
def test_a_merge_field_is_created_when_a_record_fills_it(value: Any, asked_for: list[str], missing: list[str]) -> None:
    """Once, and only where a rule names it and the audience lacks it."""
    by_tag = {tag: PlannedField(tag, tag, "text") for tag in ("LEVELS", "AGE")}
    contact = MappedContact({"email": "a@x.org", "custom_fields": {"levels ": value, "AGE": 7, "OTHER": "x"}})
    arrivals = [Arrival(Entry((None, "s"), 0, number), contact, planned=by_tag) for number in (1, 2)]

    assert [one.tag for one in missing_fields(arrivals, AUDIENCE, asked_for)] == missing


# Words.


@pytest.mark.parametrize(("number", "more"), [(1, 0), (50, 0), (51, 1), (60, 10)])
def test_fifty_names_are_shown(number: int, more: int) -> None:
    """And how many more there are."""
    words = shown(f"c{place}" for place in range(number))
    assert words.count(",") == min(number, 50) - 1
    assert words.endswith(f" and {more} more") if more else "more" not in words


def test_what_a_rule_says_is_shown_before_any_column_is_known() -> None:
    """With its stream where it names one, and what it ignores."""
    given = config(
        {"column": "a", "field": "ignore"},
        {"column": "b", "field": "tags", "stream": "guests"},
        {"column": "c", "field": "ignore", "stream": "guests"},
        {"value": "v", "field": "tags"},
    )
    assert described_rules(given) == 'a is ignored, tags <- b (stream guests), c is ignored (stream guests), tags <- "v"'


def test_columns_are_shown_by_what_becomes_of_them() -> None:
    """Filled, merge fields by their own name, left alone; a stream that fills nothing says so."""
    columns = Columns(
        [Rule.model_validate({"column": "Off", "field": "ignore"})], known=["email", "AGE", "Off", "_ab_id"], merge_extras=True
    )
    assert described("people", columns) == "people: email <- email; merge fields of the same name: AGE; ignored: Off"
    assert described("people", Columns(known=["AGE"])) == "people: nothing; ignored: AGE"


@pytest.mark.parametrize(("by_hand", "expected"), [(True, ["AGEE (did you mean AGE?)", "ZEBRA"]), (False, [])])
def test_a_column_that_was_named_by_hand_for_no_merge_field_is_told(by_hand: bool, expected: list[str]) -> None:
    """With the nearest that there is; what a table happens to have is nobody's mistake."""
    columns = Columns(known=["email", "age", "AGEE", "ZEBRA"], by_hand=by_hand, merge_extras=True)
    assert unmatched(columns, ["AGE", "FNAME"]) == expected


# Rules.


@pytest.mark.parametrize(
    ("rule", "valid"),
    [
        ({"column": "a", "field": "tags", "separator": ";"}, True),
        ({"column": "a", "field": "tags_to_remove", "separator": ";"}, True),
        ({"column": "a", "field": "tag:VIP", "separator": ";"}, False),
        ({"column": "a", "field": "vip", "separator": ";"}, False),
        ({"column": "a", "field": "tags", "prefix": "x"}, True),
        *(({"column": "a", "field": field, "prefix": "x"}, True) for field in ("first_name", "last_name", "full_name", "custom_fields.A")),
        *(({"column": "a", "field": field, "prefix": "x"}, False) for field in ("vip", "email", "custom_fields.A.city", "tag:VIP")),
        *(({"column": "a", "field": f, "format": "DD/MM/YYYY"}, True) for f in ("timestamp_signup", "timestamp_opt", "custom_fields.A")),
        *(({"column": "a", "field": f, "format": "DD/MM/YYYY"}, False) for f in ("first_name", "tags", "custom_fields.A.city", "vip")),
        ({"column": "a", "field": "custom_fields.A", "format": "foo"}, False),
        ({"column": "a", "field": "ignore"}, True),
        ({"value": "a", "field": "ignore"}, False),
        ({"value": "a", "field": "vip"}, True),
    ],
)
def test_a_rule_may_say_what_its_field_can_use(rule: Json, valid: bool) -> None:
    """A separator for lists, a prefix for words, a format for dates and numbers, and a column to ignore."""
    one = Rule.model_validate(rule)
    if valid:
        assert filler_of(one).origin == (rule.get("column") or f'"{rule["value"]}"')
    else:
        with pytest.raises(ValueError, match=str(rule["field"])):
            filler_of(one)
