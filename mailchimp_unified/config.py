"""The part of the configuration that both connectors share: credentials, the number of workers, the URL of the API."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, TypeVar, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from mailchimp_unified.errors import ConfigError
from mailchimp_unified.text import is_blank, nearest

MAX_CONNECTIONS = 10
"""Simultaneous connections of one Mailchimp user: https://mailchimp.com/developer/marketing/docs/fundamentals/#api-limits."""

DEFAULT_WORKERS = 6
"""Leaves four of the ten connections for other uses of the account."""

API_KEY_PATTERN = re.compile(r"^[0-9a-f]{32}-[a-z]{2,4}\d{1,4}$")
"""32 hex digits, a dash, the data center: https://mailchimp.com/developer/marketing/docs/fundamentals/#api-structure."""

_API_KEY_WITHOUT_DATA_CENTER = re.compile(r"^[0-9a-f]{32}-?$")

AnyModel = TypeVar("AnyModel", bound=BaseModel)


class Untrusted(BaseModel):
    """A part of a configuration. Unknown keys are ignored here: `unknown_keys` finds them."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    unread_keys: ClassVar[tuple[str, ...]] = ()
    """Keys that the form has for the platform alone."""


def _api_key(value: SecretStr) -> SecretStr:
    key = value.get_secret_value().strip()
    if _API_KEY_WITHOUT_DATA_CENTER.match(key):
        raise ValueError(
            "has no data center at its end (such as -us6). Please copy the whole key from Mailchimp, the part after the dash included."
        )
    if not API_KEY_PATTERN.match(key):
        raise ValueError("is not a Mailchimp API key: 32 hex digits, a dash and the data center (such as -us6). Please copy it again.")
    return SecretStr(key)


def _access_token(value: SecretStr) -> SecretStr:
    token = value.get_secret_value().strip()
    # Only printable ASCII can travel in a header.
    if not token or not token.isascii() or not token.isprintable():
        raise ValueError("is empty or contains characters that no token has. Please sign in again.")
    return SecretStr(token)


class ApiKeyCredentials(Untrusted):
    """An API key, made under Account, Extras, API keys."""

    auth_type: Literal["apikey"]
    apikey: Annotated[SecretStr, AfterValidator(_api_key)]

    @property
    def data_center(self) -> str:
        """The data center after the dash, such as `us6`."""
        return self.apikey.get_secret_value().rpartition("-")[2]


class OAuthCredentials(Untrusted):
    """An OAuth access token. It does not expire: https://mailchimp.com/developer/marketing/guides/access-user-data-oauth-2/."""

    unread_keys = ("client_id", "client_secret")

    auth_type: Literal["oauth2.0"]
    access_token: Annotated[SecretStr, AfterValidator(_access_token)]


Credentials = Annotated[ApiKeyCredentials | OAuthCredentials, Field(discriminator="auth_type")]


