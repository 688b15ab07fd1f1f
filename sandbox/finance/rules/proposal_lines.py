"""Lines of an invoice proposal: one a billed sales actual, with its sales tax (R802, R609, R807)."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules import on_account, staging, transactions
from sandbox.finance.rules.billing import LINES, Basis
from sandbox.finance.rules.taxes import Tax, TaxFacts, sales_tax, tax_groups
from sandbox.rules.hooks import Caller, Change, Row, Verb, complete, guard

TAX_GROUPS = frozenset({"SalesTaxGroupId", "SalesTaxItemGroupId"})
"""All that people may change on a line (R807)."""


class LineTaxes:
    """Tax groups and rates of the lines of one proposal, each looked up once."""

    def __init__(self, books: Books, company: str) -> None:
        """Look up in a company."""
        self._books = books
        self._company = company
        self._groups: dict[TaxFacts, tuple[str, str]] = {}

    def groups(self, facts: TaxFacts) -> tuple[str, str]:
        """Return the sales tax group and the item sales tax group of a line (R609)."""
        if facts not in self._groups:
            self._groups[facts] = tax_groups(self._books, self._company, facts)
        return self._groups[facts]

    def tax(self, groups: tuple[str, str], net: Decimal, currency: str) -> Tax:
        """Return the tax on the net amount of a line."""
        return sales_tax(self._books, self._company, *groups, net, currency)


def write_lines(books: Books, header: Row, bases: Iterable[Basis]) -> int:
    """Write the lines of a proposal, and mark what they bill as proposed; return their number."""
    company, number = str(header["dataAreaId"]), str(header["InvoiceProposalId"])
    customer, taxes = paying_customer(books, header), LineTaxes(books, company)
    category, free = _on_account_category(books, company), _free_properties(books, company)
    count = 0
    for count, basis in enumerate(bases, start=1):
        values = _billed_values(basis.billed) | _basis_values(books, company, basis, category)
        if values.get("LinePropertyId") in free:
            values["LineAmount"] = Decimal(0)
        values |= _tax_values(values, _facts(basis, values, customer), taxes)
        books.insert(
            LINES, {"dataAreaId": company, "InvoiceProposalId": number, "LineNumber": count} | values
        )
        staging.mark(
            books,
            company,
            basis.billed["ActualsImportId"],
            IsProcessed="Yes",
            InvoiceProposalId=number,
            InvoiceProposalLineNumber=count,
        )
    return count


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


def _basis_values(books: Books, company: str, basis: Basis, on_account_category: str) -> dict[str, Any]:
    """Return what a line has from what it rests on, which is marked as proposed."""
    credited = basis.credited or {}
    if basis.on_account:
        original = str(credited.get("OnAccountTransId", ""))
        taken = on_account.take(books, company, basis.billed, original)
        return {"OnAccountTransId": taken["TransId"], "CategoryId": on_account_category}
    if basis.transaction is not None:
        number = str(basis.billed["InvoiceProposalId"])
        _turn(books, basis.transaction, transactions.POSTED, transactions.PROPOSED, number)
        return {name: basis.transaction[name] for name in ("TransId", "CategoryId", "LinePropertyId")}
    return {name: credited[name] for name in ("TransId", "CategoryId", "LinePropertyId")}


def _turn(books: Books, transaction: Row, before: str, after: str, proposal: str) -> None:
    """Turn a transaction from one status into another; one that was invoiced stays so."""
    if transaction["TransactionStatus"] == before:
        values = {"TransactionStatus": after, "InvoiceProposalId": proposal}
        books.update(transactions.TRANSACTIONS, transaction, values)


def _facts(basis: Basis, values: Mapping[str, Any], customer: str) -> TaxFacts:
    return TaxFacts(
        project=str(basis.billed["ProjectId"]),
        contract=str(basis.billed["ContractId"]),
        customer=customer,
        category=str(values["CategoryId"]),
        product=str(basis.billed["ProductNumber"]),
        on_account=basis.on_account,
    )


def _tax_values(values: Mapping[str, Any], facts: TaxFacts, taxes: LineTaxes) -> dict[str, Any]:
    groups = taxes.groups(facts)
    tax = taxes.tax(groups, values["LineAmount"], values["CurrencyCode"])
    return {
        "SalesTaxGroupId": groups[0],
        "SalesTaxItemGroupId": groups[1],
        "SalesTaxAmount": tax.amount,
    }


def _free_properties(books: Books, company: str) -> set[str]:
    """Return the line properties that the customer is not charged for: hours shown at no amount (R303)."""
    rows = books.find("ProjectLineProperties", dataAreaId=company, IsChargeable="No")
    return {str(row["LinePropertyId"]) for row in rows}


def _on_account_category(books: Books, company: str) -> str:
    parameters = books.first("ProjectParametersV2", dataAreaId=company)
    return "" if parameters is None else str(parameters["OnAccountCategory"])


def _only_taxes(books: Books, change: Change) -> None:
    """Let people change the tax groups of a line that is not posted, and nothing else (R807)."""
    others = sorted(name for name, value in change.values.items() if _differs(change, name, value))
    if others:
        raise books.refused(
            LINES,
            f"Error: {', '.join(others)} can't be changed on a line of an invoice proposal; only its sales "
            "tax groups can. Correct the invoice in Project Operations instead",
        )


def _differs(change: Change, name: str, value: object) -> bool:
    return name not in TAX_GROUPS and change.before[name] != value


def _refuse_by_hand(books: Books, change: Change) -> None:
    """Refuse lines that people create or delete one by one (R802, R804)."""
    raise books.refused(
        LINES,
        "Error: Lines of an invoice proposal come from billed sales by import from staging; delete them "
        "all at once with Delete all",
    )


def _new_tax(books: Books, change: Change) -> dict[str, Any]:
    """Compute the tax anew for other tax groups (R807)."""
    if change.caller is Caller.SYSTEM:
        return {}
    line = change.after
    groups = str(line["SalesTaxGroupId"]), str(line["SalesTaxItemGroupId"])
    tax = sales_tax(books, line["dataAreaId"], *groups, line["LineAmount"], line["CurrencyCode"])
    return {"SalesTaxAmount": tax.amount}


HOOKS = (
    guard(LINES, (Verb.UPDATE,), _only_taxes),
    guard(LINES, (Verb.CREATE, Verb.DELETE), _refuse_by_hand),
    complete(LINES, (Verb.UPDATE,), _new_tax, TAX_GROUPS),
)
