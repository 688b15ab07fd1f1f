"""What came of a batch's expectations in a line: what the indexes of Data Docs are made of."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from projops.mapping.model import TableMap
from projops.state.batches import Batch
from projops.validate.counts import Tally
from projops.validate.expectations import Severity


@dataclass(frozen=True, slots=True)
class Summary:
    """What came of a batch's expectations.

    Attributes:
        map: Map id.
        title: Title of the map.
        leg: Direction.
        batch: Number of the batch.
        mapping_version: Version of the map.
        at: When it was validated, ISO, UTC.
        rows: Rows judged.
        rejected: Rows set aside.
        warned: How often a row broke an expectation that is a warning.
        expectations: Expectations judged.
        broken: Of those, expectations that rows break.
        rules: Ids of the rules that they break, each once.
        stopped: Why the circuit breaker stopped the batch, or None.
    """

    map: str
    title: str
    leg: str
    batch: int
    mapping_version: str
    at: str
    rows: int
    rejected: int
    warned: int
    expectations: int
    broken: int
    rules: tuple[str, ...]
    stopped: str | None = None

    def as_json(self) -> bytes:
        """Write it as a JSON object."""
        return json.dumps(asdict(self), ensure_ascii=False).encode()

    @classmethod
    def of_json(cls, content: bytes) -> Summary:
        """Read it back."""
        facts = json.loads(content)
        return cls(**{**facts, "rules": tuple(facts["rules"])})


def summarized(table_map: TableMap, batch: Batch, tally: Tally, at: datetime, stopped: str | None) -> Summary:
    """Sum up what came of a batch's expectations."""
    pairs = list(zip(tally.expectations, tally.counts, strict=True))
    broken = [(each, count) for each, count in pairs if count.broken]
    return Summary(
        map=batch.map,
        title=table_map.title,
        leg=batch.leg,
        batch=batch.id,
        mapping_version=table_map.version,
        at=at.isoformat(timespec="seconds"),
        rows=tally.rows,
        rejected=tally.rejected,
        warned=sum(count.broken for each, count in broken if each.severity is Severity.WARNING),
        expectations=len(pairs),
        broken=len(broken),
        rules=tuple(dict.fromkeys(each.rule for each, _ in broken)),
        stopped=stopped,
    )
