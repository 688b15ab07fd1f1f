"""Rows grouped and aggregated: exactly, and the same on either database, since it happens here.

Dataverse refuses to aggregate more than 50,000 rows, so that they are few enough to be fetched.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

import sqlalchemy as sa

from sandbox.dataverse.errors import ApiError, bad_request
from sandbox.odata.errors import TypeMismatchError
from sandbox.odata.literals import NUMBERS, Kind
from sandbox.odata.scope import Term
from sandbox.schema.model import Column, ColumnType
from sandbox.store import folded

LIMIT = 50_000
LIMIT_EXCEEDED = "0x8004e023"
_AVERAGE = Decimal(1).scaleb(-9)  # digits of averages in the documentation's answers [D]
_EXACT = Context(prec=400)
_ORDERED = NUMBERS | {Kind.INSTANT, Kind.DATE}
_TAKEN: Mapping[str, frozenset[Kind]] = {
    "sum": NUMBERS,
    "average": NUMBERS,
    "min": _ORDERED,
    "max": _ORDERED,
    "count": frozenset(Kind),
    "countdistinct": frozenset(Kind),
}

Values = tuple[Any, ...]


def fetch(connection: sa.Connection, query: sa.Select[Any]) -> list[Values]:
    """Fetch the rows that are to be aggregated.

    Raises:
        ApiError: When they are more than 50,000 [D]; code and text as clients look for them [C].
    """
    rows = [tuple(row) for row in connection.execute(query.limit(LIMIT + 1))]
    if len(rows) > LIMIT:
        raise too_many_rows()
    return rows


def too_many_rows() -> ApiError:
    """An aggregation over more rows than Dataverse takes."""
    return bad_request("AggregateQueryRecordLimit exceeded. Cannot perform this operation.", LIMIT_EXCEEDED)


def grouped(rows: Iterable[Values], keys: int) -> list[tuple[Values, list[Values]]]:
    """Group rows by their first values, texts without regard to case, and order the groups by them.

    Returns:
        The key of each group as its first row has it, and what follows the key in each of its rows.
        Without keys all rows are one group, also where there are none.
    """
    groups: dict[Values, tuple[Values, list[Values]]] = {} if keys else {(): ((), [])}
    for row in rows:
        key = row[:keys]
        _, members = groups.setdefault(tuple(map(_without_case, key)), (key, []))
        members.append(row[keys:])
    return sorted(groups.values(), key=lambda group: [sort_key(value) for value in group[0]])


def aggregated(method: str, values: Sequence[Any]) -> Any:
    """Compute sum, average, min, max, count or countdistinct of the values that are not null.

    Sums are exact; averages have nine digits behind the point, rounded half up [?]. Of no values only
    counts are something; all else is null.
    """
    present = [value for value in values if value is not None]
    if method == "count":
        return len(present)
    if method == "countdistinct":
        return len({_without_case(value) for value in present})
    if not present:
        return None
    if method in {"min", "max"}:
        return min(present) if method == "min" else max(present)
    total = present[0]
    for value in present[1:]:
        total = _EXACT.add(total, value) if isinstance(value, Decimal) else total + value
    if method == "sum":
        return total
    return _EXACT.divide(Decimal(total), Decimal(len(present))).quantize(_AVERAGE, ROUND_HALF_UP, _EXACT)


def check_method(method: str, term: Term, name: str) -> None:
    """Refuse a method that the values of a property do not have.

    Raises:
        TypeMismatchError: A sum of texts, the least of options and the like.
    """
    option = term.column is not None and term.column.type is ColumnType.OPTION
    if term.kind not in _TAKEN[method] or (option and not method.startswith("count")):
        raise TypeMismatchError(f"The method '{method}' cannot aggregate '{name}' of type '{term.kind}'.")


def result_column(method: str, name: str, column: Column | None) -> Column:
    """Return what a result is shown as: counts as whole numbers, averages with digits, else as its column."""
    if column is None or method.startswith("count"):
        return Column(name, ColumnType.BIGINT)
    whole = column.type in {ColumnType.INTEGER, ColumnType.BIGINT}
    return Column(name, ColumnType.DECIMAL) if method == "average" and whole else column


def sort_key(value: Any) -> tuple[bool, Any]:
    """Return what orders a value among others: nulls first, texts without regard to case."""
    return (value is not None, _without_case(value) if value is not None else 0)


def _without_case(value: Any) -> Any:
    return folded(value) if isinstance(value, str) else value
