"""A form library that knows nothing of us draws both specifications as forms that people can fill in.

Airbyte's own keywords are put into the library's words by `page/translate.js`, from the specification alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import jsonschema
import pytest
from pydantic import SecretStr

from destination_mailchimp_unified.config import DestinationConfig
from integration_tests.forms.browser import Browser, Step, Visit, in_ci, missing, specification
from integration_tests.forms.filling import LOOK, MADE_UP, PICKED, SUBMIT, UNFOLD, choose, enter, fill, is_folded, visible
from mailchimp_unified.config import OAuthCredentials, parse_config
from source_mailchimp_unified.config import SourceConfig
from unit_tests.specs import Field, Schema, discriminator, fields

LACKING = missing()
if LACKING and not in_ci():
    pytest.skip(LACKING, allow_module_level=True)

MODELS = {"source": SourceConfig, "destination": DestinationConfig}
PARSED, SUBMITTED = f"{PICKED}:00+00:00", f"{PICKED}:00.000Z"
KEY = "0123456789abcdef0123456789abcdef-us6"


class Form:
    """The form of one connector."""

    def __init__(self, connector: str, browser: Browser) -> None:
        self.connector = connector
        self._browser = browser
        self.schema: Schema = specification(connector)["connectionSpecification"]

    def visit(self, *steps: Step) -> Visit:
        """Take the steps in a new page. In each case, the page requests only its own files and reports no problems."""
        seen = self._browser.visit(self.connector, *steps)
        assert seen.problems == []
        assert len(seen.requested) == len(("page", "style", "script"))
        assert all(address.startswith("file:///") for address in seen.requested)
        return seen

    def options(self) -> dict[str, Schema]:
        """Return the ways of signing in, by their constant."""
        return {discriminator(option)[1]: option for option in self.schema["properties"]["credentials"]["oneOf"]}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless browser."""
    assert LACKING is None, LACKING
    with closing(Browser()) as opened:
        yield opened


@pytest.fixture(params=["source", "destination"])
def form(request: pytest.FixtureRequest, browser: Browser) -> Form:
    """The form of a connector."""
    return Form(request.param, browser)


def test_every_field_stands_in_its_group_and_place(form: Form) -> None:
    """Every field but the hidden ones has its title, in the order of groups and places; optional ones are folded at first."""
    seen = form.visit(LOOK)

    assert [(section["title"], rows(section)) for section in seen.looks[0]["sections"]] == sections(form.schema)
    assert all(one["visible"] != one["folded"] for one in seen.fields().values())


