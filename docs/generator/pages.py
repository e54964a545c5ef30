"""The pages with generated parts, and what stands between their markers."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from docs.generator.collections import all_streams, gains_and_losses, official_streams, reasons
from docs.generator.fields import field_table, name_table, rule_table, value_table
from docs.generator.recipes import names, recipe
from docs.generator.reference import configuration_table
from docs.generator.sizes import destination_sizes, formula_check, memory_sizes, pod_sizes, source_sizes, state_sizes
from docs.generator.streams import stream_table

ROOT = Path(__file__).resolve().parents[2]

PAGES = sorted(path for path in (ROOT / "docs").rglob("*.md") if "<!-- begin generated: " in path.read_text())
"""Every page with a generated part."""

SECTIONS: dict[str, Callable[[], str]] = {
    "configuration of the source": partial(configuration_table, "source_mailchimp_unified"),
    "configuration of the destination": partial(configuration_table, "destination_mailchimp_unified"),
    "streams": stream_table,
    "raw streams": all_streams,
    "raw streams of Airbyte's source": official_streams,
    "gains and losses": gains_and_losses,
    "reasons of the raw streams": reasons,
    **{f"fields of {stream}": partial(field_table, stream) for stream in ("contacts", "lists", "tags", "users")},
    "names that count": name_table,
    "rules": rule_table,
    "values of merge fields": value_table,
    **{f"recipe {name}": partial(recipe, name) for name in names()},
    "sizes of the source": source_sizes,
    "sizes of the destination": destination_sizes,
    "the formula against the measurements": formula_check,
    "memory": memory_sizes,
    "states": state_sizes,
    "pods": pod_sizes,
}
"""What may stand after `begin generated:`, and who writes it."""

_PART = re.compile(r"(<!-- begin generated: (?P<name>[^>]+) -->\n).*?(<!-- end generated -->)", re.DOTALL)


def filled(page: str) -> str:
    """Return the text of a page with its generated parts as they should be. Raises KeyError for an unknown part."""
    return _PART.sub(lambda part: f"{part[1]}\n{SECTIONS[part['name']]()}\n\n{part[3]}", page)
