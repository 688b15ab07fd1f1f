"""Lines of an invoice proposal: from billed sales, with their sales tax (R802, R609, R613).

Work is one line, and one more for its fee and for its discount where that is posted separately. A
milestone or a retainer is an on-account line. A credit mirrors the lines that it takes back.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules import on_account, staging, transactions
from sandbox.finance.rules.accounting import ON_ACCOUNT_CLASSES
from sandbox.finance.rules.billing import LINES, Basis
from sandbox.finance.rules.categories import TransactionClass
from sandbox.finance.rules.documents import total
from sandbox.finance.rules.import_setup import ImportSetup, read_setup
from sandbox.finance.rules.taxes import Tax, TaxFacts
from sandbox.rules.hooks import Row

_ZERO = Decimal(0)
_OF_TRANSACTION = ("TransId", "CategoryId", "LinePropertyId")
_MIRRORED = (*_OF_TRANSACTION, "SalesTaxGroupId", "SalesTaxItemGroupId")
_NEGATED = ("Quantity", "LineAmount", "SalesTaxAmount")


def tax_values(setup: ImportSetup, facts: TaxFacts, net: Decimal, currency: str) -> dict[str, Any]:
    """Return the tax columns of an invoice line (R609)."""
    groups = setup.tax_groups(facts)
    tax = setup.sales_tax(*groups, net, currency) if net else Tax()
    return {
        "SalesTaxGroupId": groups[0],
        "SalesTaxItemGroupId": groups[1],
        "SalesTaxAmount": tax.amount,
    }


@dataclass(frozen=True)
class Drafting:
    """What the lines of one proposal have in common.

    Attributes:
        books: Of the transaction.
        company: Legal entity.
        number: Proposal.
        customer: Who pays.
        on_account_category: Project category of on-account lines, from the parameters.
        free: Line properties of what is shown, but not charged (R303).
        setup: Setup of the company, each thing looked up once.
    """

    books: Books
    company: str
    number: str
    customer: str
    on_account_category: str
    free: frozenset[str]
    setup: ImportSetup

    def lines(self, basis: Basis) -> Iterator[dict[str, Any]]:
        """Yield the values of the lines of a billed sales actual."""
        if basis.credited:
            yield from (self._credit(basis.billed, line) for line in basis.credited)
        elif basis.transaction is None:
            yield self._on_account(basis.billed)
        else:
            yield self._work(basis, basis.transaction)
            yield from (self._extra(basis.billed, extra) for extra in basis.extras)

    def dimensions(self, billed: Row) -> str:
        """Return the financial dimensions of a line: a milestone's are its contract line's (R610)."""
        if billed["TransactionClassification"] in ON_ACCOUNT_CLASSES:
            line = self.setup.contract_line(billed["ContractId"], billed["ContractLineId"])
            return "" if line is None else str(line["DefaultLedgerDimensionDisplayValue"])
        project = self.setup.project(self.company, billed["ProjectId"])
        return "" if project is None else str(project["DimensionDisplayValue"])

    def _work(self, basis: Basis, transaction: Row) -> dict[str, Any]:
        """Return the line of the work itself: before a discount that has a line, taxed after it (R613)."""
        discounts = total(row["SalesAmount"] for row in basis.extras if not _is_fee(row))
        values = _billed_values(basis.billed) | {name: transaction[name] for name in _OF_TRANSACTION}
        free = values["LinePropertyId"] in self.free
        net = _ZERO if free else basis.billed["Amount"]
        values["LineAmount"] = _ZERO if free else net - discounts
        return values | tax_values(self.setup, self._facts(basis.billed, values), net, values["CurrencyCode"])

    def _extra(self, billed: Row, extra: Row) -> dict[str, Any]:
        values = _billed_values(billed) | {name: extra[name] for name in _OF_TRANSACTION}
        amount = _ZERO if values["LinePropertyId"] in self.free else extra["SalesAmount"]
        values |= {"Quantity": Decimal(1), "SalesPrice": extra["SalesPrice"], "LineAmount": amount}
        if not _is_fee(extra):
            return values
        values |= {"TransactionClassification": TransactionClass.FEE}
        return values | tax_values(self.setup, self._facts(billed, values), amount, values["CurrencyCode"])

    def _on_account(self, billed: Row) -> dict[str, Any]:
        taken = on_account.take(self.books, self.company, billed)
        values = _billed_values(billed) | {
            "OnAccountTransId": taken["TransId"],
            "CategoryId": self.on_account_category,
        }
        facts = self._facts(billed, values, is_on_account=True)
        return values | tax_values(self.setup, facts, values["LineAmount"], values["CurrencyCode"])

    def _credit(self, billed: Row, original: Row) -> dict[str, Any]:
        """Return the mirror of a line that is taken back (R406)."""
        copied = {name: original[name] for name in _MIRRORED}
        values = copied | _billed_values(billed) | {name: -original[name] for name in _NEGATED}
        values["TransactionClassification"] = original["TransactionClassification"]
        values["SalesPrice"] = original["SalesPrice"]
        if original["OnAccountTransId"]:
            taken = on_account.take(self.books, self.company, billed, original["OnAccountTransId"])
            values["OnAccountTransId"] = taken["TransId"]
        return values

    def _facts(self, billed: Row, values: Row, is_on_account: bool = False) -> TaxFacts:
        is_fee = values["TransactionClassification"] == TransactionClass.FEE
        return TaxFacts(
            project=str(billed["ProjectId"]),
            contract=str(billed["ContractId"]),
            customer=self.customer,
            category=str(values["CategoryId"]),
            product="" if is_fee else str(billed["ProductNumber"]),
            on_account=is_on_account,
        )


def write_lines(books: Books, header: Row, bases: Iterable[Basis]) -> int:
    """Write the lines of a proposal, and mark what they bill as proposed; return their number."""
    drafting = _open_drafting(books, header)
    number = 0
    for basis in bases:
        place = {"InvoiceProposalId": drafting.number, "InvoiceProposalLineNumber": number + 1}
        staging.mark(books, drafting.company, basis.billed["ActualsImportId"], IsProcessed="Yes", **place)
        dimensions = drafting.dimensions(basis.billed)
        for values in drafting.lines(basis):
            number += 1
            key = {
                "dataAreaId": drafting.company,
                "InvoiceProposalId": drafting.number,
                "LineNumber": number,
            }
            books.insert(LINES, key | values | {"DefaultDimensionDisplayValue": dimensions})
        for transaction in (basis.transaction, *basis.extras):
            if transaction is not None:
                _turn(books, transaction, transactions.POSTED, transactions.PROPOSED, drafting.number)
    return number


def release(books: Books, line: Row) -> None:
    """Undo what writing a line marked, so that the next import recreates it (R804)."""
    company = str(line["dataAreaId"])
    if line["OnAccountTransId"]:
        on_account.release(books, company, line["OnAccountTransId"])
    elif line["TransId"]:
        transaction = books.get(transactions.TRANSACTIONS, dataAreaId=company, TransId=line["TransId"])
        _turn(books, transaction, transactions.PROPOSED, transactions.POSTED, "")
    staging.reopen(books, company, line["ActualsImportId"])


def paying_customer(books: Books, header: Row) -> str:
    """Return who pays a proposal: the customer of its funding source, else of its contract (R308)."""
    place = {"dataAreaId": header["dataAreaId"], "ProjectContractID": header["ProjectContractId"]}
    source = header["FundingSourceId"]
    funding = books.first("ProjectFundingSources", FundingSourceId=source, **place) if source else None
    if funding is not None and funding["CustomerOrOrganization"]:
        return str(funding["CustomerOrOrganization"])
    contract = books.first(
        "ProjectContractHeaders",
        dataAreaId=header["dataAreaId"],
        ProjectContractId=header["ProjectContractId"],
    )
    return "" if contract is None else str(contract["CustomerAccountNumber"])


def _open_drafting(books: Books, header: Row) -> Drafting:
    company = str(header["dataAreaId"])
    parameters = books.first("ProjectParametersV2", dataAreaId=company) or {}
    free = books.find("ProjectLineProperties", dataAreaId=company, IsChargeable="No")
    return Drafting(
        books=books,
        company=company,
        number=str(header["InvoiceProposalId"]),
        customer=paying_customer(books, header),
        on_account_category=str(parameters.get("OnAccountCategory", "")),
        free=frozenset(str(row["LinePropertyId"]) for row in free),
        setup=read_setup(books, company),
    )


def _billed_values(billed: Row) -> dict[str, Any]:
    return {
        "ActualsImportId": billed["ActualsImportId"],
        "ProjectId": billed["ProjectId"],
        "TransactionClassification": billed["TransactionClassification"],
        "TransactionDate": billed["DocumentDate"],
        "Quantity": billed["Quantity"],
        "SalesPrice": billed["UnitPrice"],
        "LineAmount": billed["Amount"],
        "CurrencyCode": billed["TransactionCurrencyId"],
        "Description": billed["Description"],
        "FundingSource": billed["FundingSource"],
        "ContractLineId": billed["ContractLineId"],
    }


def _is_fee(transaction: Row) -> bool:
    return str(transaction["TransactionType"]) == "Revenue"


def _turn(books: Books, transaction: Row, before: str, after: str, proposal: str) -> None:
    """Turn a transaction from one status into another; one that was invoiced stays so."""
    if transaction["TransactionStatus"] == before:
        values = {"TransactionStatus": after, "InvoiceProposalId": proposal}
        books.update(transactions.TRANSACTIONS, transaction, values)
