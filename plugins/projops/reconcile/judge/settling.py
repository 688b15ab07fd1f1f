"""Looks again at rows that nothing explains: what changes while it is looked at is no drift.

Under a live sync both sides and the state move all the time. A row has drifted only if its pair stood
still while its source, its target and its source again were read, no write of it was on its way, and
Dataverse, asked after that from where the leg stood before, does not name it: a change that a run had
brought by then was at the target, and one that none had brought is named.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from projops.engine import Engine, Systems
from projops.mapping.model import Leg, TableMap
from projops.reconcile.compare.looking import look_again
from projops.reconcile.judge.gathering import entries_of, ground_of, outlooks
from projops.reconcile.judge.ground import Ground
from projops.reconcile.judge.judging import judge_all, unsettled
from projops.reconcile.judge.pending import places_of
from projops.reconcile.judge.shared_columns import note_counterparts
from projops.reconcile.model import Finding, RowDifference, Verdict
from projops.run import LegRef
from projops.state import StateStore, explanations, overview
from projops.state.crosswalk import Entry

LOOKS = 4
ROWS_A_LOOK = 5000
_PAUSE = 0.2  # seconds between two questions whether the map's writer has finished


@dataclass(frozen=True, slots=True)
class Settler:
    """Settles differences of one leg.

    Attributes:
        engine: State and maps.
        systems: Open sessions.
        table_map: The map.
        leg: The leg.
        reconciliation: The one that runs.
    """

    engine: Engine
    systems: Systems
    table_map: TableMap
    leg: Leg
    reconciliation: int

    async def settle(self, rows: Sequence[RowDifference]) -> list[tuple[Finding, Ground]]:
        """Look at rows until each is explained, equal, or stands still and differs.

        Args:
            rows: Differences that nothing explains.

        Returns:
            Findings, each with what it was judged by; of rows that are equal by now there is none.
        """
        settled: list[tuple[Finding, Ground]] = []
        for start in range(0, len(rows), ROWS_A_LOOK):
            settled += await self._settle(rows[start : start + ROWS_A_LOOK])
        return settled

    async def _settle(self, rows: Sequence[RowDifference]) -> list[tuple[Finding, Ground]]:
        settled: list[tuple[Finding, Ground]] = []
        for _ in range(LOOKS):
            found, ground, rows = await self._look(rows)
            settled += [(finding, ground) for finding in found]
            if not rows:
                return settled
            await _until_written(self.engine.state, self.table_map.map, self.engine.settings.lease_seconds)
        return settled + [(unsettled(row, ground.pause), ground) for row in rows]

    async def _look(
        self, rows: Sequence[RowDifference]
    ) -> tuple[list[Finding], Ground, Sequence[RowDifference]]:
        """Look at rows once; give findings, what they were judged by, and rows to look at again."""
        places = places_of(self.engine, self.table_map)
        before, on_the_way = self._state_of(rows)
        seen = await look_again(self.engine, self.systems, self.table_map, self.leg, rows)
        mirrored = await self._mirrored(seen.differences)
        views = await outlooks(self.engine, self.systems, self.table_map, self.reconciliation, places)
        outlook = views[self.leg.direction]
        if mirrored:
            back = self.table_map.legs[mirrored[0].leg.direction]
            note_counterparts(self.table_map, back, mirrored, outlook.counterparts)
        ground = ground_of(outlook, seen.differences)
        ground = replace(ground, on_the_way=ground.on_the_way | on_the_way)
        still: list[Finding] = []
        again = list(seen.unsettled)
        for each in judge_all(seen.differences, ground):
            if each.verdict is Verdict.DRIFT and _has_moved(each, before, ground):
                again.append(each.difference)
            else:
                still.append(each)
        return still, ground, again

    def _state_of(self, rows: Sequence[RowDifference]) -> tuple[Mapping[str, Entry], frozenset[str]]:
        """Give the pairs of rows, and the keys that somebody writes."""
        map_id = self.table_map.map
        with self.engine.state.begin() as connection:
            return entries_of(connection, map_id, rows), explanations.on_the_way(connection, map_id)

    async def _mirrored(self, rows: Sequence[RowDifference]) -> Sequence[RowDifference]:
        """See the same pairs as the other leg does, where it shares columns with this one."""
        back = self.table_map.legs.get(self.leg.direction.opposite)
        if back is None or not self.table_map.shared_fields() or not rows:
            return ()
        ref = LegRef(self.table_map.map, back.direction.value)
        mirrored = [
            replace(row, leg=ref, source_id=row.target_id, target_id=row.source_id, columns=())
            for row in rows
            if row.target_id is not None
        ]
        return (await look_again(self.engine, self.systems, self.table_map, back, mirrored)).differences


def _has_moved(finding: Finding, before: Mapping[str, Entry], ground: Ground) -> bool:
    """Say whether the pair of a row was written down anew while the row was looked at."""
    key = finding.difference.key or ""
    return before.get(key) != ground.entries.get(key)


async def _until_written(state: StateStore, map_id: str, patience: float) -> None:
    """Wait until whoever writes the map has finished; not at all if nobody does.

    Args:
        state: State database.
        map_id: The map.
        patience: Seconds to wait at most.
    """
    writer, deadline = _writer(state, map_id), time.monotonic() + patience
    while writer is not None and _writer(state, map_id) == writer and time.monotonic() < deadline:
        await asyncio.sleep(_PAUSE)


def _writer(state: StateStore, map_id: str) -> str | None:
    with state.begin() as connection:
        return overview.writers(connection).get(map_id)
