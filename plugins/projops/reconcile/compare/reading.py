"""Both sides of a map read once each, page by page, onto disk: nothing else is asked of either system."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from projops import progress
from projops.engine import Engine, Systems
from projops.extract.frames import companies_asked, of_companies, with_identity, with_paths
from projops.extract.keys import pages_at
from projops.extract.lookups import Lookups
from projops.mapping.model import Direction, Leg, System, TableMap
from projops.mapping.paths import period_paths, source_columns
from projops.reconcile.compare.buckets import Side, SideWriter, query_engine
from projops.reconcile.compare.sides import Terms, expected_frame, found_frame, found_paths
from projops.reconcile.compare.totals import Tally, days, in_scope
from projops.reconcile.model import Scope


@dataclass(frozen=True, slots=True)
class Pair:
    """Both sides of a leg on disk.

    Attributes:
        expected: What the target should hold.
        found: What it holds.
        expected_tally: Rows and sums of the rows that the target should hold, as far as the scope goes.
        found_tally: Likewise of those that it holds and that are the map's.
        read_at: When reading began (UTC).
        folder: Where they are; what a comparison cannot keep in memory goes there too.
    """

    expected: Side
    found: Side
    expected_tally: Tally
    found_tally: Tally
    read_at: datetime
    folder: Path


@dataclass(slots=True)
class _Writing:
    """One side of a leg while it is read."""

    side: SideWriter
    tally: Tally

    @classmethod
    def begin(cls, folder: Path, terms: Terms, database: duckdb.DuckDBPyConnection) -> "_Writing":
        folder.mkdir(parents=True)
        return cls(SideWriter(folder, terms, database), Tally(terms.money))

    def write(self, frame: pa.Table, scope: Scope) -> None:
        self.side.write(frame)
        counted = pc.and_(frame["_counts"], in_scope(scope, self.side.terms.table_map, frame["_day"]))
        self.tally.add(frame.filter(counted))


@dataclass(frozen=True, slots=True)
class _Leg:
    """Both sides of a leg while they are read."""

    terms: Terms
    expected: _Writing
    found: _Writing

    @classmethod
    def begin(cls, folder: Path, terms: Terms, database: duckdb.DuckDBPyConnection) -> "_Leg":
        place = folder / terms.ref.leg
        expected, found = (_Writing.begin(place / name, terms, database) for name in ("expected", "found"))
        return cls(terms, expected, found)

    def pair(self, read_at: datetime, folder: Path) -> Pair:
        ours, theirs = self.expected, self.found
        return Pair(ours.side.close(), theirs.side.close(), ours.tally, theirs.tally, read_at, folder)


async def read_map(
    engine: Engine, systems: Systems, table_map: TableMap, scope: Scope, folder: Path
) -> Mapping[Direction, Pair]:
    """Read both sides of a map.

    Args:
        engine: Maps, value maps and companies.
        systems: Open sessions.
        table_map: The map.
        scope: Companies whose rows are read; its days cut what is compared and counted, not what is read.
        folder: An empty folder of local disk, for as long as the pairs are used.

    Returns:
        A pair for each leg of the map.

    Raises:
        ProjOpsError: A system cannot be read.
    """
    read_at = datetime.now(UTC)
    with query_engine(folder) as database:
        legs = {
            direction: _Leg.begin(folder, Terms.of(table_map, _bare(leg)), database)
            for direction, leg in table_map.legs.items()
        }
        both = [partial(_read, engine, systems, legs, scope, system) for system in System]
        await systems.dataverse.session.all_of(both)
        return {direction: leg.pair(read_at, folder) for direction, leg in legs.items()}


async def _read(
    engine: Engine, systems: Systems, legs: Mapping[Direction, _Leg], scope: Scope, system: System
) -> None:
    """Read one side: each page is what one leg expects of the other side, and what the other one finds."""
    terms = {direction: leg.terms for direction, leg in legs.items()}
    table_map = next(iter(terms.values())).table_map
    lookups, asked = systems.lookups(), companies_asked(table_map, scope.companies)
    async for page in pages_at(systems, table_map, system, paths_of(terms, table_map, system)):
        rows = of_companies(table_map, system, asked, page)
        progress.done("read", rows.num_rows)
        day = days(table_map, system, rows, engine.loaded.companies)
        for direction, leg in legs.items():
            if direction.source is system:
                source = await source_frame(leg.terms, lookups, rows)
                leg.expected.write(expected_frame(leg.terms, engine.loaded, source, day), scope)
            else:
                leg.found.write(found_frame(leg.terms, rows, day), scope)


def paths_of(terms: Mapping[Direction, Terms], table_map: TableMap, system: System) -> tuple[str, ...]:
    """Name all columns and lookup paths of one side that the legs of a map look at, each once."""
    paths = dict.fromkeys(period_paths(table_map, system))
    for direction, of_leg in terms.items():
        ours = direction.source is system
        paths |= dict.fromkeys(source_columns(table_map, of_leg.leg) if ours else found_paths(of_leg))
    return tuple(paths)


async def source_frame(terms: Terms, lookups: Lookups, rows: pa.Table) -> pa.Table:
    """Give rows of the source as the extract hands them on: identity, key, lookup paths."""
    return await with_paths(
        terms.table_map, terms.leg, lookups, with_identity(terms.table_map, terms.leg, rows)
    )


def _bare(leg: Leg) -> Leg:
    """Give a leg without the columns that only expectations look at."""
    return replace(leg, extract=replace(leg.extract, also=()))