def rows(section: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """Return path, title and whether it is folded of the fields of the top level in a section."""
    return [(one["path"], one["title"], one["folded"]) for one in section["fields"] if "." not in one["path"]]


def sections(schema: Schema) -> list[tuple[str, list[tuple[str, str, bool]]]]:
    """Return what the specification says about sections and their rows."""
    described = [(name, schema["properties"][name]) for name in visible(schema)]
    return [
        (group["title"], [(name, one["title"], is_folded(schema, name)) for name, one in described if one["group"] == group["id"]])
        for group in schema["groups"]
    ]


def test_what_is_hidden_is_nowhere(form: Form) -> None:
    """No field for Airbyte's hidden properties and for constants, and not a word of theirs, even when all is unfolded."""
    hidden = [name for name, below in form.schema["properties"].items() if below.get("airbyte_hidden")]

    seen = form.visit(UNFOLD, LOOK)

    assert hidden
    for name in hidden:
        assert not [path for path in seen.fields() if path.split(".")[0] == name]
        assert form.schema["properties"][name]["title"] not in seen.looks[0]["text"]
    assert not [path for path in seen.fields() if path.endswith(".auth_type")]


def test_secrets_are_masked_whichever_way_one_signs_in(form: Form) -> None:
    """Each way of signing in shows its own fields; secrets, and nothing else, are typed into masked inputs."""
    options = list(form.options().values())
    objects = {name: below["properties"] for name, below in form.schema["properties"].items() if "properties" in below}
    elsewhere = {f"{name}.{one}": below.get("airbyte_secret") for name, level in objects.items() for one, below in level.items()}

    seen = form.visit(*[step for option in options for step in (choose("credentials", option["title"]), UNFOLD, LOOK)])

    for look, option in enumerate(options):
        shown = {path: one for path, one in seen.fields(look).items() if path.startswith("credentials.")}
        secret = {f"credentials.{name}" for name, below in option["properties"].items() if below.get("airbyte_secret")}
        assert list(shown) == [f"credentials.{name}" for name in visible(option)]
        assert all(one["visible"] for one in shown.values())
        masked = {path for path, one in seen.fields(look).items() if one["type"] == "password"}
        assert masked - set(elsewhere) == secret
        assert masked - secret == {path for path, is_secret in elsewhere.items() if is_secret}


def test_a_wrong_key_meets_words_and_a_good_one_none(form: Form) -> None:
    """A mistyped key shows the words of its pattern when one leaves the field and when one saves, and nothing is saved until it is right."""
    option = form.options()["apikey"]
    words = option["properties"]["apikey"]["pattern_descriptor"]
    steps = [choose("credentials", option["title"]), enter("credentials.apikey", KEY.partition("-")[0]), LOOK, SUBMIT, LOOK]

    seen = form.visit(*steps, enter("credentials.apikey", KEY), LOOK, SUBMIT, LOOK)

    errors = [seen.fields(look)["credentials.apikey"]["errors"] for look in range(4)]
    assert errors == [[f"must be: {words}"], [f"must be: {words}"], [], []]
    assert [look["submitted"] is not None for look in seen.looks] == [False, False, False, True]


def test_every_pattern_speaks_in_words(form: Form) -> None:
    """A field with a pattern shows its descriptor, and never the pattern, when something else is typed; its example is taken."""
    # What is picked, such as a date, cannot be mistyped.
    typed = [field for field in fields(form.schema) if "pattern" in field.schema and "format" not in field.schema]

    seen = form.visit(*[step for field in typed for step in mistyped_and_mended(form, field)])

    assert typed
    for number, field in enumerate(typed):
        path, _ = located(form, field.path)
        assert seen.fields(2 * number)[path]["errors"] == [f"must be: {field.schema['pattern_descriptor']}"]
        assert field.schema["pattern"] not in seen.looks[2 * number]["text"]
        assert seen.fields(2 * number + 1)[path]["errors"] == []


def mistyped_and_mended(form: Form, field: Field) -> list[Step]:
    """Return the steps that type something wrong into a field, then its example, with a look after each."""
    path, preparation = located(form, field.path)
    return [*preparation, enter(path, "?!"), LOOK, enter(path, field.schema["examples"][0]), LOOK]


def located(form: Form, path: str) -> tuple[str, list[Step]]:
    """Return the path of a field in the form, with the steps that make it appear."""
    if "[]" in path:
        return path.replace("[]", ".0"), [UNFOLD, {"act": "add", "path": path.partition("[]")[0]}]
    if "[" not in path:
        return path, [UNFOLD]
    parent, _, rest = path.partition("[")
    option, _, name = rest.partition("]")
    return f"{parent}{name}", [choose(parent, form.options()[option]["title"]), UNFOLD]


def test_a_rule_of_the_mapping_is_two_fields_at_first(browser: Browser) -> None:
    """A new rule of the field mapping shows its column and its field; what few need is folded, and two fields make a rule."""
    form = Form("destination", browser)
    add: Step = {"act": "add", "path": "field_mapping"}
    two = [enter("field_mapping.0.column", "Attendee Email"), enter("field_mapping.0.field", "email")]
    key = [choose("credentials", form.options()["apikey"]["title"]), enter("credentials.apikey", KEY)]

    seen = form.visit(*key, add, LOOK, *two, SUBMIT, LOOK)

    shown = [path for path, one in seen.fields(0).items() if path.startswith("field_mapping.0.") and one["visible"]]
    assert shown == ["field_mapping.0.column", "field_mapping.0.field"] or set(shown) == {"field_mapping.0.column", "field_mapping.0.field"}
    assert seen.submitted is not None
    assert seen.submitted["field_mapping"] == [{"column": "Attendee Email", "field": "email"}]
    parse_config(MODELS["destination"], seen.submitted)


@pytest.mark.parametrize("option", ["apikey", "oauth2.0"])
def test_what_is_filled_in_is_a_configuration(form: Form, option: str) -> None:
    """With every field filled in, the form makes a configuration that the specification and our own model accept, value by value."""
    entered = form.visit(UNFOLD, *everything(form, option), SUBMIT, LOOK).submitted

    assert entered is not None
    assert set(entered) == set(visible(form.schema))
    jsonschema.Draft7Validator(form.schema, format_checker=jsonschema.FormatChecker()).validate(entered)
    parsed = parse_config(MODELS[form.connector], entered).model_dump(mode="json", exclude_none=True)
    assert {name: parsed[name] for name in entered if name != "credentials"} == as_parsed(entered)
    assert entered["credentials"]["auth_type"] == option


def everything(form: Form, option: str) -> Iterator[Step]:
    """Yield the steps that fill in every field."""
    for name in visible(form.schema):
        yield from fill(name, form.schema["properties"][name], option)


def as_parsed(entered: dict[str, Any]) -> dict[str, Any]:
    """Return what was entered as the model shows it: moments without fractions of a second, and secrets as stars."""
    return {name: _as_parsed(value) for name, value in entered.items() if name != "credentials"}


def _as_parsed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _as_parsed(below) for name, below in value.items()}
    return PARSED if value == SUBMITTED else str(SecretStr(value)) if value == MADE_UP else value


def test_changing_the_way_of_signing_in_leaves_nothing_behind(form: Form) -> None:
    """Who typed a key and then signs in with a token saves the token alone."""
    ways = form.options()
    steps = [choose("credentials", ways["apikey"]["title"]), enter("credentials.apikey", KEY)]

    seen = form.visit(*steps, choose("credentials", ways["oauth2.0"]["title"]), enter("credentials.access_token", "made-up"), SUBMIT, LOOK)

    assert seen.submitted is not None
    assert seen.submitted["credentials"] == {"auth_type": "oauth2.0", "access_token": "made-up"}
    assert isinstance(parse_config(MODELS[form.connector], seen.submitted).credentials, OAuthCredentials)
