"""A configuration as forms and files give it: nothing means not set, 6.0 is 6, and unknown keys are found."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError, model_validator

from destination_mailchimp_unified.config import DestinationConfig, parse_destination_config
from mailchimp_unified.config import ApiKeyCredentials, ConnectionConfig, is_loopback, parse_config, unknown_keys, usable_list_id
from mailchimp_unified.errors import ConfigError
from source_mailchimp_unified.config import SourceConfig
from unit_tests.specs import model_schema

HEX = "0123456789abcdef0123456789abcdef"
LEAST = {"credentials": {"auth_type": "apikey", "apikey": f"{HEX}-us6"}}
OAUTH = {"auth_type": "oauth2.0", "access_token": "a-token"}
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
    with pytest.raises(ConfigError, match="credentials"):
        parse_config(model, {"credentials": nothing})


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


def refused(config: dict[str, Any], model: type[BaseModel] = ConnectionConfig) -> str:
    """Return the words for a configuration that is refused."""
    with pytest.raises(ConfigError) as raised:
        parse_config(model, config)
    # What pydantic found quotes no value, either.
    cause = raised.value.__context__
    assert isinstance(cause, ValidationError)
    assert "SECRET" not in str(cause)
    return raised.value.message


@pytest.mark.parametrize(
    ("key", "usable"),
    [
        (f"{HEX}-us6", True),
        (f" {HEX}-us6\n", True),
        (f"{HEX}-us1234", True),
        (HEX, False),
        (f"{HEX}-", False),
        (f"{HEX[1:]}-us6", False),
        (f"{HEX}0-us6", False),
        (f"{HEX.upper()}-us6", False),
        (f"{HEX}-us6.example.org", False),
        (f"{HEX}-us", False),
        ("SECRET", False),
    ],
)
def test_a_key_has_32_hex_digits_and_a_data_center(key: str, usable: bool) -> None:
    """The data center becomes part of a host; blanks around the key come with copying."""
    config = {"credentials": {"auth_type": "apikey", "apikey": key}}

    if usable:
        credentials = parse_config(ConnectionConfig, config).credentials
        assert isinstance(credentials, ApiKeyCredentials)
        assert credentials.apikey.get_secret_value() == key.strip()
        assert credentials.data_center == key.strip()[33:]
    else:
        assert refused(config).startswith("credentials.apikey ")


def test_a_key_without_its_data_center_has_words_of_its_own() -> None:
    """Half of a key was copied, which is another mistake than no key."""
    lacking, wrong = (refused({"credentials": {"auth_type": "apikey", "apikey": key}}) for key in (HEX, "SECRET"))

    assert refused({"credentials": {"auth_type": "apikey", "apikey": f"{HEX}-"}}) == lacking != wrong


@pytest.mark.parametrize(
    ("token", "usable"), [("abc", True), (" abc\n", True), ("", False), (" ", False), ("t\u00f6ken", False), ("a\nb", False)]
)
def test_a_token_can_travel_in_a_header(token: str, usable: bool) -> None:
    """Printable ASCII, and something of it."""
    config = {"credentials": {"auth_type": "oauth2.0", "access_token": token}}

    if usable:
        assert parse_config(ConnectionConfig, config) == parse_config(ConnectionConfig, {"credentials": {**OAUTH, "access_token": "abc"}})
    else:
        assert refused(config).startswith("credentials.access_token ")


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://localhost:8800", "http://localhost:8800"),
        ("http://127.0.0.1:8800/", "http://127.0.0.1:8800"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://[::1]:8800", "http://[::1]:8800"),
        (" https://proxy.example.org ", "https://proxy.example.org"),
        ("https://proxy.example.org:8443", "https://proxy.example.org:8443"),
        ("https://10.0.0.1", "https://10.0.0.1"),
        ("http://proxy.example.org", None),
        ("http://10.0.0.1", None),
        ("ftp://localhost", None),
        ("localhost:8800", None),
        ("https://", None),
        ("https://:8443", None),
        ("https://proxy.example.org/3.0", None),
        ("https://proxy.example.org?x=1", None),
        ("https://proxy.example.org#x", None),
        ("https://ada@proxy.example.org", None),
        ("https://:SECRET@proxy.example.org", None),
        ("https://ada:SECRET@proxy.example.org", None),
        ("https://[::1", None),
    ],
)
def test_a_url_of_the_api_is_an_origin_that_keeps_the_credentials_secret(url: str, origin: str | None) -> None:
    """Scheme, host and port, without a slash; unencrypted on this machine only."""
    if origin is None:
        words = refused({**LEAST, "api_url": url})
        assert words.startswith("api_url ")
        assert "SECRET" not in words
    else:
        assert parse_config(ConnectionConfig, {**LEAST, "api_url": url}).api_url == origin


@pytest.mark.parametrize(
    ("host", "here"),
    [("localhost", True), ("127.0.0.1", True), ("::1", True), ("10.0.0.1", False), ("x.org", False), ("localhost.x.org", False)],
)
def test_only_this_machine_reaches_a_loopback(host: str, here: bool) -> None:
    """By name or by address."""
    assert is_loopback(host) is here


@pytest.mark.parametrize(
    ("workers", "usable"), [(0, False), (1, True), (6, True), (10, True), (11, False), ("6", False), (True, False), (6.0, True)]
)
def test_mailchimp_allows_ten_connections(workers: Any, usable: bool) -> None:
    """One at least, ten at most, and a number: https://mailchimp.com/developer/marketing/docs/fundamentals/#api-limits."""
    config = {**LEAST, "num_workers": workers}

    if usable:
        assert parse_config(ConnectionConfig, config).num_workers == workers
    else:
        assert refused(config).startswith("num_workers ")


