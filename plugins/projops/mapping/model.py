"""What a table map says, as frozen values.

`reader` makes these from YAML, `lint` checks them against both systems, every later phase reads
them and nothing changes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar


class System(StrEnum):
    """The two systems."""

    DATAVERSE = "dataverse"
    FINANCE = "finance"


class Direction(StrEnum):
    """One direction of a table map, as it stands in YAML."""

    DATAVERSE_TO_FINANCE = "dataverse_to_finance"
    FINANCE_TO_DATAVERSE = "finance_to_dataverse"

    @property
    def source(self) -> System:
        """The system that rows are read from."""
        return System.DATAVERSE if self is Direction.DATAVERSE_TO_FINANCE else System.FINANCE

    @property
    def target(self) -> System:
        """The system that rows are written to."""
        return System.FINANCE if self is Direction.DATAVERSE_TO_FINANCE else System.DATAVERSE

    @property
    def opposite(self) -> "Direction":
        """The other way; a map need not have a leg that goes it."""
        return next(each for each in Direction if each is not self)


class Strategy(StrEnum):
    """How changed rows are found."""

    CHANGE_TRACKING = "change_tracking"
    INCREMENTAL_EXPORT = "incremental_export"
    SNAPSHOT = "snapshot"


class WriteMode(StrEnum):
    """What a leg may do to the target."""

    UPSERT = "upsert"
    UPDATE_ONLY = "update_only"
    CREATE_ONLY = "create_only"


class Deletes(StrEnum):
    """What a delete at the source does at the target."""

    PROPAGATE = "propagate"
    DEACTIVATE = "deactivate"
    IGNORE = "ignore"


class Leaves(StrEnum):
    """What happens at the target when a row sent before no longer matches `where`."""

    KEEP = "keep"
    DELETE = "delete"
    DEACTIVATE = "deactivate"


@dataclass(frozen=True, slots=True)
class KeyPart:
    """One part of the integration key.

    Attributes:
        finance: Key field of the Finance entity.
        dataverse: Column or dotted lookup path on the Dataverse side.
    """

    finance: str
    dataverse: str


@dataclass(frozen=True, slots=True)
class Extract:
    """How a leg finds its rows.

    Attributes:
        strategy: Change tracking, incremental export or snapshot.
        where: Filter in the expression grammar, evaluated after extraction; None takes all rows.
        leaves: What becomes of a row sent before that no longer matches.
        also: Columns or paths that only expectations look at.
    """

    strategy: Strategy
    where: str | None = None
    leaves: Leaves = Leaves.KEEP
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One mapping operator with its argument, applied in the order written.

    Attributes:
        operator: Name of a shared mapping operator (value_map, default, truncate, round, ...).
        argument: What YAML gives it.
        line: Line in the file, from 1.
    """

    operator: str
    argument: Any
    line: int


@dataclass(frozen=True, slots=True)
class FieldRule:
    """How one target field comes about.

    Attributes:
        target: Finance field, or Dataverse column; a dotted path sets a lookup by a column of its
            target (`transactioncurrencyid.isocurrencycode`).
        source: Column or dotted lookup path that `from` names, or None (constant, concat).
        required: Whether a row without a value is set aside.
        steps: Operators in the order written.
        evidence: The comment that stands beside the row (DOC, META, INF, PROPOSED ...), for docs.
        line: Line in the file, from 1.
        create_only: Whether the field is written when the row is created, and is the target's own from
            then on: later changes at the source leave it alone, and a change of it is no drift.
    """

    target: str
    source: str | None
    required: bool
    steps: tuple[Step, ...]
    evidence: str
    line: int
    create_only: bool = False


@dataclass(frozen=True, slots=True)
class DeleteLimit:
    """Above how many deletes a leg asks a person; None leaves it to the settings.

    Attributes:
        share: Share of the rows in step, 0 to 1.
        rows: Number of rows.
    """

    share: float | None = None
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Leg:
    """One direction of a map.

    Attributes:
        direction: From which system to which.
        extract: How changed rows are found.
        write: What may be done at the target.
        deletes: What a delete at the source does.
        fields: Rules by target field, in file order. Key fields are not repeated here.
        line: Line in the file, from 1.
        approve_deletes_above: Above how many deletes a person is asked.
    """

    direction: Direction
    extract: Extract
    write: WriteMode
    deletes: Deletes
    fields: tuple[FieldRule, ...]
    line: int
    approve_deletes_above: DeleteLimit = DeleteLimit()

    @property
    def kept_in_step(self) -> tuple[str, ...]:
        """Target fields that follow the source for good: all but those written at creation only."""
        return tuple(rule.target for rule in self.fields if not rule.create_only)


@dataclass(frozen=True, slots=True)
class Gate:
    """What must be in step before a row of the map is written (an invoice header waits for its lines).

    Attributes:
        billed_actuals: Lookup on `msdyn_actual` that leads to the map's table: all actuals that name a
            row there, and what they are connected with, go before that row.
        waits_for: The maps whose rows these are: actuals, and their connections.
    """

    billed_actuals: str
    waits_for: ClassVar[tuple[str, str]] = ("actuals", "transaction_connections")


@dataclass(frozen=True, slots=True)
class TableMap:
    """One Dataverse table and one Finance entity kept in step.

    Attributes:
        map: Id, used in file names, CLI, reports and golden files.
        title: Name that Microsoft gives the map.
        version: Dotted version; compares as numbers.
        area: Area (DAG) that runs the map.
        dataverse: Logical name of the table.
        finance: Name of the entity set.
        key: Integration key.
        needs: Ids of maps whose rows must be there first.
        companies: Company codes in lower case, or None for all.
        enabled: False for optional maps that are off unless asked for by name.
        legs: By direction.
        conflict: The system that wins where both changed a shared column, or None.
        file: Path of the YAML file, relative to the project.
        lines: Line numbers of top-level entries, for messages.
        gate: What must be in step before a row is written to Finance, or None.
        period: Finance date fields of which the first that has a value says in which accounting period a
            row is; none for maps whose rows belong to no period.
    """

    map: str
    title: str
    version: str
    area: str
    dataverse: str
    finance: str
    key: tuple[KeyPart, ...]
    needs: tuple[str, ...]
    companies: tuple[str, ...] | None
    enabled: bool
    legs: Mapping[Direction, Leg]
    conflict: System | None
    file: str
    lines: Mapping[str, int] = field(default_factory=dict)
    gate: Gate | None = None
    period: tuple[str, ...] = ()

    def shared_fields(self) -> tuple[tuple[str, str], ...]:
        """Pairs (Finance field, Dataverse path) that both legs keep in step: the shared columns."""
        back = self.legs.get(Direction.FINANCE_TO_DATAVERSE)
        forth = self.legs.get(Direction.DATAVERSE_TO_FINANCE)
        if back is None or forth is None:
            return ()
        written_back = {(rule.source, rule.target) for rule in back.fields if not rule.create_only}
        return tuple(
            (rule.target, rule.source)
            for rule in forth.fields
            if rule.source is not None and not rule.create_only and (rule.target, rule.source) in written_back
        )
