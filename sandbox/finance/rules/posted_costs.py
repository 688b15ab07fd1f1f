"""Costs that Finance has posted before their actuals came in (R505)."""

from sandbox.finance.books import Books
from sandbox.rules.hooks import Row


class PostedCosts:
    """Documents of a legal entity whose posting booked project cost itself, looked up once.

    A packing slip of an item requirement and a general journal do so; only the unbilled sales that
    Dataverse makes of them come to the journal. Their actuals bear the document as external origin
    reference [INF]. Expenses and vendor invoices are not among them: they wait on the integration
    accounts for their actuals (R902, R1002).
    """

    def __init__(self, books: Books, company: str) -> None:
        """Look up in a legal entity, with the first actual that names a document."""
        self._books = books
        self._company = company
        self._known: frozenset[str] | None = None

    def has(self, actual: Row) -> bool:
        """Whether the cost of an actual is posted already."""
        reference = str(actual["ExternalOriginReference"]).casefold()
        return bool(reference) and reference in self._documents()

    def _documents(self) -> frozenset[str]:
        if self._known is None:
            usages = self._books.find("ProjMaterialUsageExports", dataAreaId=self._company)
            journals = self._books.find("GeneralJournalLines", dataAreaId=self._company, IsPosted="Yes")
            self._known = frozenset(
                [str(row["MaterialUsageId"]).casefold() for row in usages]
                + [str(row["Voucher"]).casefold() for row in journals]
            )
        return self._known
