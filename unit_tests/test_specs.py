"""Both specifications make good forms: Airbyte can draw them, and people can understand them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import jsonschema
import pytest

from unit_tests.specs import Schema, Spec, discriminator, objects, specs

FORBIDDEN = {
    *("not", "anyOf", "allOf", "patternProperties", "prefixItems", "if", "then", "else"),
    *("dependencies", "dependentSchemas", "dependentRequired", "$ref"),
}
"""What no form of Airbyte draws: https://docs.airbyte.com/connector-development/connector-specification-reference#forbidden-keys."""

SMALL_WORDS = {"a", "an", "and", "by", "for", "if", "in", "may", "of", "on", "or", "the", "to", "with"}


@pytest.fixture(params=["source", "destination"])
def spec(request: pytest.FixtureRequest) -> Spec:
    """The specification of a connector."""
    return specs()[request.param]


def test_every_field_has_words(spec: Spec) -> None:
    """Fields, options and groups have titles in title case; fields and options have descriptions in sentences."""
    options = [option for field in spec.fields() for option in field.schema.get("oneOf", ())]
    described = [*(field.schema for field in spec.fields()), *options]

    assert [one["title"] for one in [*described, *spec.form["groups"]] if not is_title(one["title"])] == []
    assert [one["title"] for one in described if not re.fullmatch(r"[A-Z].{10,}\.", one["description"])] == []


def is_title(title: str) -> bool:
    """Return whether all words but small ones begin with a capital, a digit or a bracket, the first one always."""
    words = title.split()
    return all(not word[0].islower() or (place > 0 and word in SMALL_WORDS) for place, word in enumerate(words)) and bool(words)


def test_links_lead_to_mailchimp(spec: Spec) -> None:
    """The only markup of a description is a link to a page of Mailchimp, by https; an audience id and an API key have one."""
    link = re.compile(r'<a href="https://mailchimp\.com/(?:help|developer)/[a-z0-9/-]+/">[^<>]+</a>')
    text = {field.path: field.schema["description"] for field in spec.fields()}

    assert [path for path, words in text.items() if re.search("[<>]|https?://(?!localhost)", link.sub("", words))] == []
    assert [path for path in text if re.search(r"(apikey|list_ids?)$", path) and not link.search(text[path])] == []


def test_every_level_has_an_order(spec: Spec) -> None:
    """Every field has its place, and no two of one object have the same."""
    for path, level in objects(spec.form):
        places = [below["order"] for below in level["properties"].values()]
        assert len(set(places)) == len(places), path


def test_groups_are_declared_and_used(spec: Spec) -> None:
    """Every field of the top level is in a declared group, no other field is, and the groups keep the order of the fields."""
    declared = [group["id"] for group in spec.form["groups"]]
    top = sorted(spec.form["properties"].values(), key=lambda below: below["order"])

    assert list(dict.fromkeys(below["group"] for below in top)) == declared
    assert [field.path for field in spec.fields() if "group" in field.schema] == list(spec.form["properties"])


def test_examples_and_defaults_are_valid(spec: Spec) -> None:
    """Every example and default passes the field's own rules, and every text or number to be typed has an example."""
    for field in spec.fields():
        validator = jsonschema.Draft7Validator(field.schema, format_checker=jsonschema.FormatChecker())
        values = [*field.schema.get("examples", ()), *([field.schema["default"]] if "default" in field.schema else ())]
        assert [error.message for value in values for error in validator.iter_errors(value)] == [], field.path
        typed = field.schema["type"] in ("string", "number", "integer", "array") and not {"enum", "const"} & set(field.schema)
        # A token and the application's secret have no form that an example could show.
        assert not typed or values or field.schema.get("airbyte_secret"), field.path


def test_no_keyword_is_forbidden(spec: Spec) -> None:
    """None of the keywords that Airbyte cannot draw is used."""
    assert FORBIDDEN & set(keywords(spec.form)) == set()


def keywords(schema: Schema) -> Iterator[str]:
    """Yield the keywords of a schema and of those inside it; names of properties are no keywords."""
    yield from schema
    items = [schema["items"]] if "items" in schema else []
    for below in [*schema.get("properties", {}).values(), *schema.get("oneOf", ()), *items]:
        yield from keywords(below)


def test_a_pattern_has_its_words(spec: Spec) -> None:
    """A mistyped value shows a description, not a regular expression; there is no description without a pattern."""
    assert [field.path for field in spec.fields() if ("pattern" in field.schema) != ("pattern_descriptor" in field.schema)] == []
    assert all(field.schema["pattern"][0] + field.schema["pattern"][-1] == "^$" for field in spec.fields() if "pattern" in field.schema)


def test_options_are_told_apart_by_a_constant(spec: Spec) -> None:
    """The options of a oneOf are objects that share a required first field, each with a constant of its own."""
    for field in spec.fields():
        options = field.schema.get("oneOf", ())
        names, constants = {discriminator(option)[0] for option in options}, {discriminator(option)[1] for option in options}
        assert (len(names), len(constants)) == ((1, len(options)) if options else (0, 0))
        assert not options or field.schema["type"] == "object"
        for option in options:
            name, _ = discriminator(option)
            assert (option["type"], name in option["required"], option["properties"][name]["order"]) == ("object", True, 0)
            assert option["properties"][name]["type"] == "string"


def test_what_few_need_is_folded(spec: Spec) -> None:
    """The URL of the API is hidden; advanced options are folded; only optional fields say that they always show."""
    top = spec.form["properties"]
    shown = {name for name, below in top.items() if below.get("always_show") or name in spec.form["required"]}

    assert {field.path for field in spec.fields() if field.schema.get("airbyte_hidden")} == {"api_url"}
    assert not [name for name, below in top.items() if below["group"] == "advanced" and name in shown]
    assert not [field.path for field in spec.fields() if field.schema.get("always_show") and field.required]
    assert {"credentials"} < shown < set(top)
    assert len(shown) <= len(top) / 2