def _origin(value: str) -> str:
    parts = urlsplit(value.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("is not an origin. Please give scheme, host and port only, such as http://localhost:8800.")
    if parts.username or parts.password:
        raise ValueError("carries a user name or password. Please give scheme, host and port only.")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("would send the credentials unencrypted. Please use https, or http on this machine only (127.0.0.1, localhost).")
    return f"{parts.scheme}://{parts.netloc}"


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class ConnectionConfig(Untrusted):
    """What it takes to reach Mailchimp. `api_url` replaces both Mailchimp hosts, for tests and proxies."""

    credentials: Credentials
    num_workers: Annotated[int, Field(ge=1, le=MAX_CONNECTIONS, strict=True)] = DEFAULT_WORKERS
    api_url: Annotated[str, AfterValidator(_origin)] | None = None


def usable_list_id(value: str) -> str:
    """Return the id of an audience without blanks around it. Raises ValueError for what can be none."""
    stripped = value.strip()
    # It becomes part of a path.
    if not stripped.isalnum() or not stripped.isascii():
        raise ValueError("is not an audience id. Please copy it from the audience's settings (10 letters and digits).")
    return stripped


def parse_config(model: type[AnyModel], config: Mapping[str, Any]) -> AnyModel:
    """Return `config` as `model`. Raises ConfigError with one sentence per mistake, never quoting a value.

    For every optional key, at every depth, null and blank text mean that it is not set; 6.0 is the whole number 6.
    """
    try:
        return model.model_validate(_normalized(model, config))
    except ValidationError as error:
        sentences = [_sentence(dict(mistake)) for mistake in error.errors()]
        raise ConfigError(" ".join(dict.fromkeys(sentences))) from None


@dataclass(frozen=True)
class UnknownKey:
    """A key that a configuration has and its model does not: its path, and the known key that it may be meant for."""

    path: str
    nearest: str | None

    @property
    def words(self) -> str:
        """The key, with a suggestion where there is one."""
        return f"{self.path} (did you mean {self.nearest}?)" if self.nearest else self.path


def unknown_keys(model: type[BaseModel], config: Mapping[str, Any]) -> list[UnknownKey]:
    """Return the keys of `config` that `model` does not have, at every depth. Keys that begin with _ are a platform's own."""
    return list(_unknown_keys(model, config, ""))


def _unknown_keys(model: type[BaseModel], config: Mapping[str, Any], path: str) -> Iterator[UnknownKey]:
    unread = model.unread_keys if issubclass(model, Untrusted) else ()
    for key, value in config.items():
        field = model.model_fields.get(key)
        if field is None:
            if key not in unread and not key.startswith("_"):
                yield UnknownKey(f"{path}{key}", nearest(key, list(model.model_fields)))
            continue
        for place, held in enumerate(value if isinstance(value, list) else [value]):
            below = _model_of(field.annotation, held)
            if below is not None:
                yield from _unknown_keys(below, held, f"{path}{key}[{place}]." if isinstance(value, list) else f"{path}{key}.")


def _normalized(model: type[BaseModel], config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration without the optional keys that are set to nothing, and with whole numbers where such are meant."""
    kept = {}
    for key, value in config.items():
        field = model.model_fields.get(key)
        if field is None:
            kept[key] = value
        elif field.is_required() or not _is_unset(value):
            kept[key] = _normal_value(field.annotation, value)
    return kept


def _is_unset(value: Any) -> bool:
    return value is None or (isinstance(value, str) and is_blank(value))


def _normal_value(annotation: Any, value: Any) -> Any:
    below = _model_of(annotation, value)
    if below is not None:
        return _normalized(below, value)
    if isinstance(value, list):
        # A form that shows one more row than was filled in.
        return [_normal_value(annotation, item) for item in value if not _is_unset(item)]
    if isinstance(value, float) and value.is_integer() and int in _kinds(annotation) and float not in _kinds(annotation):
        return int(value)
    return value


def _model_of(annotation: Any, value: Any) -> type[BaseModel] | None:
    """Return the model that an object of a configuration is read by, None when `value` is not an object or has none."""
    if not isinstance(value, Mapping):
        return None
    models = [kind for kind in _kinds(annotation) if isinstance(kind, type) and issubclass(kind, BaseModel)]
    if len(models) > 1:
        # Options are told apart by a constant.
        models = [one for one in models if value.get("auth_type") in get_args(one.model_fields["auth_type"].annotation)]
    return next(iter(models), None)


def _kinds(annotation: Any) -> list[Any]:
    """Return the types that an annotation is made of."""
    parts = get_args(annotation)
    return [kind for part in parts for kind in _kinds(part)] if parts else [annotation]


_DISCRIMINATORS = ("apikey", "oauth2.0")

_ADVICE = {
    "missing": "is missing. Please fill it in.",
    "union_tag_not_found": 'does not say which kind it is. Please set credentials.auth_type to "apikey" or "oauth2.0".',
    "union_tag_invalid": 'is of an unknown kind. Please set credentials.auth_type to "apikey" or "oauth2.0".',
}


def _sentence(mistake: dict[str, Any]) -> str:
    location = mistake["loc"]
    # pydantic names the kind of credentials after their field: it is not part of the path.
    path = [str(part) for place, part in enumerate(location) if place != 1 or part not in _DISCRIMINATORS]
    name = ".".join(path) or "The configuration"
    if mistake["type"] in _ADVICE:
        return f"{name} {_ADVICE[mistake['type']]}"
    if mistake["type"] == "value_error":
        return f"{name} {mistake['ctx']['error']}"
    # pydantic's words name the rule but not the value ("Input should be less than or equal to 10").
    rule = str(mistake["msg"]).replace("Input should be", "should be")
    return f"{name} {rule} (it is {_kind(mistake.get('input'))}). Please correct it."


def _kind(value: Any) -> str:
    """Describe a wrong value without quoting it: numbers and booleans may be shown, text may be a secret."""
    if value is None:
        return "empty"
    if isinstance(value, (bool, int, float)):
        return str(value).lower()
    names: dict[type, str] = {str: "a string", list: "a list", dict: "an object"}
    return names.get(type(value), "something else")