@pytest.mark.parametrize(
    ("text", "usable"),
    [
        ("a1b2c3d4e5", True),
        (" a1b2c3d4e5 ", True),
        ("a/b", False),
        ("a-b", False),
        ("\u00e41b2", False),
        ("\u0661", False),
        ("", False),
        (" ", False),
    ],
)
def test_an_audience_id_is_letters_and_digits(text: str, usable: bool) -> None:
    """It becomes part of a path."""
    if usable:
        assert usable_list_id(text) == text.strip()
    else:
        with pytest.raises(ValueError, match="audience id"):
            usable_list_id(text)


@pytest.mark.parametrize(
    ("model", "config", "path", "shown"),
    [
        (ConnectionConfig, {}, "credentials", None),
        (ConnectionConfig, {"credentials": "SECRET"}, "credentials", None),
        (ConnectionConfig, {"credentials": {}}, "credentials", None),
        (ConnectionConfig, {"credentials": {"auth_type": "other"}}, "credentials", None),
        (ConnectionConfig, {"credentials": {"auth_type": "apikey"}}, "credentials.apikey", None),
        (ConnectionConfig, {"credentials": {"auth_type": "oauth2.0"}}, "credentials.access_token", None),
        (ConnectionConfig, {"credentials": {"auth_type": "apikey", "apikey": ["SECRET"]}}, "credentials.apikey", "a list"),
        (ConnectionConfig, {**LEAST, "num_workers": 99}, "num_workers", "99"),
        (ConnectionConfig, {**LEAST, "num_workers": 6.5}, "num_workers", "6.5"),
        (ConnectionConfig, {**LEAST, "num_workers": False}, "num_workers", "false"),
        (ConnectionConfig, {**LEAST, "num_workers": "SECRET"}, "num_workers", "a string"),
        (ConnectionConfig, {**LEAST, "num_workers": ["SECRET"]}, "num_workers", "a list"),
        (ConnectionConfig, {**LEAST, "num_workers": {"x": "SECRET"}}, "num_workers", "an object"),
        (ConnectionConfig, {**LEAST, "num_workers": {1}}, "num_workers", "something else"),
        (ConnectionConfig, {**LEAST, "api_url": 5.0}, "api_url", "5.0"),
        (ConnectionConfig, {"credentials": None}, "credentials", None),
        (ConnectionConfig, {"credentials": {"auth_type": "apikey", "apikey": None}}, "credentials.apikey", "empty"),
        (DestinationConfig, {**LEAST, "field_mapping": [{"column": "a"}]}, "field_mapping.0.field", None),
        (
            DestinationConfig,
            {**LEAST, "field_mapping": [{"column": "a", "field": "b"}, {"column": 5, "field": "b"}]},
            "field_mapping.1.column",
            "5",
        ),
        (DestinationConfig, {**LEAST, "managed_tags": ["x", {"y": "SECRET"}]}, "managed_tags.1", "an object"),
    ],
)
def test_a_mistake_is_named_by_its_key_and_never_by_a_text_in_it(model: type[BaseModel], config: Any, path: str, shown: str | None) -> None:
    """The path of the key as the form has it; numbers and kinds may be shown, a text may be a secret."""
    words = refused(config, model)

    assert words.startswith(f"{path} ")
    assert "SECRET" not in words
    assert shown is None or f"(it is {shown})" in words


