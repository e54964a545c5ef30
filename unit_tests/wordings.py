"""What the code can say to a user: its literal texts, with … where it fills something in."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("mailchimp_unified", "source_mailchimp_unified", "destination_mailchimp_unified")

GAP = "…"

_SAY_WHY = {"Outcome", "rejected", "skipped", "AirbyteTracedException", "ValueError", "InvalidValueError", "UnknownMergeFieldError"}
"""A call of one of these says why a check, a sync or a record fails, as a call of every exception of the packages does."""

_TABLES = ("_ADVICE", "_REASONS")
"""Module constants with sentences that a key chooses."""

_WITHIN = frozenset({"StaleError", "UnreadableError"})
"""Exceptions whose callers never show them."""

_EXPECTS = "expects "
"""Begins the reasons about the form of a value, which one row explains for all."""


def template(node: ast.AST) -> str | None:
    """Return the text of a literal, None when it is none."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(template(value) or GAP for value in node.values)
    return None


@cache
def _modules() -> tuple[tuple[Path, ast.Module], ...]:
    return tuple((path, ast.parse(path.read_text())) for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))


@cache
def literals() -> frozenset[str]:
    """Return every literal text of the connectors and their kernel; log lines have … for what is filled in, too."""
    found = (template(node) for _, module in _modules() for node in ast.walk(module))
    return frozenset(_filled_in(text) for text in found if text)


def _filled_in(text: str) -> str:
    for placeholder in ("%.1f", "%.3g", "%s", "%d", "{redirect_uri}"):
        text = text.replace(placeholder, GAP)
    return text


@cache
def reasons() -> dict[str, str]:
    """Return the sentences with which checks, syncs, sign-ins, requests and records fail, and the module of each."""
    return {text: path.name for path, module in _modules() for text in _reasons(module) if text.strip(f"{GAP}:;. ")}


def _reasons(module: ast.Module) -> Iterator[str]:
    constants = {
        target.id: node.value
        for node in module.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    said: list[ast.expr] = [constants[name] for name in _TABLES if name in constants]
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _SAY_WHY | _exceptions():
            said += [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "message")]
    found = (_filled_in(text) for one in said for text in _texts(one, constants))
    # A single word is a kind, a tag or the name of a field.
    return (text for text in found if " " in text and not text.startswith(_EXPECTS))


def _texts(node: ast.AST, constants: dict[str, ast.expr]) -> Iterator[str]:
    """Yield the texts that an argument may stand for: a literal, a constant of the module, a choice among some."""
    text = template(node)
    if text is not None:
        yield text
    elif isinstance(node, ast.Name) and node.id in constants:
        yield from _texts(constants[node.id], constants)
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body, constants)
        yield from _texts(node.orelse, constants)
    elif isinstance(node, ast.Dict):
        for value in node.values:
            yield from _texts(value, constants)
    elif isinstance(node, ast.BinOp):
        yield from _texts(node.left, constants)
    elif isinstance(node, ast.Subscript | ast.Attribute):
        yield from _texts(node.value, constants)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        yield from _texts(node.func, constants)


@cache
def _exceptions() -> frozenset[str]:
    """Return the names of all exceptions that the packages define and users see."""
    classes = {node.name: node for _, module in _modules() for node in ast.walk(module) if isinstance(node, ast.ClassDef)}

    def bases(name: str) -> Iterator[str]:
        for base in classes[name].bases if name in classes else ():
            if isinstance(base, ast.Name):
                yield base.id
                yield from bases(base.id)

    return frozenset(name for name in classes if "Exception" in bases(name)) - _WITHIN
