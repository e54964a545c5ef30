"""What the code can say to a user: its literal texts, with … where it fills something in."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("mailchimp_unified", "source_mailchimp_unified", "destination_mailchimp_unified")

GAP = "…"

# A call of one of these says why a check, a sync or a record fails.
_SAY_WHY = frozenset(
    {
        "ConfigError", "SignInError", "DataCenterError", "PermissionDeniedError", "NotFoundError", "UnreachableError",
        "TransientError", "TimedOutError", "RejectedRecordError", "BugError", "rejected", "skipped",
    }
)  # fmt: skip


def template(node: ast.AST) -> str | None:
    """Return the text of a literal, None when it is none."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(template(value) or GAP for value in node.values)
    return None


def _modules() -> Iterator[tuple[Path, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path, ast.parse(path.read_text())


@cache
def literals() -> frozenset[str]:
    """Return every literal text of the connectors and their kernel; log lines have … for what is filled in, too."""
    found = (template(node) for _, module in _modules() for node in ast.walk(module))
    return frozenset(_filled_in(text) for text in found if text)


def _filled_in(text: str) -> str:
    for placeholder in ("%.1f", "%.3g", "%s", "%d"):
        text = text.replace(placeholder, GAP)
    return text


@cache
def reasons() -> dict[str, str]:
    """Return the sentences with which checks, syncs and records fail, and the module of each. Those of the sign-in are its own."""
    return {
        text: path.name
        for path, module in _modules()
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and _says_why(node, path.name) and (text := template(node.args[0])) and text.strip(f"{GAP}: ")
    }


def _says_why(call: ast.Call, module: str) -> bool:
    if module == "command.py" or not isinstance(call.func, ast.Name) or not call.args:
        return False
    # What a configuration refuses is raised as pydantic wants it.
    return call.func.id in _SAY_WHY or (module == "config.py" and call.func.id == "ValueError")