def test_a_configuration_that_is_no_object_of_its_own_is_named_as_a_whole() -> None:
    """Where no key is to blame."""
    with pytest.raises(ConfigError, match="configuration"):
        parse_config(NoTwins, {"a": 1, "b": 1})


class NoTwins(BaseModel):
    """Two numbers that must differ."""

    a: int
    b: int

    @model_validator(mode="after")
    def _differ(self) -> NoTwins:
        if self.a == self.b:
            raise ValueError("has twins.")
        return self


def test_every_mistake_is_named_once() -> None:
    """All that is wrong, so that nobody has to come back for the next."""
    words = refused({"credentials": {"auth_type": "apikey"}, "num_workers": 0, "api_url": "x"})

    assert [words.count(key) for key in ("credentials.apikey", "num_workers", "Please give scheme")] == [1, 1, 1]


@pytest.mark.parametrize(("given", "kept"), [(5.0, 5.0), (2.5, 2.5), (5, 5.0)])
def test_a_number_that_may_have_a_fraction_stays_as_it_is(given: float, kept: float) -> None:
    """Whole or not."""
    assert parse_config(DestinationConfig, {**LEAST, "max_leaving_percent": given}).max_leaving_percent == kept


@pytest.mark.parametrize("value", [1.0, 0.0])
def test_a_number_is_no_flag(value: float) -> None:
    """Be it a whole one."""
    assert refused({**LEAST, "dry_run": value}, DestinationConfig).startswith("dry_run ")


@pytest.mark.parametrize("model", MODELS)
def test_a_configuration_that_was_accepted_stays_as_it_is(model: type[BaseModel]) -> None:
    """Nothing changes it behind the back of what was validated."""
    config = parse_config(model, LEAST)

    with pytest.raises(ValidationError):
        config.__setattr__("num_workers", 99)
    assert config == parse_config(model, LEAST)


def test_an_unknown_key_has_words_with_what_it_may_be_meant_for() -> None:
    """Without a near one it is named alone; those after it, and below it, are found too."""
    found = unknown_keys(
        DestinationConfig,
        {"airport": 1, **LEAST, "dryrun": True, "field_mapping": ["x", {"column": "a", "field": "b", "zz": 1}], "list_id": {"zz": 1}},
    )

    assert [key.words for key in found] == ["airport", "dryrun (did you mean dry_run?)", "field_mapping[1].zz"]
    assert unknown_keys(DestinationConfig, {"credentials": {"auth_type": "other", "anything": 1}}) == []
    assert [key.path for key in unknown_keys(NoTwins, {"a": 1, "c": 1})] == ["c"]
