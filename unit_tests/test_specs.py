"""Both specifications make good forms, pass Airbyte's own lint, and say what the code behind them does."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jsonschema
import pytest
from airbyte_cdk.models import ConnectorSpecification, ConnectorSpecificationSerializer
from airbyte_cdk.sources.declarative.models.declarative_component_schema import AuthFlow
from airbyte_cdk.test.standard_tests._spec_compatibility import compare_specs
from airbyte_cdk.test.standard_tests._spec_lint import assert_spec_is_valid

from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.destination import DestinationMailchimpUnified
from mailchimp_unified.config import ConnectionConfig, parse_config
from source_mailchimp_unified import SourceMailchimpUnified
from source_mailchimp_unified.config import SourceConfig
from unit_tests.specs import Field, Schema, discriminator, fields, model_schema, objects

FORBIDDEN = {
    *("not", "anyOf", "allOf", "patternProperties", "prefixItems", "if", "then", "else"),
    *("dependencies", "dependentSchemas", "dependentRequired", "$ref"),
}
"""What no form of Airbyte draws: https://docs.airbyte.com/connector-development/connector-specification-reference#forbidden-keys."""

SMALL_WORDS = {"a", "an", "and", "by", "for", "if", "in", "may", "of", "on", "or", "the", "to", "with"}

VALIDATED = ("type", "enum", "const", "default", "minimum", "maximum", "minLength")
"""What a specification and a pydantic model can both say of a field."""


@dataclass(frozen=True)
class Spec:
    """A connector's specification and the model that reads its configuration."""

    whole: ConnectorSpecification
    model: type[ConnectionConfig]

    @property
    def form(self) -> Schema:
        """The schema of the configuration."""
        return dict(self.whole.connectionSpecification)

    def fields(self) -> list[Field]:
        """Return every field, nested ones included."""
        return list(fields(self.form))

    @property
    def sign_in(self) -> Any:
        """What the platform is told about signing in, as an object."""
        return ConnectorSpecificationSerializer.dump(self.whole)["advanced_auth"]

    def filled_by(self, part: str) -> set[str]:
        """Return the paths of the fields that the platform fills in itself after signing in."""
        told = self.sign_in["oauth_config_specification"][part]["properties"]
        paths = [below["path_in_connector_config"] for below in told.values()]
        return {f"{first}[{self.sign_in['predicate_value']}].{second}" for first, second in paths}


@pytest.fixture(params=["source", "destination"])
def spec(request: pytest.FixtureRequest) -> Spec:
    """The specification of a connector, as it gives it out."""
    log = logging.getLogger("test")
    if request.param == "source":
        return Spec(SourceMailchimpUnified().spec(log), SourceConfig)
    return Spec(DestinationMailchimpUnified().spec(log), DestinationConfig)


def test_airbytes_lint_passes(spec: Spec) -> None:
    """The CDK's standard test of a specification finds nothing."""
    assert_spec_is_valid(spec.whole, connector_name=spec.model.__name__)
    jsonschema.Draft7Validator.check_schema(spec.form)


def test_the_compatibility_check_of_airbyte_can_read_it(spec: Spec) -> None:
    """A specification is compatible with itself, and one that lost an optional field is not."""
    whole = ConnectorSpecificationSerializer.dump(spec.whole)
    form = whole["connectionSpecification"]
    properties = {name: below for name, below in form["properties"].items() if name != "num_workers"}
    smaller = {**whole, "connectionSpecification": {**form, "properties": properties}}

    assert compare_specs(whole, whole).is_backward_compatible
    assert not compare_specs(whole, smaller).is_backward_compatible


def test_the_specification_is_the_model(spec: Spec) -> None:
    """Names, types, defaults, bounds, choices and what is required are those of the model, in both directions."""
    application = spec.filled_by("complete_oauth_server_output_specification")
    described = {field.path: rules(field) for field in spec.fields()}

    assert application <= set(described)
    assert {path: said for path, said in described.items() if path not in application} == {
        field.path: rules(field) for field in fields(model_schema(spec.model))
    }


def rules(field: Field) -> Schema:
    """Return what is said of a field's values. A default of null or of nothing says that the field may be left out."""
    said = {key: field.schema[key] for key in VALIDATED if field.schema.get(key) not in (None, [])}
    return {"type": "object" if "oneOf" in field.schema else None, **said, "required": field.required}


def test_every_field_has_words(spec: Spec) -> None:
    """Fields, options and groups have titles in title case; fields and options have descriptions in sentences."""
    options = [option for field in spec.fields() for option in field.schema.get("oneOf", ())]
    described = [*(field.schema for field in spec.fields()), *options]

    assert [one["title"] for one in [*described, *spec.form["groups"]] if not is_title(one["title"])] == []
    assert [one["title"] for one in described if not re.fullmatch(r"[A-Z].{10,}\.", one["description"])] == []


def is_title(title: str) -> bool:
    """Tell whether all words but small ones begin with a capital, a digit or a bracket, the first one always."""
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


@pytest.mark.parametrize("option", ["apikey", "oauth2.0"])
def test_a_configuration_of_examples_is_accepted(spec: Spec, option: str) -> None:
    """The specification and the model both take a configuration that is made of nothing but examples and defaults."""
    config = {name: sample(below, option) for name, below in spec.form["properties"].items()}

    jsonschema.Draft7Validator(spec.form).validate(config)
    parse_config(spec.model, config)


def sample(schema: Schema, option: str) -> Any:
    """Return a value for a field: an example, the default, or an object of such."""
    for chosen in schema.get("oneOf", ()):
        if discriminator(chosen)[1] == option:
            return {name: sample(below, option) for name, below in chosen["properties"].items()}
    examples = [*schema.get("examples", ()), schema.get("const"), schema.get("default"), "made-up-token"]
    return next(value for value in examples if value is not None)


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
    """Whoever mistypes reads words, not a regular expression; there are no words without a pattern."""
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


def test_every_secret_is_masked(spec: Spec) -> None:
    """Secret are the fields that the model keeps as secrets and those of the application, and no others."""
    secret = {field.path for field in fields(model_schema(spec.model)) if field.schema.get("format") == "password"}

    assert secret
    assert {field.path for field in spec.fields() if field.schema.get("airbyte_secret")} == secret | spec.filled_by(
        "complete_oauth_server_output_specification"
    )


def test_what_few_need_is_folded(spec: Spec) -> None:
    """The address of the API is hidden; advanced options are folded; only optional fields say that they always show."""
    top = spec.form["properties"]
    shown = {name for name, below in top.items() if below.get("always_show") or name in spec.form["required"]}

    assert {field.path for field in spec.fields() if field.schema.get("airbyte_hidden")} == {"api_url"}
    assert not [name for name, below in top.items() if below["group"] == "advanced" and name in shown]
    assert not [field.path for field in spec.fields() if field.schema.get("always_show") and field.required]
    assert {"credentials"} < shown < set(top)
    assert len(shown) <= len(top) / 2


def test_the_sign_in_fits_the_form(spec: Spec) -> None:
    """What `advanced_auth` says has the form that the CDK knows, and every path in it is a secret of the form."""
    secrets = {field.path for field in spec.fields() if field.schema.get("airbyte_secret")}
    first, second = spec.sign_in["predicate_key"]
    constants = [option["properties"][second]["const"] for option in spec.form["properties"][first]["oneOf"]]

    AuthFlow.parse_obj(spec.sign_in)
    assert spec.sign_in["predicate_value"] in constants
    assert spec.filled_by("complete_oauth_output_specification") <= secrets
    assert spec.filled_by("complete_oauth_server_output_specification") <= secrets
