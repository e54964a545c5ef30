"""The recipes: the configuration of each, and the columns of its table."""

from __future__ import annotations

import csv
from pathlib import Path

from docs.generator.tables import code

RECIPES = Path(__file__).resolve().parents[2] / "examples" / "recipes"


def names() -> list[str]:
    """Return the names of all recipes."""
    return sorted(path.stem for path in RECIPES.glob("*.json"))


def recipe(name: str) -> str:
    """Return the columns of a recipe's table and its configuration."""
    with (RECIPES / f"{name}.csv").open(newline="") as file:
        columns = next(csv.reader(file))
    configuration = (RECIPES / f"{name}.json").read_text()
    return f"Columns: {', '.join(map(code, columns))}.\n\n```json\n{configuration}```"
