"""Milestones: what a fixed price is billed by becomes on-account transactions (R106)."""

from typing import Any
from uuid import UUID, uuid5

from sandbox.finance.books import Books
from sandbox.finance.rules.parameters import read_parameters
from sandbox.rules.hooks import Change, Row, Verb, effect

MILESTONES = "ProjectContractLineMilestones"
ON_ACCOUNT = "ProjectOnAccountTransactions"
ESTIMATE_PROJECTS = "RevenueEstimateProjects"

_ESTIMATES = UUID("6f3d3f7e-3a0a-5a3a-8f43-0fd9b5f4a4b1")
_NUMBER_LENGTH = 20
_NOT_INVOICED = frozenset({"NotPosted", "Posted"})


def _bill(books: Books, change: Change) -> None:
    """Make the on-account transaction of a milestone, or let it follow; see to the estimate project."""
    milestone = change.after
    known = books.first(ON_ACCOUNT, **_key(milestone))
    if known is None:
        status = {"TransStatus": milestone["TransStatus"]}
        books.insert(ON_ACCOUNT, _key(milestone) | _transaction(milestone) | status)
    elif known["TransStatus"] in _NOT_INVOICED:
        # the status is Finance's own, unless a cutover says how far a milestone has come
        status = {"TransStatus": change.values.get("TransStatus", known["TransStatus"])}
        books.update(ON_ACCOUNT, known, _transaction(milestone) | status)
    _estimate(books, milestone)


def _withdraw(books: Books, change: Change) -> None:
    """Delete the on-account transaction with its milestone, unless it was invoiced."""
    known = books.first(ON_ACCOUNT, **_key(change.before))
    if known is not None and known["TransStatus"] in _NOT_INVOICED:
        books.delete(ON_ACCOUNT, known)


def _estimate(books: Books, milestone: Row) -> None:
    """Make the revenue estimate project with the first milestone of a fixed price that has a project.

    Later milestones of the contract line make none (R106).
    """
    line = _fixed_price_line(books, milestone)
    if line is None or not line["LineProjectId"]:
        return
    company = milestone["dataAreaId"]
    number = _estimate_number(company, line)
    if books.first(ESTIMATE_PROJECTS, dataAreaId=company, EstimateProjectId=number) is not None:
        return
    values = {
        "dataAreaId": company,
        "EstimateProjectId": number,
        "ProjectId": line["LineProjectId"],
        "ProjectContractId": line["ProjectContractId"],
        "ContractLineId": line["ContractLineId"],
        "CostRevenueProfileId": read_parameters(books, company).revenue_profile,
    }
    books.insert(ESTIMATE_PROJECTS, values)


def _fixed_price_line(books: Books, milestone: Row) -> dict[str, Any] | None:
    lines = books.find(
        "ProjectContractLines",
        dataAreaId=milestone["dataAreaId"],
        ProjectContractId=milestone["ProjectContractId"],
        ContractLineId=milestone["ContractLineId"],
        BillingMethod="FixedPrice",
    )
    return next(iter(lines), None)


def _estimate_number(company: str, line: Row) -> str:
    """Return the estimate project of a contract line, always the same, so that it is found by key."""
    name = f"{company}/{line['ProjectContractId']}/{line['ContractLineId']}".lower()
    return f"EST-{uuid5(_ESTIMATES, name).hex}"[:_NUMBER_LENGTH].upper()


def _key(milestone: Row) -> dict[str, Any]:
    return {
        "dataAreaId": milestone["dataAreaId"],
        "TransId": milestone["ContractLineMilestoneIdentifier"],
    }


def _transaction(milestone: Row) -> dict[str, Any]:
    """Return what an on-account transaction has from its milestone."""
    return {
        "ProjID": milestone["ProjectNumber"],
        "ActivityNumber": milestone["ActivityNumber"],
        "Description": milestone["Description"],
        "CurrencyId": milestone["CurrencyCode"],
        "TransDate": milestone["TransactionDate"],
        "LedgerTransdate": milestone["LedgerTransactionDate"],
        "Qty": 1,
        "Amount": milestone["Amount"],
        "TotalSalesAmountCur": milestone["Amount"],
        "TransactionOrigin": "ProgressBillingRule"
        if milestone["ProjectContractLineMilestoneHeader"]
        else "Milestone",
        "PSAContractLineNum": milestone["ContractLineId"],
        "PSAIsOnAccount": "Yes",
    }


HOOKS = (
    effect(MILESTONES, (Verb.CREATE, Verb.UPDATE), _bill),
    effect(MILESTONES, (Verb.DELETE,), _withdraw),
)
