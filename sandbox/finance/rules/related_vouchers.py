"""Related vouchers: the lines of one piece of work name each other (R605)."""

from collections.abc import Collection, Iterator, Sequence

from sandbox.finance.books import Books
from sandbox.finance.rules.connections import (
    COST,
    UNBILLED_SALES,
    Connected,
    chunks,
    connected,
)
from sandbox.finance.rules.integration_journals import LINES
from sandbox.finance.rules.line_amounts import Line
from sandbox.rules.hooks import Row
from sandbox.store.defaults import ZERO_GUID

_LENT = ("Resourcing Unit Cost", "Inter-Organizational Sales")
_PAIRS = (
    (COST, UNBILLED_SALES),
    (UNBILLED_SALES, COST),
    _LENT,
    (_LENT[1], _LENT[0]),
)
"""Roles of the two ends whose vouchers are related; the first is the actual's own."""


def relate(books: Books, company: str, lines: Sequence[Line]) -> None:
    """Name on each new line the voucher of its counterpart, and the other way round (R605).

    The counterpart may be one of the lines, or stand in a journal already. The extra line of a fee or
    a discount is related to the line of its source actual.
    """
    own = {line["ActualId"]: line for line in lines if line["ActualId"] != ZERO_GUID}
    by_source = {line["ActualsImportId"]: line for line in lines if "SourceActualId" not in line}
    partners = connected(books, list(own))
    earlier = _earlier(books, company, partners, own.keys())
    for line in lines:
        if "SourceActualId" in line:
            line["RelatedVoucher"] = by_source[line["SourceActualId"]]["Voucher"]
            continue
        for actual in _counterparts(partners, line["ActualId"]):
            other = own.get(actual) or earlier.get(actual)
            if other is not None:
                line["RelatedVoucher"] = other["Voucher"]
                _name_back(books, earlier.get(actual), line)
                break


def _counterparts(partners: Connected, actual: str) -> Iterator[str]:
    for mine, theirs in _PAIRS:
        yield from partners.ids(actual, theirs, mine)


def _earlier(books: Books, company: str, partners: Connected, own: Collection[str]) -> dict[str, Row]:
    """Return the lines of counterparts that earlier imports have written, by Dataverse id."""
    asked = [actual for actual in partners.staged if actual not in own]
    rows = (row for part in chunks(asked) for row in books.find(LINES, dataAreaId=company, ActualId=part))
    return {row["ActualId"]: row for row in rows}


def _name_back(books: Books, earlier: Row | None, line: Row) -> None:
    """Name the new voucher on an earlier line that names none."""
    if earlier is not None and not earlier["RelatedVoucher"]:
        books.update(LINES, earlier, {"RelatedVoucher": line["Voucher"]})
