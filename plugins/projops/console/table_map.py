"""What the page of a map shows, part by part: values out of the state and the mapping files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection  # noqa: TID253  no DAG file leads here

from projops.advice import Advice, advice_for
from projops.console.charts import Chart, Column, chart
from projops.engine import Engine
from projops.mapping.fingerprint import fingerprint
from projops.mapping.model import FieldRule, Leg, TableMap
from projops.mapping.versions import Difference, compared
from projops.mapping.wording import (
    evidence_words,
    is_proven,
    leg_words,
    owner_words,
    pairs_words,
    rule_words,
    step_words,
)
from projops.state import history, meanings, quality
from projops.state.history import Moved, PastBatch

QUALITY_DAYS = 30
TONES: Mapping[str, str] = {
    "in step": "good",
    "behind": "warn",
    "awaiting approval": "warn",
    "paused": "warn",
    "stopped": "bad",
    "broken": "bad",
}
"""How a state looks beside its word; the others are idle."""
_SPARK = (360, 72)  # pixels of the small charts, one for each rule


@dataclass(frozen=True, slots=True)
class Field:
    """A row of the field table.

    Attributes:
        rule: As the mapping file has it.
        steps: What each operator does, in words.
        owner: Which side decides what the column holds.
        evidence: From where the row is known, in words.
        proven: Whether a public source tells of it.
        values: What each value becomes, in words, by value map.
    """

    rule: FieldRule
    steps: tuple[str, ...]
    owner: str
    evidence: str
    proven: bool
    values: Mapping[str, tuple[str, ...]]

    def speaks_of(self, text: str) -> bool:
        """Whether a text, in lower case, stands anywhere in the row."""
        said = (self.rule.target, rule_words(self.rule), self.owner, self.evidence, self.rule.evidence)
        pairs = (pair for each in self.values.values() for pair in each)
        return any(text in each.lower() for each in (*said, *pairs))


@dataclass(frozen=True, slots=True)
class Broken:
    """Rows that broke one rule within the days that are looked at.

    Attributes:
        leg: Direction.
        stage: validate, transform or load.
        rule: Id of the rule or error.
        severity: error, the rows were set aside; warning, they went on.
        rows: How many.
        batches: In how many batches.
        chart: Rows a day.
        advice: What the rule means, and what to do.
    """

    leg: str
    stage: str
    rule: str
    severity: str
    rows: int
    batches: int
    chart: Chart
    advice: Advice


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a leg's mapping.

    Attributes:
        leg: Direction.
        version: Version of the map.
        moved: The batches that it has opened; None of the file as it is now, which has opened none.
        before: Version that it is compared with; None of the oldest.
        differences: What it says that the one before did not; None where one of the two is not known.
    """

    leg: str
    version: str
    moved: Moved | None
    before: str | None
    differences: tuple[Difference, ...] | None


def fields(table_map: TableMap, leg: Leg, engine: Engine, asked: str) -> list[Field]:
    """Give the field table of a leg, of the rows that speak of a text; all for ""."""
    found = (_field(table_map, leg, engine, rule) for rule in leg.fields)
    return [each for each in found if each.speaks_of(asked.strip().lower())]


def runs_chart(batches: Sequence[PastBatch]) -> Chart:
    """Draw the rows of batches that were loaded and set aside, from the oldest to the newest.

    Args:
        batches: Newest first.
    """
    return chart(
        [
            Column(
                f"{each.started_at.astimezone(UTC):%d %b}",
                (each.counts.loaded, each.set_aside),
                f"Batch {each.id}, {each.started_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC: "
                f"{each.counts.loaded:,} loaded, {each.set_aside:,} set aside",
            )
            for each in reversed(batches)
        ]
    )


def broken_rules(connection: Connection, map_id: str, today: date) -> list[Broken]:
    """Give the rules that rows of a map broke in the last days, those of most rows first.

    Args:
        connection: Open connection.
        map_id: The map.
        today: The last day, in UTC.
    """
    days = [today - timedelta(days=back) for back in reversed(range(QUALITY_DAYS))]
    since = datetime.combine(days[0], datetime.min.time(), UTC)
    by_rule: dict[tuple[str, str, str, str], dict[date, quality.Trend]] = {}
    for each in quality.trend(connection, map_id, since):
        by_rule.setdefault((each.leg, each.stage, each.rule, each.severity), {})[each.day] = each
    found = [
        Broken(
            *place,
            rows=sum(each.rows for each in of_day.values()),
            batches=sum(each.batches for each in of_day.values()),
            chart=_days_chart(days, {day: each.rows for day, each in of_day.items()}),
            advice=advice_for(place[2], "open", place[1]),
        )
        for place, of_day in by_rule.items()
    ]
    return sorted(found, key=lambda each: (-each.rows, each.rule))


def versions(connection: Connection, engine: Engine, map_id: str) -> list[Version]:
    """Give the versions of a map's legs, newest first, each with what it says that the one before did not.

    The mapping file as it is now comes first where no run has read it yet.
    """
    moved = history.versions(connection, map_id)
    words = meanings.words_of(connection, {each.fingerprint for each in moved})
    now = _now(engine, map_id)
    return [
        version
        for leg in dict.fromkeys((*now, *(each.leg for each in moved)))
        for version in _of_leg([each for each in moved if each.leg == leg], words, now.get(leg), leg)
    ]


def _field(table_map: TableMap, leg: Leg, engine: Engine, rule: FieldRule) -> Field:
    value_maps = engine.loaded.value_maps
    used = [step.argument for step in rule.steps if step.operator == "value_map"]
    return Field(
        rule,
        tuple(step_words(step) for step in rule.steps),
        owner_words(table_map, leg, rule),
        evidence_words(rule),
        is_proven(rule),
        {name: tuple(pairs_words(value_maps[name], leg)) for name in used},
    )


def _days_chart(days: Sequence[date], rows: Mapping[date, int]) -> Chart:
    columns = [
        Column(f"{day:%d %b}", (rows.get(day, 0),), f"{day:%Y-%m-%d}: {rows.get(day, 0):,} rows")
        for day in days
    ]
    return chart(columns, *_SPARK)


def _now(engine: Engine, map_id: str) -> dict[str, tuple[str, str, dict[str, str]]]:
    """Give version, fingerprint and words of each leg as the mapping file is now."""
    table_map = engine.maps.get(map_id)
    if table_map is None:
        return {}
    value_maps = engine.loaded.value_maps
    return {
        direction.value: (
            table_map.version,
            fingerprint(table_map, leg, value_maps),
            leg_words(table_map, leg, value_maps),
        )
        for direction, leg in table_map.legs.items()
    }


def _of_leg(
    moved: Sequence[Moved],
    words: Mapping[str, Mapping[str, str]],
    now: tuple[str, str, dict[str, str]] | None,
    leg: str,
) -> Iterator[Version]:
    """Put the versions of a leg side by side, newest first."""
    known: list[tuple[str, Moved | None, Mapping[str, str] | None]] = [
        (each.version, each, words.get(each.fingerprint)) for each in moved
    ]
    if now is not None and (not moved or (now[0], now[1]) != (moved[0].version, moved[0].fingerprint)):
        known.insert(0, (now[0], None, now[2]))
    for place, (version, batches, said) in enumerate(known):
        before = known[place + 1] if place + 1 < len(known) else None
        differences = None if before is None else _compared(before[2], said)
        yield Version(leg, version, batches, before[0] if before else None, differences)


def _compared(old: Mapping[str, str] | None, new: Mapping[str, str] | None) -> tuple[Difference, ...] | None:
    return None if old is None or new is None else compared(old, new)
