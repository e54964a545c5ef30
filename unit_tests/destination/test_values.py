from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from destination_mailchimp_unified.config import Mapping
from destination_mailchimp_unified.intake.columns import Columns
from destination_mailchimp_unified.intake.values import WRITABLE, unified_value
from mailchimp_unified.entities.contact import READ_ONLY, ROUTING, to_mailchimp
from mailchimp_unified.entities.merge_field import InvalidValueError, MergeField, value_to_mailchimp
from mailchimp_unified.schemas import load_schema

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "type", "phone", "enabled", "latitude"]), inner, max_size=3)
    ),
    max_leaves=6,
)
TYPES = ["text", "number", "address", "phone", "date", "url", "imageurl", "radio", "dropdown", "birthday", "zip"]


def attempt(convert: Any, *arguments: Any) -> tuple[Any, str | None]:
    """What a conversion gives, or the name of the field for which it refuses."""
    try:
        return convert(*arguments), None
    except InvalidValueError as error:
        return None, error.tag


@given(st.sampled_from(sorted(WRITABLE)), JSON)
def test_any_value_is_taken_or_refused_by_name(name: str, value: Any) -> None:
    """Whatever stands in a column, it becomes a value of its field or a refusal that names the field."""
    taken, refused = attempt(unified_value, name, value)
    assert refused in (None, name)
    if refused is None:
        contact = {"email": "a@x.org", name: taken} if name != "email" else {"email": taken or "a@x.org"}
        attempt(to_mailchimp, contact, {})


@given(st.sampled_from(TYPES), JSON, st.sampled_from(["", "US"]))
def test_any_merge_value_is_converted_or_refused_by_tag(type_: str, value: Any, phone_format: str) -> None:
    """A merge value becomes what JSON and Mailchimp take, and stays the same when it is converted again, or is refused."""
    definition = MergeField("TAG", type_, choices=("Red",), phone_format=phone_format)
    sent, refused = attempt(value_to_mailchimp, definition, value)
    assert refused in (None, "TAG")
    if refused is None:
        assert isinstance(sent, (str, int, float, dict))
        assert value_to_mailchimp(definition, sent) == sent


def test_every_property_of_the_schema_is_written_or_ignored() -> None:
    """What the schema has, a writer takes, routes by, or ignores by rule."""
    assert set(load_schema("contacts")["properties"]) == WRITABLE | READ_ONLY | (ROUTING & {"id"})


@given(st.sampled_from(sorted(WRITABLE | READ_ONLY)), st.sampled_from([str.upper, str.lower, str.title]))
def test_names_match_in_any_case(name: str, case: Any) -> None:
    """A column reaches the field of its name, whatever the case; what is read only reaches nothing."""
    assert Columns().targets(case(name)) == ((name,) if name in WRITABLE else ())
    assert Columns(merge_extras=True).targets(case(name)) == ((name,) if name in WRITABLE else ())
    assert Columns(merge_extras=True).targets(f"_airbyte_{name}") == ()


def test_mapping_wins_over_name() -> None:
    """A mapped column fills its field; the column that is named like the field gives way."""
    columns = Columns([Mapping(column="Mail", field="email"), Mapping(column="mail", field="custom_fields.MAIL")])
    contact = columns.contact({"EMAIL": "not@this.one", "MAIL": "a@x.org", "other": 1})
    assert contact.unified == {"email": "a@x.org", "custom_fields": {"MAIL": "a@x.org"}}


def test_a_mapping_is_for_streams_that_have_its_column() -> None:
    """A column that is named like a field gives way only in a stream that has the mapped column."""
    mapping = [Mapping(column="Mail", field="email")]
    assert Columns(mapping, known=frozenset({"email", "mail"})).targets("email") == ()
    assert Columns(mapping, known=frozenset({"email"})).targets("Email") == ("email",)
