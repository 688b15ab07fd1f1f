"""Shared columns, judged one by one: who changed each since both sides were last in step, and who wins.

| source | target | what becomes of the column |
|---|---|---|
| changed | as it was | written |
| as it was | changed | left: the other leg brings the change |
| changed | changed | the map's winner has it, and both values are kept as a conflict |
| as it was | as it was | written: the two differ, and the source is what this leg moves |

Without a digest of the last time (the first contact of two rows) a column counts as changed. Where
the source loses, its value is noted as seen: the other leg then finds one side changed, writes the
winner's value, and the conflict is told once.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from projops.transform.shared import Digests


@dataclass(frozen=True, slots=True)
class Sides:
    """Digests of the shared columns of both sides, each under its own side's name.

    Attributes:
        source: What stands, or stood, at the source.
        target: Likewise at the target.
    """

    source: Digests
    target: Digests


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of the shared columns of one row.

    Attributes:
        left: Target columns that differ and are not written.
        contested: Target columns that both sides changed, to different values.
        in_step: What the crosswalk is to hold once the row is written.
    """

    left: frozenset[str]
    contested: tuple[str, ...]
    in_step: Sides


def judge(
    pairs: Mapping[str, str],
    different: Collection[str],
    now: Sides,
    written: Digests,
    before: Sides,
    *,
    source_wins: bool,
) -> Verdict:
    """Judge the shared columns of a row that both sides have.

    Args:
        pairs: Source column by target column.
        different: Target columns whose value is not the one that would be written.
        now: Both sides as they stand.
        written: Digests of the values that would be written, by target column.
        before: Both sides when they were last in step; columns without a digest were never.
        source_wins: Whether the source has it where both changed.
    """
    changed = [name for name in pairs if name in different and _differs(now.target, before.target, name)]
    contested = [name for name in changed if _differs(now.source, before.source, pairs[name])]
    left = set(changed) if not source_wins else set(changed).difference(contested)
    source = {
        column: digest
        for name, column in pairs.items()
        if (digest := _of_source(name, column, left, contested, now, before)) is not None
    }
    target = {
        name: digest
        for name in pairs
        if (digest := _of_target(name, left, different, now, written, before)) is not None
    }
    return Verdict(frozenset(left), tuple(contested), Sides(source, target))


def _differs(now: Digests, before: Digests, column: str) -> bool:
    digest = now.get(column)
    return digest is None or digest != before.get(column)


def _of_source(
    name: str, column: str, left: Collection[str], contested: Collection[str], now: Sides, before: Sides
) -> str | None:
    unseen = name in left and name not in contested
    return before.source.get(column) if unseen else now.source.get(column)


def _of_target(
    name: str, left: Collection[str], different: Collection[str], now: Sides, written: Digests, before: Sides
) -> str | None:
    if name in left:
        return before.target.get(name)
    return written.get(name) if name in different else now.target.get(name)
