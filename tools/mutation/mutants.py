"""The mutants of a module: its text with one small fault each. Cosmic Ray makes them; which of them are worth a trial is said here."""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from cosmic_ray.ast import ast_nodes, get_ast, is_number
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import get_operator
from parso.python.tree import Number

PACKAGES = ("mailchimp_unified", "source_mailchimp_unified", "destination_mailchimp_unified")

FAULTS = (
    *(f"ReplaceBinaryOperator_{pair}" for pair in ("Add_Sub", "Sub_Add", "Mul_FloorDiv", "FloorDiv_Mul", "Mod_Mul", "BitOr_BitAnd", "BitAnd_BitOr")),
    *(f"ReplaceComparisonOperator_{pair}" for pair in ("Eq_NotEq", "NotEq_Eq", "Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt", "Is_IsNot", "IsNot_Is")),
    "ReplaceUnaryOperator_Delete_Not", "ReplaceUnaryOperator_Delete_USub",
    "AddNot", "ReplaceAndWithOr", "ReplaceOrWithAnd", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue",
    "ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "ZeroIterationForLoop", "NumberReplacer",
)  # fmt: skip
"""Those of Cosmic Ray's operators that make a fault that somebody might make: https://cosmic-ray.readthedocs.io/en/latest/concepts.html."""

LIMIT = re.compile(
    r"SECONDS|BYTES|TRIES|TURNS|LATE|WAITING|MOST|FEWEST|_PER_|AT_ONCE|LOOKBACK|OVERLAP|MARGIN|TOLERANCE|TIED|PARTS|PATIENCE|INTERACTIVE"
)
"""Names of retry timing, freshness limits, state intervals and memory bounds, of which a third of each sample consists."""

LIMITS_OF = ("Patience",)
"""Classes whose defaults are such limits, too."""

SHARE_OF_LIMITS = 3


class ScaledNumber(Operator):  # type: ignore[misc]
    """A number ten times as large, or a tenth of it: a limit that is one off is often as good."""

    FACTORS = (10.0, 0.1)

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        """Yield where there is a number, once for each factor."""
        if is_number(node):
            yield from [(node.start_pos, node.end_pos)] * len(self.FACTORS)

    def mutate(self, node: Any, index: int) -> Any:
        """Return the number scaled; a whole one stays whole."""
        value = ast.literal_eval(node.value)
        scaled = value * self.FACTORS[index]
        return Number(f" {round(scaled) if isinstance(value, int) else scaled}", node.start_pos)

    @classmethod
    def examples(cls) -> tuple[Any, ...]:
        """Return none: Cosmic Ray tests its own operators by them."""
        return ()


class Place(NamedTuple):
    """Where a fault can be made: the operator, and the number of the place among those where it applies.

    `limit` tells that it changes a named limit.
    """

    module: str
    line: int
    operator: str
    occurrence: int
    limit: bool


class Mutant(NamedTuple):
    """A module with a fault at a place: what the lines were and what they are, and the whole text."""

    place: Place
    before: str
    after: str
    text: str

    @property
    def package(self) -> str:
        """The package of the module."""
        return self.place.module.partition("/")[0]


def sample(root: Path, size: int, seed: int, only: str = "") -> list[Mutant]:
    """Return the same `size` mutants for the same code and seed: as many of each package, a third of them of limits."""
    rng, chosen = random.Random(seed), []  # noqa: S311 - the same sample each time, no secret
    packages = [package for package in PACKAGES if only.startswith(package)] or list(PACKAGES)
    for number, package in enumerate(packages):
        modules = [path.relative_to(root).as_posix() for path in sorted((root / package).rglob("*.py"))]
        found = [place for module in modules if module.startswith(only) for place in places(module, (root / module).read_text())]
        wanted = size // len(packages) + (number < size % len(packages))
        limits, others = ([place for place in found if place.limit is kind] for kind in (True, False))
        of_limits = rng.sample(limits, min(len(limits), max(wanted // SHARE_OF_LIMITS, wanted - len(others))))
        chosen += of_limits + _valid(root, rng.sample(others, len(others)), wanted - len(of_limits))
    return [mutant(root, place) for place in sorted(chosen)]


def _valid(root: Path, shuffled: Sequence[Place], wanted: int) -> list[Place]:
    """Return the first places whose mutants are Python: an operator may take the `*` between arguments for a multiplication."""
    return list(islice((place for place in shuffled if _compiles(mutant(root, place).text)), wanted))


def _compiles(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def mutant(root: Path, place: Place) -> Mutant:
    """Return the mutant of a place."""
    text = (root / place.module).read_text()
    mutated = mutate_code(text, _operator(place.operator), place.occurrence)
    assert isinstance(mutated, str), "a place is where the operator applies"
    return Mutant(place, *_difference(text, mutated), mutated)


def places(module: str, text: str) -> Iterator[Place]:
    """Yield where faults can be made in a module; none in what nothing carries out, such as annotations. Pure."""
    limits, idle, tree = limit_lines(text), idle_spans(text), get_ast(text)
    for name in (*FAULTS, ScaledNumber.__name__):
        operator = _operator(name)
        starts = (start for node in ast_nodes(tree) for start, _ in operator.mutation_positions(node))
        for occurrence, start in enumerate(starts):
            limit = start[0] in limits
            # A limit that is one off is often as good, and another number is no limit.
            fitting = limit if name == ScaledNumber.__name__ else not (limit and name == "NumberReplacer")
            if fitting and not any(begin <= start < end for begin, end in idle):
                yield Place(module, start[0], name, occurrence, limit)


def limit_lines(text: str) -> set[int]:
    """Return the lines of assignments to the names of limits. Pure."""
    found: set[int] = set()
    tree = ast.parse(text)
    bodies = [tree.body, *(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name in LIMITS_OF)]
    for body in bodies:
        for node in body:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            if any(LIMIT.search(name) for name in names) or (names and body is not tree.body):
                found.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return found


def idle_spans(text: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return from where to where there are annotations and aliases of types, which nothing carries out. Pure."""
    nodes: list[Any] = []
    for node in ast.walk(ast.parse(text)):
        nodes += [getattr(node, name) for name in ("annotation", "returns") if getattr(node, name, None) is not None]
        if isinstance(node, ast.Assign) and isinstance(node.value, (ast.BinOp, ast.Subscript)) and _is_type(node):
            nodes.append(node.value)
    return [((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)) for node in nodes]


def _is_type(node: ast.Assign) -> bool:
    [target, *_] = node.targets
    return isinstance(target, ast.Name) and bool(re.fullmatch(r"_?[A-Z][a-z]\w*", target.id))


@cache
def _operator(name: str) -> Operator:
    return ScaledNumber() if name == ScaledNumber.__name__ else get_operator(f"core/{name}")()


def _difference(text: str, mutated: str) -> tuple[str, str]:
    """Return what differs, in one line each."""
    old, new = text.splitlines(), mutated.splitlines()
    while old and new and old[0] == new[0]:
        old, new = old[1:], new[1:]
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    return _line(old), _line(new)


def _line(lines: Sequence[str]) -> str:
    return re.sub(r"\s+", " ", " ".join(lines)).strip()
