"""How the emulator's modules depend on each other."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def imports(module: Path) -> set[str]:
    """The emulator's modules that a module imports, those for type checking only included."""
    statements = [node for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.ImportFrom)]
    found = set()
    for statement in statements:
        for name in [f"{statement.module}.{alias.name}" for alias in statement.names] + [str(statement.module)]:
            if (ROOT / name.replace(".", "/")).with_suffix(".py").exists():
                found.add(name)
    return {name for name in found if name.startswith("mailchimp_emulator")}


def test_no_import_runs_in_a_circle() -> None:
    """No module needs one that needs it, not even for its types."""
    modules = sorted((ROOT / "mailchimp_emulator").rglob("*.py"))
    graph = {".".join(module.relative_to(ROOT).with_suffix("").parts): imports(module) for module in modules}
    assert sum(map(len, graph.values())) > len(graph)
    TopologicalSorter(graph).prepare()


def test_no_module_is_long() -> None:
    """A module has one subject, and not more than 260 lines."""
    lengths = {module.name: len(module.read_text().splitlines()) for module in (ROOT / "mailchimp_emulator").rglob("*.py")}
    assert {name: length for name, length in lengths.items() if length > 260} == {}
