"""The trial: maps in step, differences planted, and the answers of reconciliations held against them.

fill -> in step? -> plant -> reconcile -> run the legs -> reconcile -> repair -> reconcile
"""

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from projops.mapping.model import Deletes, TableMap, WriteMode
from projops.mapping.reader import load_maps
from runner.rows import Rows
from runner.wire import Row, Wire
from sandbox.clock import Clock
from sandbox.store import Store
from tests.e2e.engine.world import World
from tests.plantings.answers import Answer, Reported, reconcile
from tests.plantings.book import DRIFT, Cell, Entry, entries_of
from tests.plantings.planter import Planter, Planting
from tests.plantings.score import Score, score
from tests.plantings.standing import Ground, read_ground

# A row that breaks a rule, or that the target refuses, has its reason among the dead letters.
_SET_ASIDE = ("dead_letter", "parked")


@dataclass
class Trial:
    """Maps that are planted into.

    Attributes:
        world: The sandbox and the engine.
        store: The sandbox's database.
        grounds: Rows of the maps, by map id.
        plantings: What was planted.
        answers: What reconciliations have answered.
    """

    world: World
    store: Store
    grounds: Mapping[str, Ground]
    plantings: list[Planting] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    @property
    def maps(self) -> Mapping[str, TableMap]:
        """The maps."""
        return {name: ground.table_map for name, ground in self.grounds.items()}

    def entries(self) -> dict[Cell, Entry]:
        """Say what must be reported of all rows as they stand."""
        found: dict[Cell, Entry] = {}
        for ground in self.grounds.values():
            for pair in ground.pairs.values():
                found |= entries_of(ground, pair)
        return found

    def plant(self, count: int, seed: int) -> None:
        """Plant so many times, as many into each map."""
        for number, (name, ground) in enumerate(self.grounds.items()):
            share = count * (number + 1) // len(self.grounds) - count * number // len(self.grounds)
            planter = Planter(ground, self.store, random.Random(f"{seed} {name}"))
            planter.plant(share)
            self.plantings += planter.done

    def served(self) -> list[str]:
        """Say where the systems do not serve what was planted: nothing could be judged by it."""
        with _rows(self.world) as rows:
            return self._unserved(rows)

    def _unserved(self, rows: Rows) -> list[str]:
        found = []
        for name, ground in self.grounds.items():
            for system, side in ground.sides.items():
                held = {ground.key_of(system, row): row for row in rows.of(side.table)}
                planted = {
                    key: pair.now[system]
                    for key, pair in ground.pairs.items()
                    if pair.now[system] is not pair.before[system]
                }
                found += [
                    f"{name} {system} {key}: {_without_etag(held.get(key))}, planted {_without_etag(row)}"
                    for key, row in planted.items()
                    if _without_etag(held.get(key)) != _without_etag(row)
                ]
        return found

    def reconcile(self, *options: str) -> Answer:
        """Ask for a reconciliation of the maps."""
        self.answers.append(reconcile(self.world, self.maps, *options))
        return self.answers[-1]

    def at_once(self) -> Score:
        """Hold the first answer against the book."""
        book = {cell: (entry, entry.at_once) for cell, entry in self.entries().items()}
        return score(self.grounds, book, self.reconcile())

    def later(self) -> Score:
        """Run the legs, which nothing told of the plantings, and hold the next answer against the book."""
        self.world.sync(*self.grounds)
        entries = self.entries()
        book = {cell: (entry, entry.later) for cell, entry in entries.items() if entry.later is not None}
        return score(self.grounds, book, self.reconcile())

    def repaired(self) -> "Repaired":
        """Let the command line repair what has drifted, and say what is left."""
        before = {cell for cell, entry in self.entries().items() if entry.later == DRIFT}
        answer = self.reconcile("--repair")
        left = {
            cell: said[0] for cell, said in answer.cells.items() if said[0].verdict == DRIFT or cell in before
        }
        aside = {(cell.map, cell.key) for cell, said in left.items() if said.verdict in _SET_ASIDE}
        wrong = {
            cell
            for cell, said in left.items()
            if (cell.map, cell.key) not in aside and not self._stays(cell, said)
        }
        return Repaired(len(before), left, wrong, answer.repair)

    def _stays(self, cell: Cell, said: Reported) -> bool:
        """Whether the mapping itself forbids the repair."""
        leg = self.grounds[cell.map].table_map.legs[said.direction]
        return (said.kind == "extra" and leg.deletes is Deletes.IGNORE) or (
            said.kind == "missing" and leg.write is WriteMode.UPDATE_ONLY
        )


@dataclass(frozen=True)
class Repaired:
    """What a repair left.

    Attributes:
        drift: Cells that had drifted.
        left: Those that are not in step now, and what is said of each.
        wrong: Those of them that nothing excuses.
        sentences: What the command said of them.
    """

    drift: int
    left: Mapping[Cell, Reported]
    wrong: Collection[Cell]
    sentences: Sequence[str]


@contextmanager
def begun(world: World, database: str, maps: Sequence[str]) -> Iterator[Trial]:
    """Read the maps of a world that is in step."""
    loaded = load_maps(world.settings.mappings)
    with closing(Store(database, Clock())) as store, _rows(world) as rows:
        grounds = {name: read_ground(loaded.maps[name], loaded, rows, store) for name in maps}
        yield Trial(world, store, grounds)


@contextmanager
def _rows(world: World) -> Iterator[Rows]:
    with closing(Wire.sign_in(world.sandbox)) as wire:
        yield Rows(wire)


def _without_etag(row: Row | None) -> Row | None:
    return None if row is None else {name: row[name] for name in row if name != "@odata.etag"}
