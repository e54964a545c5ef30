"""Requests and answers held against Mailchimp's API description (Swagger 2.0).

The description is read strictly: a key, parameter or path that it does not name is a fault too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import jsonschema

from integration_tests.real.shapes import shape

Json = dict[str, Any]

ROOT = "/3.0"
_VARIABLE = re.compile(r"\{\w+\}")
_PLAIN = {
    "boolean": re.compile(r"true|false|0|1", re.IGNORECASE),
    "integer": re.compile(r"-?\d+"),
    "number": re.compile(r"-?\d+(\.\d+)?"),
}


@dataclass(eq=False)
class Operation:
    """One method of one path."""

    template: str
    method: str
    description: Json

    @property
    def name(self) -> str:
        """Method and path."""
        return f"{self.method} {self.template}"

    @cached_property
    def query(self) -> dict[str, Json]:
        """The query parameters by name."""
        return {one["name"]: one for one in self.description.get("parameters", []) if one["in"] == "query"}

    @cached_property
    def body(self) -> jsonschema.Draft4Validator | None:
        """What validates a request body."""
        schema = next((one["schema"] for one in self.description.get("parameters", []) if one["in"] == "body"), None)
        return None if schema is None else jsonschema.Draft4Validator(closed(schema))

    @cache  # noqa: B019 -- as many operations as there are paths
    def answer(self, status: int) -> jsonschema.Draft4Validator | None:
        """What validates the answer of a status."""
        responses = self.description["responses"]
        schema = responses.get(str(status), responses["default"]).get("schema")
        return None if schema is None else jsonschema.Draft4Validator(closed(schema))


class ApiDescription:
    """The description in a file."""

    def __init__(self, path: Path) -> None:
        self._operations: dict[str, list[tuple[re.Pattern[str], Operation]]] = {}
        paths = json.loads(path.read_text())["paths"]
        # A literal part wins over a variable one.
        for template in sorted(paths, key=lambda one: [part.startswith("{") for part in one.split("/")]):
            pattern = re.compile(_VARIABLE.sub("[^/]+", template) + "/?")
            for method, description in paths[template].items():
                self._operations.setdefault(method.upper(), []).append((pattern, Operation(template, method.upper(), description)))

    def operation(self, method: str, path: str) -> Operation | None:
        """Return the operation that a request calls."""
        below = path[len(ROOT) :] or "/"
        return next((one for pattern, one in self._operations.get(method, []) if pattern.fullmatch(below)), None)

    def request_faults(self, entry: Json) -> Iterator[str]:
        """Yield what the description does not have of a request, as the emulator's journal shows it."""
        operation = self.operation(entry["method"], entry["path"])
        if operation is None:
            yield f"{entry['method']} {entry['path']}: no such operation"
            return
        for text in (*query_faults(operation, entry["query"]), *body_faults(operation, thinned(entry["body"]))):
            yield f"{operation.name} request {text}"

    def faults(self, entry: Json) -> Iterator[str]:
        """Yield what the description does not have of a request and its answer."""
        yield from self.request_faults(entry)
        operation = self.operation(entry["method"], entry["path"])
        if operation is None:
            return
        for text in answer_faults(operation, entry["status"], entry["answer"]):
            yield f"{operation.name} answer {entry['status']} {text}"


def query_faults(operation: Operation, query: dict[str, str]) -> Iterator[str]:
    """Yield what is wrong with the query of a request."""
    for name, text in query.items():
        described = operation.query.get(name)
        if described is None:
            yield f"query {name}: not described"
        elif not _fits(described, text):
            yield f"query {name}: {text!r} is no {described['type']} as described"


def _fits(described: Json, text: str) -> bool:
    plain = _PLAIN.get(described["type"])
    if plain is not None and not plain.fullmatch(text):
        return False
    if "enum" in described and text not in described["enum"]:
        return False
    return "maximum" not in described or float(text) <= described["maximum"]


def body_faults(operation: Operation, body: Any) -> Iterator[str]:
    """Yield what is wrong with the body of a request."""
    if operation.body is None:
        if body is not None:
            yield "body: not described"
        return
    yield from _faults(operation.body, body, "body")


def answer_faults(operation: Operation, status: int, body: Any) -> Iterator[str]:
    """Yield what is wrong with an answer."""
    validator = operation.answer(status)
    if validator is None:
        if body is not None:
            yield "body: not described"
        return
    yield from _faults(validator, thinned(body), "body")


def _faults(validator: jsonschema.Draft4Validator, body: Any, name: str) -> Iterator[str]:
    for error in validator.iter_errors(body):
        place = name + "".join("[]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
        if error.validator == "additionalProperties":
            yield from (f"{place}.{key}: not described" for key in error.instance if key not in error.schema["properties"])
        elif error.validator == "required":
            yield from (f"{place}.{key}: missing" for key in error.validator_value if key not in error.instance)
        else:
            yield f"{place}: {error.instance!r:.60} is against {error.validator} {error.validator_value!r:.80}"


def closed(schema: Any) -> Any:
    """Return a schema in which an object has no other keys than those described."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: closed(one) for name, one in schema.items() if name not in ("example", "description")}
    if isinstance(made.get("properties"), dict):
        made["properties"] = {name: closed(one) for name, one in schema["properties"].items()}
        made.setdefault("additionalProperties", False)
    return made


def thinned(body: Any) -> Any:
    """Return a body in which one item of each shape, status and type stands for the rest of its collection."""
    if not isinstance(body, dict):
        return body
    return {name: _thin(value) if isinstance(value, list) else value for name, value in body.items()}


def _thin(items: list[Any]) -> list[Any]:
    kinds = {}
    for item in items:
        words = (item.get("status"), item.get("type")) if isinstance(item, dict) else ()
        kinds.setdefault((frozenset(shape(item).items()), words), item)
    return list(kinds.values())
