"""A configuration as forms and files give it: nothing means not set, 6.0 is 6, and unknown keys are found."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from pydantic import BaseModel

from destination_mailchimp_unified.config import DestinationConfig, parse_destination_config
from mailchimp_unified.config import parse_config, unknown_keys
from mailchimp_unified.errors import ConfigError
from source_mailchimp_unified.config import SourceConfig
from unit_tests.specs import model_schema

LEAST = {"credentials": {"auth_type": "apikey", "apikey": "0123456789abcdef0123456789abcdef-us6"}}
MODELS = [SourceConfig, DestinationConfig]
OPTIONAL = [(model, name) for model in MODELS for name, field in model.model_fields.items() if not field.is_required()]
WHOLE = [(model, name) for model, name in OPTIONAL if model_schema(model)["properties"][name].get("type") == "integer"]


@pytest.mark.parametrize(("model", "name"), OPTIONAL, ids=lambda value: value if isinstance(value, str) else value.__name__)
@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_nothing_means_not_set(model: type[BaseModel], name: str, nothing: Any) -> None:
    """Null and blank text leave every optional key at its default."""
    assert parse_config(model, {**LEAST, name: nothing}) == parse_config(model, LEAST)


@pytest.mark.parametrize(("model", "name"), WHOLE, ids=lambda value: value if isinstance(value, str) else value.__name__)
def test_a_whole_float_is_a_whole_number(model: type[BaseModel], name: str) -> None:
    """6.0 is 6 for a key that wants a whole number, and 6.5 is refused."""
    whole = getattr(parse_config(model, {**LEAST, name: 6.0}), name)
    assert (whole, type(whole)) == (6, int)
    with pytest.raises(ConfigError, match=name):
        parse_config(model, {**LEAST, name: 6.5})


@pytest.mark.parametrize(
    ("key", "nothing"), [(key, nothing) for key in ("prefix", "separator", "format", "stream", "value") for nothing in (None, "")]
)
def test_nothing_means_not_set_within_a_rule(key: str, nothing: Any) -> None:
    """The same holds for the optional keys of an object in a list, and for rows of a list that nobody filled in."""
    rule = {"column": "a", "field": "email"}
    config = {**LEAST, "field_mapping": [{**rule, key: nothing}, None, ""], "managed_tags": ["", None, "x"]}
    assert parse_config(DestinationConfig, config) == parse_config(
        DestinationConfig, {**LEAST, "field_mapping": [rule], "managed_tags": ["x"]}
    )


@pytest.mark.parametrize("nothing", [None, ""])
@pytest.mark.parametrize("model", MODELS)
def test_what_is_required_cannot_be_nothing(model: type[BaseModel], nothing: Any) -> None:
    """Credentials that are set to nothing are a mistake with words of its own."""
    with pytest.raises(ConfigError, match=r"^credentials must be an object \(it is (empty|a string)\)\. Correct it\.$"):
        parse_config(model, {"credentials": nothing})


@pytest.mark.parametrize(
    ("rule", "words"),
    [(1, r"field_mapping\.0 must be an object \(it is 1\)\."), ({"field": ""}, r"field_mapping\.0\.field is empty\. Fill it in\.")],
)
def test_a_mistake_in_a_rule_is_told_without_the_words_of_python(rule: Any, words: str) -> None:
    """What is not an object, and a name without a letter, are mistakes in words that a form could use."""
    with pytest.raises(ConfigError, match=words):
        parse_config(DestinationConfig, {**LEAST, "field_mapping": [rule]})


@pytest.mark.parametrize(
    ("model", "config", "found"),
    [
        (SourceConfig, {"num_worker": 3}, [("num_worker", "num_workers")]),
        (SourceConfig, {"start-date": "2024-01-01", "airport": 1}, [("start-date", "start_date"), ("airport", None)]),
        (DestinationConfig, {"dryrun": True}, [("dryrun", "dry_run")]),
        (DestinationConfig, {"field_mapping": [{"column": "a", "feild": "email"}]}, [("field_mapping[0].feild", "field")]),
        (DestinationConfig, {"credentials": {**LEAST["credentials"], "api_key": "x"}}, [("credentials.api_key", "apikey")]),
        (DestinationConfig, {"credentials": {"auth_type": "oauth2.0", "access_token": "t", "client_id": "a", "client_secret": "b"}}, []),
        (DestinationConfig, {"__injected": {}, "_platform": 1}, []),
    ],
)
def test_unknown_keys_are_found_with_the_nearest_known_one(model: type[BaseModel], config: Any, found: Any) -> None:
    """Every key that a model does not have is found, at every depth; keys of the platform and of the sign-in are known."""
    assert [(key.path, key.nearest) for key in unknown_keys(model, {**LEAST, **config})] == found


def test_the_destination_refuses_what_is_nearly_an_option() -> None:
    """A key near a known one is an error for the destination, naming what was meant; a far one is only warned about."""
    with pytest.raises(ConfigError, match=r"dryrun \(did you mean dry_run\?\)"):
        parse_destination_config({**LEAST, "dryrun": True}, logging.getLogger())
    assert parse_destination_config({**LEAST, "airport": 1}, logging.getLogger()) == DestinationConfig.model_validate(LEAST)
