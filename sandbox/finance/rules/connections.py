"""Which actuals belong together: transaction connections as Dataverse sent them (R302, R402, R406).

A connection names two actuals and the role of each: Cost and Unbilled Sales, Unbilled Sales and
Billed Sales, Original and Reversing, Original and Replacing.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sandbox.finance.books import Books
from sandbox.finance.rules.staging import ACTUALS

CONNECTIONS = "ProjCDSTransactionRelationshipImports"
COST = "Cost"
UNBILLED_SALES = "Unbilled Sales"
ORIGINAL = "Original"
REVERSING = "Reversing"

_CHUNK = 1000
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Partner:
    """The other end of a connection.

    Attributes:
        mine: Role of the actual that was asked about.
        role: Role of the partner.
        actual: Dataverse id of the partner.
    """

    mine: str
    role: str
    actual: str


@dataclass(frozen=True)
class Connected:
    """What some actuals are connected with.

    Attributes:
        partners: By Dataverse id of an actual.
        staged: Staging rows of those partners that have come in, by Dataverse id.
    """

    partners: Mapping[str, Sequence[Partner]]
    staged: Mapping[str, Mapping[str, Any]]

    def ids(self, actual: str, role: str, mine: str = "") -> list[str]:
        """Return the actuals that have a role beside an actual, staged or not.

        Args:
            actual: Dataverse id of the actual.
            role: Role of its partners.
            mine: Role of the actual itself; "" for any.
        """
        return [
            partner.actual
            for partner in self.partners.get(actual, ())
            if partner.role.casefold() == role.casefold() and mine.casefold() in ("", partner.mine.casefold())
        ]

    def rows(self, actual: str, role: str, mine: str = "") -> list[Mapping[str, Any]]:
        """Return the staging rows of the actuals that have a role beside an actual; see `ids`."""
        return [self.staged[partner] for partner in self.ids(actual, role, mine) if partner in self.staged]


def connected(books: Books, actuals: Collection[str]) -> Connected:
    """Return the partners of actuals by their Dataverse ids; two looks at the table a thousand ids."""
    partners: dict[str, list[Partner]] = defaultdict(list)
    for actual, partner in _ends(books, actuals):
        if partner not in partners[actual]:
            partners[actual].append(partner)
    named = {partner.actual for found in partners.values() for partner in found}
    staged: dict[str, Mapping[str, Any]] = {}
    for part in chunks(sorted(named)):
        for row in books.find(ACTUALS, ActualId=part):
            staged.setdefault(row["ActualId"], row)  # what came in again is never imported
    return Connected(partners, staged)


def chunks(values: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """Cut a list into parts that one query can name."""
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def _ends(books: Books, actuals: Collection[str]) -> Iterator[tuple[str, Partner]]:
    """Yield each end that is asked about, with the other one."""
    for part in chunks(sorted(actuals)):
        for row in books.find(CONNECTIONS, Transaction1Id=part):
            yield row["Transaction1Id"], _partner(row, mine="1", other="2")
        for row in books.find(CONNECTIONS, Transaction2Id=part):
            yield row["Transaction2Id"], _partner(row, mine="2", other="1")


def _partner(row: Mapping[str, Any], mine: str, other: str) -> Partner:
    return Partner(
        str(row[f"Transaction{mine}Role"]),
        str(row[f"Transaction{other}Role"]),
        str(row[f"Transaction{other}Id"]),
    )
