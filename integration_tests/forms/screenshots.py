"""Writes docs/images/<connector>-form.png: both forms with a key and the examples typed in, optional fields folded."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from integration_tests.forms.browser import Browser, Step, missing, specification
from integration_tests.forms.filling import fill, is_folded, visible
from unit_tests.specs import Schema

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"


def main() -> None:
    """Write both. Exits with a sentence when the machine has no browser."""
    lacking = missing()
    if lacking:
        raise SystemExit(lacking)
    IMAGES.mkdir(exist_ok=True)
    with closing(Browser()) as browser:
        for connector in ("source", "destination"):
            steps = typed(specification(connector)["connectionSpecification"])
            seen = browser.visit(connector, *steps, {"act": "screenshot", "file": str(IMAGES / f"{connector}-form.png")})
            if seen.problems:
                raise SystemExit("\n".join(seen.problems))


def typed(schema: Schema) -> list[Step]:
    """Return the steps that fill in what shows at once, switches and choices left as they are."""
    shown = [(name, schema["properties"][name]) for name in visible(schema) if not is_folded(schema, name)]
    return [step for name, below in shown if "default" not in below for step in fill(name, below, "apikey")]


if __name__ == "__main__":
    main()
