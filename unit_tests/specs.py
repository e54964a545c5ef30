"""Both specifications, and the fields of a specification and of the model behind it in one form, so that tests can compare them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from airbyte_cdk.models import ConnectorSpecification, ConnectorSpecificationSerializer
from pydantic import BaseModel

from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.destination import DestinationMailchimpUnified
from mailchimp_unified.config import ConnectionConfig
from source_mailchimp_unified import SourceMailchimpUnified
from source_mailchimp_unified.config import SourceConfig

Schema = dict[str, Any]


@dataclass(frozen=True)
class Field:
    """One field: `credentials[apikey].apikey` is in an option of a oneOf, `field_mapping[].column` in the objects of an array."""

    path: str
    schema: Schema
    required: bool

    @property
    def is_item(self) -> bool:
        """Whether these are the items of an array, which have no name of their own."""
        return self.path.endswith("[]")


def objects(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Yield every object schema that has properties, with its path."""
    if "properties" in schema:
        yield path, schema
    for name, below in schema.get("properties", {}).items():
        yield from objects(below, f"{path}.{name}".lstrip("."))
    for option in schema.get("oneOf", ()):
        yield from objects(option, f"{path}[{discriminator(option)[1]}]")
    if "items" in schema:
        yield from objects(schema["items"], f"{path}[]")


def fields(schema: Schema) -> Iterator[Field]:
    """Yield every field, the items of arrays among them."""
    for path, level in objects(schema):
        for name, below in level["properties"].items():
            field = Field(f"{path}.{name}".lstrip("."), below, name in level.get("required", ()))
            yield field
            if "items" in below:
                yield Field(f"{field.path}[]", below["items"], required=True)


def discriminator(option: Schema) -> tuple[str, str]:
    """Return the name and the value of the one constant of an option of a oneOf."""
    ((name, constant),) = [(name, below["const"]) for name, below in option["properties"].items() if "const" in below]
    return name, constant


def model_schema(model: type[BaseModel]) -> Schema:
    """Return the JSON schema of a model in the form of a specification: no references, and what may be null is optional."""
    schema = model.model_json_schema()
    return dict(_plain(schema, schema.get("$defs", {})))


def _plain(schema: Any, definitions: Mapping[str, Schema]) -> Any:
    if isinstance(schema, list):
        return [_plain(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _plain(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    plain = {key: _plain(value, definitions) for key, value in schema.items() if key not in ("$defs", "anyOf")}
    for kind in schema.get("anyOf", ()):
        if kind != {"type": "null"}:
            plain = {**_plain(kind, definitions), **plain}
    return plain


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


def specs() -> dict[str, Spec]:
    """Return the specification of each connector, as the connector gives it out."""
    log = logging.getLogger("test")
    return {
        "source": Spec(SourceMailchimpUnified().spec(log), SourceConfig),
        "destination": Spec(DestinationMailchimpUnified().spec(log), DestinationConfig),
    }
