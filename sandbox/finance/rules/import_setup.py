"""What *Import from staging* looks up in a legal entity, each thing once a run."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache, partial
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules.categories import project_category
from sandbox.finance.rules.exchange import accounting_currency, missing_rate, rate
from sandbox.finance.rules.line_properties import line_property
from sandbox.finance.rules.parameters import Parameters, read_parameters
from sandbox.finance.rules.periods import FiscalCalendar, read_calendar
from sandbox.finance.rules.taxes import Tax, TaxFacts, sales_tax, tax_groups
from sandbox.rules.hooks import Row

RELATIONS = "IntercompanyProjectRelations"
"""Who lends to whom, of all legal entities (R1204)."""


class ActualRefusedError(Exception):
    """An actual of which no line can be made; the next import tries again.

    Attributes:
        error_id: Of the documented error (E8), or of the rule where none is documented (R607).
    """

    def __init__(self, error_id: str, sentence: str) -> None:
        """Keep the id with the sentence that people read."""
        super().__init__(sentence)
        self.error_id = error_id


@dataclass(frozen=True)
class ImportSetup:
    """The setup of a legal entity as one import sees it.

    Attributes:
        company: The legal entity.
        parameters: Its parameters of the integration.
        calendar: Its fiscal periods (R604).
        project: Project by legal entity and number, None where there is none.
        category: Project category by transaction category and class (R606).
        line_property: Line property by billing type (R608).
        currency: Its accounting currency.
        rate: Exchange rate by currency, day and contract, None where none is quoted (R607).
        missing_rate: Sentence that says so, by currency and day.
        tax_groups: Sales tax group and item sales tax group (R609).
        sales_tax: Tax by both groups, net amount and currency.
        contract_line: Contract line by contract and line id.
        relation: Intercompany relation by lender and borrower (R1204).
        customer: Customer by account.
    """

    company: str
    parameters: Parameters
    calendar: FiscalCalendar
    project: Callable[[str, str], Row | None]
    category: Callable[[str, int], str | None]
    line_property: Callable[[str], str | None]
    currency: Callable[[], str]
    rate: Callable[[str, date, str], Decimal | None]
    missing_rate: Callable[[str, date], str]
    tax_groups: Callable[[TaxFacts], tuple[str, str]]
    sales_tax: Callable[[str, str, Decimal, str], Tax]
    contract_line: Callable[[str, str], Row | None]
    relation: Callable[[str, str], Row | None]
    customer: Callable[[str], Row | None]


def read_setup(books: Books, company: str) -> ImportSetup:
    """Return the setup of a legal entity; what the import asks of it is remembered."""
    here: dict[str, Any] = {"dataAreaId": company}
    return ImportSetup(
        company=company,
        parameters=read_parameters(books, company),
        calendar=read_calendar(books, company),
        project=cache(partial(_project, books)),
        category=cache(partial(project_category, books, company)),
        line_property=cache(partial(line_property, books, company)),
        currency=cache(partial(accounting_currency, books, company)),
        rate=cache(partial(rate, books, company)),
        missing_rate=partial(missing_rate, books, company),
        tax_groups=cache(partial(tax_groups, books, company)),
        sales_tax=partial(sales_tax, books, company),
        contract_line=cache(partial(_contract_line, books, company)),
        relation=cache(partial(_relation, books)),
        customer=cache(lambda account: books.first("CustomersV3", CustomerAccount=account, **here)),
    )


def _project(books: Books, company: str, number: str) -> Row | None:
    return books.first("ProjectsV2", dataAreaId=company, ProjectId=number) if number else None


def _contract_line(books: Books, company: str, contract: str, line: str) -> Row | None:
    return books.first(
        "ProjectContractLines", dataAreaId=company, ProjectContractId=contract, ContractLineId=line
    )


def _relation(books: Books, lender: str, borrower: str) -> Row | None:
    return books.first(RELATIONS, LendingLegalEntityId=lender, BorrowingLegalEntityId=borrower)
