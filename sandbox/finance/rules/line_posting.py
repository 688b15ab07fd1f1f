"""Posting of one line of the integration journal: voucher, project transaction, staging row (R703, R704)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.errors import VALIDATION_ERROR, FinanceError
from sandbox.finance.rules import connections, staging, transactions
from sandbox.finance.rules.accounting import COST, SALES, Accruals, line_entries, line_offset
from sandbox.finance.rules.connections import UNBILLED_SALES, Connected, chunks, connected
from sandbox.finance.rules.integration_journals import LINES
from sandbox.finance.rules.ledger import Ledger, read_ledger, write_voucher
from sandbox.finance.rules.periods import FiscalCalendar, read_calendar
from sandbox.finance.rules.project_stages import Place, finished_project, finished_projects, place_of
from sandbox.finance.rules.transactions import Posting
from sandbox.rules.days import NEVER, day_of, noon
from sandbox.rules.hooks import Row
from sandbox.store.defaults import ZERO_GUID


@dataclass(frozen=True)
class JournalPosting:
    """What the lines of one journal need, read once.

    Attributes:
        ledger: Ledger of the legal entity.
        calendar: Its fiscal periods.
        accruals: Which sales are accrued.
        actuals: Staging rows of the lines by import id.
        partners: What the actuals are connected with.
        finished: Projects that were closed since the lines were imported (R113).
        costs: Posted transactions by the import id of their cost.
        sales: Posted transactions by the import id of their unbilled sales.
    """

    ledger: Ledger
    calendar: FiscalCalendar
    accruals: Accruals
    actuals: Mapping[str, Row]
    partners: Connected
    finished: frozenset[Place] = frozenset()
    costs: dict[str, Row] = field(default_factory=dict)
    sales: dict[str, Row] = field(default_factory=dict)

    def post(self, books: Books, line: Row) -> None:
        """Post a line.

        Raises:
            FinanceError: The ledger or the setup refuses it, or its project is closed (E8).
            PeriodClosedError: Its accounting date lies in no open period (E12, E13).
        """
        if place_of(line) in self.finished:
            sentence = finished_project(place_of(line)[0], str(line["ProjectId"]))
            raise FinanceError(400, sentence, VALIDATION_ERROR)
        day = self.calendar.accounting_date(day_of(line["AccountingDate"]) or _work_day(line))
        actual = self.actuals.get(line["ActualsImportId"])
        accrued = self.accruals.accrues(line)
        entries = line_entries(line, line_offset(line, actual), accrued)
        write_voucher(books, self.ledger, str(line["Voucher"]), day, entries, str(line["JournalId"]))
        self._record(books, line, day, accrued)
        books.update(LINES, line, {"LineStatus": "Posted", "AccountingDate": noon(day), "MessageText": ""})
        if actual is not None:
            books.update(staging.ACTUALS, actual, _results(line))

    def _record(self, books: Books, line: Row, day: date, accrued: bool) -> None:
        """Write the project transaction; a lender's lines make none (R1202)."""
        posting = _posting(line, day)
        if line["TransactionType"] == COST:
            partner = self._partner(line, UNBILLED_SALES, self.sales, "CostActualsImportId")
            self._keep(transactions.post_cost(books, posting, partner))
        elif line["TransactionType"] == SALES:
            partner = self._partner(line, connections.COST, self.costs, "SalesActualsImportId")
            self._keep(transactions.post_sales(books, posting, accrued, partner))

    def _keep(self, transaction: Row) -> None:
        """Remember a transaction by both of its halves, for later lines of the same journal."""
        self.costs[transaction["CostActualsImportId"]] = transaction
        self.sales[transaction["SalesActualsImportId"]] = transaction

    def _partner(self, line: Row, role: str, posted: Mapping[str, Row], taken: str) -> Row | None:
        """Return the posted transaction of a connected actual whose other half is free."""
        actuals = (row["ActualsImportId"] for row in self.partners.rows(line["ActualId"], role))
        found = (posted[actual] for actual in actuals if actual in posted)
        return next((row for row in found if row[taken] == ZERO_GUID), None)


def open_posting(books: Books, company: str, lines: Sequence[Row]) -> JournalPosting:
    """Read what posting the lines of one journal needs."""
    imported = [str(line["ActualsImportId"]) for line in lines]
    partners = connected(books, [str(line["ActualId"]) for line in lines])
    posting = JournalPosting(
        read_ledger(books, company),
        read_calendar(books, company),
        Accruals(books, company),
        {row["ActualsImportId"]: row for row in staging.staged(books, company, imported)},
        partners,
        finished_projects(books, lines),
    )
    for part in chunks([str(row["ActualsImportId"]) for row in partners.staged.values()]):
        posting.costs.update(transactions.of_costs(books, company, part))
        posting.sales.update(transactions.of_sales(books, company, part))
    return posting


def _work_day(line: Row) -> date:
    return day_of(line["TransactionDate"]) or NEVER


def _results(line: Row) -> dict[str, Any]:
    """Return what goes back to the actual in Dataverse (R704)."""
    return {
        "AccountingAmount": line["AccountingAmount"],
        "ExchangeRate": line["ExchangeRate"],
        "VoucherNumber": line["Voucher"],
        "SalesTaxAmount": line["SalesTaxAmount"],
        "IsJournalized": "Yes",
    }


def _posting(line: Row, day: date) -> Posting:
    return Posting(
        company=str(line["dataAreaId"]),
        project=str(line["ProjectId"]),
        classification=int(line["TransactionClassification"]),
        category=str(line["CategoryId"]),
        day=_work_day(line),
        accounting_day=day,
        quantity=line["Quantity"],
        currency=str(line["CurrencyCode"]),
        price=line["UnitPrice"],
        amount=line["Amount"],
        accounting_amount=line["AccountingAmount"],
        voucher=str(line["Voucher"]),
        actual=str(line["ActualsImportId"]),
        source=str(line["SourceActualId"]),
        line_property=str(line["LinePropertyId"]),
        contract=str(line["ContractId"]),
        contract_line=str(line["ContractLineId"]),
        funding_source=str(line["FundingSource"]),
        resource=str(line["ResourceId"]),
        activity=str(line["ActivityNumber"]),
        description=str(line["Description"]),
    )
