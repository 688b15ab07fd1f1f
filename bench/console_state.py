"""A state database as years of use with many troubles leave it: what the console's pages are timed on.

Everything is made up, follows from the number of its row and the maps that there are, and goes in by bulk.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Table, insert

from bench.made_up import guid
from projops.mapping.model import TableMap
from projops.reconcile.model import Scope
from projops.state import StateStore, tables
from projops.state.reconciliations import scope_text

Row = dict[str, Any]
_SLICE = 5_000
# On Postgres the database does so by itself, within the minute.
_LOOK = {"sqlite": "ANALYZE", "postgresql": "VACUUM ANALYZE"}
_SINCE_DAYS = 365
_DECIDED = datetime(2026, 1, 1, tzinfo=UTC)  # about many letters at once
# Rule, stage, status, and how often it is found among a thousand letters.
CAUSES = (
    ("transaction_dates", "validate", "open", 280),
    ("missing_parent", "transform", "parked", 240),
    ("E2", "load", "open", 150),
    ("amount", "validate", "open", 110),
    ("required", "transform", "open", 80),
    ("too_long", "transform", "open", 60),
    ("mass_delete", "load", "awaiting_approval", 50),
    ("refused", "load", "open", 30),
)
_PAYLOAD = json.dumps({f"msdyn_column{number}": "of a row as wide as they are" for number in range(24)})


@dataclass(frozen=True, slots=True)
class Size:
    """How much a state holds.

    Attributes:
        letters: Live dead letters; half as many more are closed.
        runs: Runs of areas, with a batch for each of some legs.
        crosswalk: Rows that are in step.
        nights: Reconciliations of all maps.
        differences: Differences of all nights, most of them of the last.
        others: Conflicts, audit lines, alerts and failures of tasks, each.
    """

    letters: int = 100_000
    runs: int = 2_000
    crosswalk: int = 200_000
    nights: int = 31
    differences: int = 20_000
    others: int = 2_000


@dataclass(frozen=True, slots=True)
class Legs:
    """The legs that rows are spread over: (map, direction, area), of all maps that are enabled."""

    all: tuple[tuple[str, str, str], ...]

    @classmethod
    def of(cls, maps: Mapping[str, TableMap]) -> "Legs":
        """Read them from the maps."""
        enabled = [each for each in maps.values() if each.enabled]
        return cls(tuple((each.map, leg.value, each.area) for each in enabled for leg in each.legs))

    def at(self, number: int) -> Row:
        """Give map and leg for a number, the first ones more often than the last."""
        place = min(number * 7919 % 1_000, number * 104_729 % 1_000) * len(self.all) // 1_000
        return {"map": self.all[place][0], "leg": self.all[place][1]}


def fill(store: StateStore, maps: Mapping[str, TableMap], size: Size, now: datetime | None = None) -> None:
    """Fill an empty state, and let the database look at what it holds."""
    legs, until = Legs.of(maps), now or datetime.now(UTC)
    made: Mapping[Table, Iterable[Row]] = {
        tables.batch: _batches(legs, size, until),
        tables.leg: _legs(legs, size, until),
        tables.crosswalk: _crosswalk(legs, size, until),
        tables.dead_letter: _letters(legs, size, until),
        tables.conflict: _conflicts(legs, size, until),
        tables.reconciliation: _reconciliations(size, until),
        tables.reconciled_leg: _reconciled_legs(legs, size, until),
        tables.difference: _differences(legs, size, until),
        tables.quality: _quality(legs, size, until),
        tables.audit: _audit(legs, size, until),
        tables.alert: _alerts(legs, size, until),
        tables.delivery: _deliveries(size, until),
        tables.task_failure: _failures(legs, size, until),
        tables.look: _looks(legs, until),
        tables.request_count: _requests(until),
    }
    with store.begin() as connection:
        for table, rows in made.items():
            _insert(connection, table, rows)
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(_LOOK[store.engine.dialect.name])


def _insert(connection: Connection, table: Table, rows: Iterable[Row]) -> None:
    remaining = iter(rows)
    while piece := list(islice(remaining, _SLICE)):
        connection.execute(insert(table), piece)


def _spread(number: int, count: int, until: datetime) -> datetime:
    """A moment of the last year: the higher the number, the later."""
    return until - timedelta(days=_SINCE_DAYS) * (1 - (number + 1) / (count + 1))


def _key(number: int) -> str:
    return json.dumps([f"PRJ-{number:07d}", "uspm"])


def _causes() -> Callable[[int], tuple[str, str, str]]:
    drawn = [cause[:3] for cause in CAUSES for _ in range(cause[3])]
    return lambda number: drawn[number * 617 % len(drawn)]


def _letters(legs: Legs, size: Size, until: datetime) -> Iterator[Row]:
    cause_of, count = _causes(), size.letters + size.letters // 2
    for number in range(count):
        rule, stage, status = cause_of(number)
        closed = number >= size.letters
        seen = _spread(number, count, until)
        yield legs.at(number) | {
            "source_id": guid(number),
            "key": _key(number),
            "status": "resolved" if closed else status,
            "stage": stage,
            "rule": rule,
            "field": None if rule in {"refused", "mass_delete"} else f"msdyn_column{number % 5}",
            "message": f"The row {_key(number)} breaks {rule}: its value {number} is none that it may have.",
            "value": str(number),
            "payload": _PAYLOAD,
            "waits_for_map": "projects" if status == "parked" else None,
            "waits_for_id": guid(number + 1) if status == "parked" else None,
            "retriable": status == "parked",
            "attempts": 1 + number % 3,
            "first_seen": seen,
            "last_seen": seen,
            "batch": 1 + number % max(1, size.runs),
            "mapping_version": "1.0.0.0",
            "decided_at": _DECIDED if number % 20 == 3 else None,
            "closed_at": until if closed else None,
            "closed_because": "moved" if closed else None,
        }


def _batches(legs: Legs, size: Size, until: datetime) -> Iterator[Row]:
    for run in range(size.runs):
        area = legs.all[run * 31 % len(legs.all)][2]
        started = _spread(run, size.runs, until)
        for place, (map_id, leg, of) in enumerate(legs.all):
            if of == area and (place + run) % 3 == 0:
                yield {
                    "dag_id": area,
                    "run_id": f"scheduled__{run}",
                    "map": map_id,
                    "leg": leg,
                    "status": "failed" if run % 50 == 7 else "committed",
                    "mode": "incremental",
                    "mapping_version": f"1.0.0.{run * 4 // size.runs}",
                    "fingerprint": f"{place}-{run * 4 // size.runs}",
                    "watermark_from": "{}",
                    "advances": True,
                    "started_at": started,
                    "finished_at": started + timedelta(seconds=run % 90),
                    "read": 900 + run % 500,
                    "unchanged": run % 100,
                    "loaded": 700 + run % 300,
                    "rejected": run % 40,
                }


def _legs(legs: Legs, size: Size, until: datetime) -> Iterator[Row]:
    for place, (map_id, leg, _) in enumerate(legs.all):
        yield {
            "map": map_id,
            "leg": leg,
            "watermark": "{}",
            "fingerprint": f"{place}-3",
            "batch": size.runs,
            "committed_at": until - timedelta(minutes=place),
        }


def _crosswalk(legs: Legs, size: Size, until: datetime) -> Iterator[Row]:
    maps = sorted({map_id for map_id, _, _ in legs.all})
    for number in range(size.crosswalk):
        yield {
            "map": maps[number % len(maps)],
            "key": _key(number),
            "dataverse_id": guid(number),
            "hash_dataverse_to_finance": f"{number:032x}",
            "batch": 1 + number % max(1, size.runs),
            "in_step_at": _spread(number, size.crosswalk, until),
        }


def _conflicts(legs: Legs, size: Size, until: datetime) -> Iterator[Row]:
    for number in range(size.others):
        yield legs.at(number) | {
            "key": _key(number),
            "batch": 1 + number % max(1, size.runs),
            "seen_at": _spread(number, size.others, until),
            "winner": "finance",
            "source_values": '{"name": "ours"}',
            "target_values": '{"name": "theirs"}',
        }


def _reconciliations(size: Size, until: datetime) -> Iterator[Row]:
    for night in range(size.nights):
        started = until - timedelta(days=size.nights - night)
        yield {
            "dag_id": "nightly_reconciliation",
            "run_id": f"scheduled__{night}",
            "status": "drift" if night % 5 == 0 or night == size.nights - 1 else "in_step",
            "scope": scope_text(Scope()),
            "started_at": started,
            "finished_at": started + timedelta(minutes=9),
            "matched": 190_000 + night,
            "drift": size.differences // 3 if night == size.nights - 1 else size.differences // 90,
        }


def _reconciled_legs(legs: Legs, size: Size, until: datetime) -> Iterator[Row]:
    verdicts = ("drift", "pending", "parked", "dead_letter", "awaiting_approval", "kept")
    for night in range(1, size.nights + 1):
        for map_id, leg, _ in legs.all:
            yield {
                "reconciliation": night,
                "map": map_id,
                "leg": leg,
                "mapping_version": "1.0.0.0",
                "read_at": until - timedelta(days=size.nights - night),
                "expected_rows": 5_000,
                "found_rows": 5_000,
                "matched": 4_990,
                **dict.fromkeys(verdicts, night % 3),
                "totals": "[]",
                "seconds": night % 60,
            }


def _differences(legs: Legs, size: Size, until: datetime) -> Iterator[Row]:
    columns = '[{"column": "Description", "expected": "ours", "found": "theirs"}]'
    for number in range(size.differences):
        yield legs.at(number) | {
            "reconciliation": 1 + number % size.nights if number % 3 else size.nights,
            "key": _key(number),
            "kind": "changed",
            "verdict": ("drift", "pending", "parked", "dead_letter")[number % 4],
            "cause": ("edited_at_target", "time_zone", "rounding")[number % 3],
            "explanation": "Somebody or something changed the target; repair it.",
            "columns": columns,
            "source_id": guid(number),
            "target_id": _key(number),
            "company": "uspm",
            "period": f"2026-{1 + number % 12:02d}",
            "first_seen": _spread(number, size.differences, until),
        }


def _quality(legs: Legs, size: Size, until: datetime) -> Iterator[Row]:
    for run in range(size.runs):
        yield legs.at(run) | {
            "batch": run + 1,
            "stage": "validate",
            "rule": CAUSES[run % len(CAUSES)][0],
            "field": "msdyn_column1",
            "severity": "error",
            "rows": run % 40,
            "at": _spread(run, size.runs, until),
        }


def _audit(legs: Legs, size: Size, until: datetime) -> Iterator[Row]:
    for number in range(size.others):
        yield {
            "at": _spread(number, size.others, until),
            "actor": ("ann", "bo", "projops")[number % 3],
            "action": ("pause", "resume", "replay", "dismiss")[number % 4],
            "subject": legs.at(number)["map"],
            "reason": "of the bench",
        }


def _alerts(legs: Legs, size: Size, until: datetime) -> Iterator[Row]:
    for number in range(size.others):
        at = _spread(number, size.others, until)
        ended = number < size.others - 40
        yield legs.at(number) | {
            "cause": f"dead_letters:{number}",
            "kind": "dead_letters",
            "severity": "warning",
            "rule": "many_dead_letters",
            "title": "Rows were set aside",
            "happened": "More rows were set aside than are tolerated.",
            "meaning": "They do not arrive until somebody has looked at them.",
            "remedy": "Mend their cause, then replay them.",
            "page": "letters",
            "rows": number,
            "tells_end": True,
            "action": "none",
            "opened_at": at,
            "last_seen": at,
            "resolved_at": at if ended else None,
        }


def _deliveries(size: Size, until: datetime) -> Iterator[Row]:
    for number in range(size.others):
        yield {
            "alert": number + 1,
            "channel": "operations",
            "kind": "opened",
            "status": "sent",
            "attempts": 1,
            "due_at": until,
            "sent_at": until,
        }


def _failures(legs: Legs, size: Size, until: datetime) -> Iterator[Row]:
    for number in range(size.others):
        leg = legs.at(number)
        yield leg | {
            "at": _spread(number, size.others, until),
            "dag_id": "reference_data",
            "run_id": f"scheduled__{number}",
            "task_id": f"{leg['map']}__{leg['leg']}.load",
            "error": "SystemUnavailableError",
            "cause": f"unavailable:finance:{number % 9}",
            "message": "Finance does not answer.",
            "remedy": "See whether it is up.",
            "mended_at": until if number % 20 else None,
            "link": "",
        }


def _looks(legs: Legs, until: datetime) -> Iterator[Row]:
    for place, (map_id, leg, _) in enumerate(legs.all):
        found = {"looked_at": until, "quiet_at": until, "changes": place * 10, "more": place % 9 == 0}
        yield {"map": map_id, "leg": leg, **found}


def _requests(until: datetime) -> Iterator[Row]:
    for day in range(60):
        for system in ("dataverse", "finance"):
            yield {
                "day": f"{until - timedelta(days=day):%Y-%m-%d}",
                "system": system,
                "requests": 9_000 + day,
            }


def known(maps: Mapping[str, TableMap], size: Size) -> Mapping[str, object]:
    """Give what stands for the parameters of the pages' paths: all of it is in a state that `fill` made."""
    some = "projects"
    place = sorted({map_id for map_id, _, _ in Legs.of(maps).all}).index(some)
    return {
        "maps.map_id": some,
        "letters.number": 1,
        "letters.moment": int(_DECIDED.timestamp()) * 10**6,
        "conflicts.number": 1,
        "reconciliations.number": size.nights,
        "trace.what": some,
        "trace.key": _key(place),
    }
