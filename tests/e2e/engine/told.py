"""The world after the story of `make demo`, told with the engine alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runner.story.engagement import Engagement
from runner.story.telling import tell
from runner.wire import Wire
from tests.e2e.engine.truth import maps
from tests.e2e.engine.world import Databases, Row, World, named


@dataclass(frozen=True)
class Story:
    """What the story left behind.

    Attributes:
        databases: Of sandbox and engine; nobody uses them, so that they may be copied.
        engagement: What was signed.
        moved: Rows that each leg loaded.
    """

    databases: Databases
    engagement: Engagement
    moved: Mapping[str, int]


@dataclass(frozen=True)
class Told:
    """A world in which the story has happened.

    Attributes:
        world: The world.
        databases: Its databases.
        engagement: What was signed.
        moved: Rows that each leg loaded.
    """

    world: World
    databases: Databases
    engagement: Engagement
    moved: Mapping[str, int]

    @property
    def wire(self) -> Wire:
        return wire_of(self.world)

    def actuals(self, kind: int, transaction_class: int) -> list[Row]:
        where = (
            f"msdyn_transactiontypecode eq {kind} and msdyn_transactionclassification eq {transaction_class} "
            f"and _msdyn_project_value eq {self.engagement.project}"
        )
        return self.world.dataverse_rows("msdyn_actuals", where)


def wire_of(world: World) -> Wire:
    return Wire(world.dataverse, world.finance, world.control)


def tell_in(world: World, databases: Databases) -> Story:
    """Let the story happen in a world in which all maps are in step; no row is set aside."""
    moved: dict[str, int] = {}

    def sync(areas: Sequence[str]) -> None:
        for area in areas:
            outcomes = world.sync(*[name for name, each in maps().items() if each["area"] == area])
            for count in ("rejected", "failed"):
                assert named(outcomes, count) == {}
            for leg, outcome in outcomes.items():
                moved[leg] = moved.get(leg, 0) + outcome.loaded

    return Story(databases, tell(wire_of(world), sync, print), moved)
