"""The project's pages as a reader meets them: links, anchors, tables, and the blocks of commands in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[1]

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "mailchimp_emulator" / "README.md"])

_HEREDOC = re.compile(r"<<'(\w+)'([^\n]*)\n.*?\n\1$", re.DOTALL | re.MULTILINE)
_ASSIGNMENT = re.compile(r"\w+=")
_ENDS_COMMAND = ("|", "||", "&&", "&", ";")
_REDIRECTS = ("<", ">", ">>")


@dataclass
class Table:
    """A table below a heading: its rows without the head, each the Markdown text of its cells."""

    heading: str
    rows: list[list[str]] = field(default_factory=list)

    def column(self, number: int) -> list[str]:
        """Return the cells of a column."""
        return [row[number] for row in self.rows]


@cache
def tokens(path: Path) -> list[Token]:
    """Return a page as tokens."""
    return MarkdownIt("commonmark").enable("table").parse(path.read_text())


def headings(path: Path) -> list[str]:
    """Return the headings of a page as it shows them, each with its number signs."""
    return [f"{token.markup} {inline.content}" for token, inline in pairwise(tokens(path)) if token.type == "heading_open"]


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page, as GitHub makes them of its headings."""
    names = (re.sub(r"[^\w\- ]", "", heading.lstrip("# ").lower()).replace(" ", "-") for heading in headings(path))
    return set(names)


def links(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the text and the target of every link of a page."""
    for inline in (token for token in tokens(path) if token.type == "inline"):
        children = inline.children or []
        for place, token in enumerate(children):
            if token.type == "link_open":
                yield children[place + 1].content, str(token.attrs["href"])


def tables(path: Path) -> list[Table]:
    """Return the tables of a page."""
    found: list[Table] = []
    heading, in_body = "", False
    for token, following in zip(tokens(path), [*tokens(path)[1:], None], strict=True):
        if token.type == "heading_open" and following:
            heading = following.content
        elif token.type == "table_open":
            found.append(Table(heading))
        elif token.type in ("tbody_open", "tbody_close"):
            in_body = token.type == "tbody_open"
        elif token.type == "tr_open" and in_body:
            found[-1].rows.append([])
        elif token.type == "td_open" and following:
            found[-1].rows[-1].append(following.content)
    return found


def blocks(path: Path, language: str, heading: str | None = None) -> list[str]:
    """Return the contents of the fenced blocks of a language, of the part below a heading when one is named."""
    found, under = [], ""
    for token, following in pairwise([*tokens(path), Token("end", "", 0)]):
        if token.type == "heading_open":
            under = following.content
        elif token.type == "fence" and token.info.strip() == language and heading in (None, under):
            found.append(token.content)
    return found


def quoted(text: str) -> list[str]:
    """Return what stands as code in a text."""
    return re.findall(r"`([^`]+)`", text)


def commands(block: str) -> Iterator[list[str]]:
    """Yield the commands of a block of shell lines, each as its words; the files in it are left out."""
    for line in _HEREDOC.sub(r"\2", block).replace("\\\n", " ").splitlines():
        words: list[str] = []
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        for word in [*lexer, ";"]:
            if word not in _ENDS_COMMAND:
                words.append(word)
                continue
            if command := _without_redirects(words):
                yield command
            words = []


def _without_redirects(words: list[str]) -> list[str]:
    kept = [word for before, word in zip(["", *words], words, strict=False) if word not in _REDIRECTS and before not in _REDIRECTS]
    while kept and _ASSIGNMENT.match(kept[0]):
        kept.pop(0)
    return kept
