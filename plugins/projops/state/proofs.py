"""When each leg was last proven: compared whole, for all companies and all days."""

from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import add

from sqlalchemy import Connection, and_, func, select

from projops.reconcile.model import Verdict
from projops.run import LegRef
from projops.state.tables import reconciled_leg, reconciliation

# The text of a scope without companies and days, whatever maps it names.
_WHOLE = '{"companies": null, "maps": %, "since": null, "until": null}'
_PLACE = (reconciled_leg.c.map, reconciled_leg.c.leg)


@dataclass(frozen=True, slots=True)
class Proof:
    """The last time that a leg was compared whole.

    Attributes:
        leg: The leg.
        reconciliation: Which one compared it.
        read_at: When both sides were read, UTC.
        matched: Rows that were equal.
        drift: Differing rows that nothing explained.
        explained: Differing rows that something explained.
    """

    leg: LegRef
    reconciliation: int
    read_at: datetime
    matched: int
    drift: int
    explained: int


def proofs(connection: Connection) -> list[Proof]:
    """Give the last whole comparison of each leg that has had one, by map and direction."""
    whole = select(reconciliation.c.id).where(reconciliation.c.scope.like(_WHOLE))
    last = (
        select(*_PLACE, func.max(reconciled_leg.c.reconciliation).label("reconciliation"))
        .where(reconciled_leg.c.reconciliation.in_(whole))
        .group_by(*_PLACE)
        .subquery()
    )
    explained = [reconciled_leg.c[verdict.value] for verdict in Verdict if verdict is not Verdict.DRIFT]
    counts = (reconciled_leg.c.matched, reconciled_leg.c.drift, reduce(add, explained))
    number = reconciled_leg.c.reconciliation
    same = and_(*(last.c[column.name] == column for column in (*_PLACE, number)))
    statement = select(*_PLACE, number, reconciled_leg.c.read_at, *counts).join(last, same).order_by(*_PLACE)
    return [Proof(LegRef(row[0], row[1]), *row[2:]) for row in connection.execute(statement)]
