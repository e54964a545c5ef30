"""Both specifications pass Airbyte's own lint, and say what the code behind them does."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest
from airbyte_cdk.models import ConnectorSpecificationSerializer
from airbyte_cdk.sources.declarative.models.declarative_component_schema import AuthFlow
from airbyte_cdk.test.standard_tests._spec_compatibility import compare_specs
from airbyte_cdk.test.standard_tests._spec_lint import assert_spec_is_valid

from mailchimp_unified.config import parse_config
from mailchimp_unified.errors import ConfigError
from unit_tests.specs import Field, Schema, Spec, discriminator, fields, model_schema, specs

VALIDATED = ("type", "enum", "const", "default", "minimum", "maximum", "minLength")
"""What a specification and a pydantic model can both say of a field."""


@pytest.fixture(params=["source", "destination"])
def spec(request: pytest.FixtureRequest) -> Spec:
    """The specification of a connector."""
    return specs()[request.param]


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
    modelled = {field.path: rules(field) for field in fields(model_schema(spec.model))}
    # Choices that the model does not list are those of a validator: the next test asks it.
    for path in described.keys() & modelled.keys():
        modelled[path].setdefault("enum", described[path].get("enum"))
        described[path].setdefault("enum", None)

    assert application <= set(described)
    assert {path: said for path, said in described.items() if path not in application} == modelled


def rules(field: Field) -> Schema:
    """Return what is said of a field's values. A default of null or of nothing says that the field may be left out."""
    said = {key: field.schema[key] for key in VALIDATED if field.schema.get(key) not in (None, [])}
    return {"type": "object" if "oneOf" in field.schema else None, **said, "required": field.required}


def test_the_model_takes_the_choices_and_no_others(spec: Spec) -> None:
    """Every choice of the specification is accepted by the model, and a choice that nobody offers is refused."""
    least = {name: sample(spec.form["properties"][name], "apikey") for name in spec.form["required"]}
    choices = [(field, value) for field in spec.fields() if "enum" in field.schema for value in field.schema["enum"]]

    def chosen(field: Field, value: str) -> dict[str, Any]:
        return {**least, field.path.removesuffix("[]"): [value] if field.is_item else value}

    assert choices
    for field, value in choices:
        parse_config(spec.model, chosen(field, value))
        with pytest.raises(ConfigError, match=re.escape(field.path.removesuffix("[]"))):
            parse_config(spec.model, chosen(field, "made-up"))


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


def test_every_secret_is_masked(spec: Spec) -> None:
    """Secret are the fields that the model keeps as secrets and those of the application, and no others."""
    secret = {field.path for field in fields(model_schema(spec.model)) if field.schema.get("format") == "password"}

    assert secret
    assert {field.path for field in spec.fields() if field.schema.get("airbyte_secret")} == secret | spec.filled_by(
        "complete_oauth_server_output_specification"
    )


def test_the_sign_in_fits_the_form(spec: Spec) -> None:
    """What `advanced_auth` says has the form that the CDK knows, and every path in it is a secret of the form."""
    secrets = {field.path for field in spec.fields() if field.schema.get("airbyte_secret")}
    first, second = spec.sign_in["predicate_key"]
    constants = [option["properties"][second]["const"] for option in spec.form["properties"][first]["oneOf"]]

    AuthFlow.parse_obj(spec.sign_in)
    assert spec.sign_in["predicate_value"] in constants
    assert spec.filled_by("complete_oauth_output_specification") <= secrets
    assert spec.filled_by("complete_oauth_server_output_specification") <= secrets
