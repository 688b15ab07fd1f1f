"""What stages, tasks and the command line hand on: what to run, what was staged, what came of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from projops.mapping.model import Direction


class JsonValue:
    """Values that travel through XCom as plain dictionaries."""

    def as_json(self) -> dict[str, Any]:
        """Give the value as a dictionary of plain values."""
        return asdict(self)  # type: ignore[call-overload, no-any-return]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read the value back; what a former version did not write has its default."""
        return cls(**{each.name: value[each.name] for each in fields(cls) if each.name in value})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class RunRequest(JsonValue):
    """What is asked of a run.

    Attributes:
        dag_id: DAG, or "cli".
        run_id: Run; with the DAG it identifies the batches.
        maps: Ids of the maps to run, or None for all of the area.
        companies: Company codes to run for, or None for all. Such a run leaves the watermarks alone.
        mode: "incremental", or "full" to read everything and move the differences.
        manual: Whether a person asked for it: then every leg is due.
        signalled: Whether only signals woke it: then only the sources that have signalled are asked.
    """

    dag_id: str
    run_id: str
    maps: tuple[str, ...] | None = None
    companies: tuple[str, ...] | None = None
    mode: str = "incremental"
    manual: bool = False
    signalled: bool = False

    @property
    def owner(self) -> str:
        """Name of the run, for leases and messages."""
        return f"{self.dag_id} {self.run_id}"


@dataclass(frozen=True, slots=True)
class LegRef(JsonValue):
    """One leg of one map.

    Attributes:
        map: Map id.
        leg: Direction as in YAML.
    """

    map: str
    leg: str

    def __str__(self) -> str:
        return f"{self.map}__{self.leg}"

    @property
    def direction(self) -> Direction:
        """The leg as a direction."""
        return Direction(self.leg)


@dataclass(frozen=True, slots=True)
class Staged(JsonValue):
    """What a stage wrote for the next one.

    Attributes:
        batch: Number of the batch.
        map: Map id.
        leg: Direction.
        stage: extract, validate or transform.
        uri: Manifest of the staged folder; "" where the batch was superseded.
        rows: Rows in it.
        superseded_by: The later batch that moved the leg on, or None.
    """

    batch: int
    map: str
    leg: str
    stage: str
    uri: str
    rows: int
    superseded_by: int | None = None


@dataclass(frozen=True, slots=True)
class LegOutcome(JsonValue):
    """What became of the rows of a batch.

    Attributes:
        batch: Number of the batch.
        map: Map id.
        leg: Direction.
        read: Rows extracted.
        unchanged: Rows that were in step already.
        loaded: Rows created, updated or deleted at the target.
        parked: Rows that wait for another row, or for approval.
        rejected: Rows that break a rule of ours (dead letters).
        failed: Rows that the target refused (dead letters).
        seconds: From the start of the batch to its end.
        superseded_by: The later batch that moved the leg on, or None.
        deleted: Of those loaded, rows that were deleted without anybody's approval.
    """

    batch: int
    map: str
    leg: str
    read: int = 0
    unchanged: int = 0
    loaded: int = 0
    parked: int = 0
    rejected: int = 0
    failed: int = 0
    seconds: float = 0.0
    superseded_by: int | None = None
    deleted: int = 0
