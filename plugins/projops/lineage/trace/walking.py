"""The walk from a row to what it follows from, or to what followed from it: breadth first, and bounded."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from projops.lineage.trace.records import Entity, Link, Node, Record, Towards

# Rows of an entity that hold any of some values in some columns.
Read = Callable[[Entity, Sequence[str], Iterable[Sequence[Any]]], Awaitable[Sequence[Record]]]
_Question = tuple[Entity, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Found:
    """A row that a walk has come to.

    Attributes:
        record: The row.
        of: The row from which the walk came to it.
        how: What the one is to the other, the later row's words: "posted by".
        depth: How many steps it stands from the beginning, from 1.
        last: Whether the walk found nothing behind it.
    """

    record: Record
    of: Node
    how: str
    depth: int
    last: bool = True


@dataclass(frozen=True, slots=True)
class Walk:
    """Where a walk came to.

    Attributes:
        towards: Which way it went.
        found: Rows in the order in which they were found, the nearest first; each once.
        roots: Rows that it began with and behind which it found nothing.
        steps: For each row that it began with or came to, all rows one step further.
        more: Whether the bound was reached, so that there is more to find.
    """

    towards: Towards
    found: tuple[Found, ...]
    roots: tuple[Record, ...] = ()
    steps: Mapping[Node, Collection[Node]] = field(default_factory=dict)
    more: bool = False

    @property
    def ends(self) -> tuple[Record, ...]:
        """The rows behind which nothing lies: towards the origin, where it all comes from."""
        return (*self.roots, *(each.record for each in self.found if each.last))

    def ends_of(self, start: Record) -> tuple[Record, ...]:
        """Give those ends that lie behind one of the rows that it began with."""
        behind, ahead = {start.node}, [start.node]
        while ahead:
            fresh = set(self.steps.get(ahead.pop(), ())) - behind
            behind |= fresh
            ahead += fresh
        return tuple(each for each in self.ends if each.node in behind)


@dataclass(frozen=True, slots=True)
class Bound:
    """How far a walk goes at most.

    Attributes:
        rows: Rows.
        depth: Steps from the beginning.
    """

    rows: int
    depth: int


async def walk(
    starts: Sequence[Record], links: Sequence[Link], towards: Towards, read: Read, bound: Bound
) -> Walk:
    """Walk from some rows along links.

    All rows of a step are looked up together, a request or so for each kind of row.

    Args:
        starts: Where to begin.
        links: What may be followed.
        towards: Which way.
        read: Reads rows.
        bound: How far to go at most.
    """
    found: dict[Node, Found] = {}
    seen = {record.node for record in starts}
    steps: dict[Node, dict[Node, None]] = defaultdict(dict)
    frontier, depth, more = list(starts), 0, False
    while frontier and depth < bound.depth and not more:
        depth += 1
        fresh: dict[Node, Found] = {}
        for near, link, far in await _step(frontier, links, towards, read):
            steps[near.node][far.node] = None
            if far.node not in seen:
                seen.add(far.node)
                fresh[far.node] = Found(far, near.node, link.how, depth)
        more = len(found) + len(fresh) > bound.rows
        found |= dict(list(fresh.items())[: bound.rows - len(found)])
        frontier = [each.record for each in fresh.values()]
    roots = tuple(record for record in starts if record.node not in steps)
    told = tuple(replace(each, last=node not in steps) for node, each in found.items())
    return Walk(towards, told, roots, steps, more or bool(frontier))


async def _step(
    frontier: Sequence[Record], links: Sequence[Link], towards: Towards, read: Read
) -> list[tuple[Record, Link, Record]]:
    """Give the rows one step from the frontier, each with the row and the link that lead to it."""
    by_entity: dict[Entity, list[Record]] = defaultdict(list)
    for record in frontier:
        by_entity[record.entity].append(record)
    mine = [link for link in links if link.near(towards)[0] in by_entity]
    answers = await _answers(by_entity, mine, towards, read)
    steps = []
    for link in mine:
        entity, columns = link.near(towards)
        for near in by_entity[entity]:
            candidates = answers[link.far(towards)].get(near.key(columns) or (), ())
            steps += [(near, link, far) for far in candidates if link.joins(towards, near, far)]
    return steps


async def _answers(
    by_entity: Mapping[Entity, Sequence[Record]], links: Sequence[Link], towards: Towards, read: Read
) -> Mapping[_Question, Mapping[tuple[str, ...], Sequence[Record]]]:
    """Read what the links of a step lead to: one question for each kind of row and columns, asked at once."""
    questions: dict[_Question, dict[tuple[str, ...], tuple[Any, ...]]] = defaultdict(dict)
    for link in links:
        entity, columns = link.near(towards)
        for record in by_entity[entity]:
            key = record.key(columns)
            if key is not None:
                questions[link.far(towards)][key] = tuple(record.columns[column] for column in columns)
    read_rows = await asyncio.gather(
        *(read(entity, columns, wanted.values()) for (entity, columns), wanted in questions.items())
    )
    answers: dict[_Question, dict[tuple[str, ...], list[Record]]] = defaultdict(lambda: defaultdict(list))
    for question, records in zip(questions, read_rows, strict=True):
        for record in records:
            answers[question][record.key(question[1]) or ()].append(record)
    return answers
