"""What the columns of a stream do, in words for the log. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from destination_mailchimp_unified.config import DestinationConfig
from destination_mailchimp_unified.intake.columns import PLATFORM_PREFIXES, Columns
from destination_mailchimp_unified.intake.rules import Filler, filler_of
from mailchimp_unified.text import did_you_mean, folded, visible

SHOWN_COLUMNS = 50
"""Most columns that a line names, of each kind."""


def described(stream: str, columns: Columns) -> str:
    """Return which column of a stream fills what, and which are left alone."""
    filled: list[str] = []
    by_tag: list[str] = []
    alone: list[str] = []
    for column in columns.names.values():
        fillers = [filler for filler in columns.fillers(column) if filler.field.kind != "ignore"]
        kinds = {filler.field.kind for filler in fillers}
        if "merge tag" in kinds:
            by_tag.append(visible(column))
        elif fillers:
            filled += [_filled(filler, column) for filler in fillers]
        elif not folded(column).startswith(PLATFORM_PREFIXES):
            alone.append(visible(column))
    filled += [_filled(filler, "") for filler in columns.constants]
    parts = [("", filled or ["nothing"]), ("; merge fields of the same name: ", by_tag), ("; ignored: ", alone)]
    return f"{stream}: " + "".join(f"{words}{shown(names)}" for words, names in parts if names)


def unmatched(columns: Columns, merge_tags: Sequence[str]) -> list[str]:
    """Return the columns that were named by hand for a merge field that the audience does not have, with the nearest that it has."""
    known = {folded(tag) for tag in merge_tags}
    by_tag = [column for column in columns.names.values() for filler in columns.fillers(column) if filler.field.kind == "merge tag"]
    missing = [column for column in by_tag if folded(column) not in known]
    return [f"{visible(column)}{did_you_mean(column, list(merge_tags))}" for column in missing] if columns.by_hand else []


def described_rules(config: DestinationConfig) -> str:
    """Return what `field_mapping` says, as far as it is known before any column is."""
    words = []
    for rule in config.field_mapping:
        filler = filler_of(rule)
        where = f" (stream {rule.stream})" if rule.stream else ""
        is_ignored = filler.field.kind == "ignore"
        words.append(f"{filler.origin} is ignored{where}" if is_ignored else f"{_filled(filler, '')}{where}")
    return shown(words)


def _filled(filler: Filler, column: str) -> str:
    return f"{filler.field.label} <- {visible(filler.origin or column)}"


def shown(names: Sequence[str] | Iterable[str]) -> str:
    """Return names as a list of bounded length."""
    every = list(names)
    left = len(every) - SHOWN_COLUMNS
    return ", ".join(every[:SHOWN_COLUMNS]) + (f" and {left} more" if left > 0 else "")
