"""Invoice proposals: their lines come from billed sales, all or none (R801 to R804)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules import messages, staging
from sandbox.finance.rules.accounting import BILLED_SALES
from sandbox.finance.rules.billing import LINES, Basis, read_bases
from sandbox.finance.rules.parameters import read_parameters
from sandbox.finance.rules.prevalidation import rests
from sandbox.finance.rules.proposal_editing import PROPOSALS
from sandbox.finance.rules.proposal_lines import release, write_lines
from sandbox.rules.hooks import Row
from sandbox.rules.jobs import JobRefusedError, required

DRAFT, READY, INVOICED = "Draft", "Ready", "Posted"

_JOB = "import-from-staging"
_BILLED_SALES = 192350006  # msdyn_transactiontypecode
_TAX_CLASS = 690970002  # msdyn_transactionclassification: comes in as type Tax
_SHOWN = 3


def import_lines(books: Books, company: str) -> dict[str, int]:
    """Give each proposal without lines those of its billed sales, all or none (R802).

    A proposal whose actuals differ from Dataverse in number (E10, R803) or in what they say (E7, R612),
    or that has something to bill that is not posted (E9, R802), stays without lines and leaves a message;
    the next import tries again. One whose actuals still rest before they are compared just waits (R612).

    Returns:
        How many proposals got lines, how many wait, and how many lines were written.
    """
    headers = books.find(PROPOSALS, dataAreaId=company, ProposalStatus=DRAFT)
    billed = _billed_sales(books, company, [str(header["InvoiceProposalId"]) for header in headers])
    counts = {"proposals": 0, "proposals_waiting": 0, "proposal_lines": 0}
    prevalidates = read_parameters(books, company).prevalidates
    for header in headers:
        own = billed[str(header["InvoiceProposalId"]).casefold()]
        states = staging.states_of(books, company, [row["ActualsImportId"] for row in own])
        resting = prevalidates and any(rests(books, state) for state in states.values())
        written = 0 if resting else _fill(books, header, own, states)
        counts["proposals" if written else "proposals_waiting"] += 1
        counts["proposal_lines"] += written
    return counts


def delete_lines(books: Books, parameters: Row) -> dict[str, Any]:
    """Delete all lines of a proposal; the next import recreates them (R804).

    Args:
        books: Of the transaction.
        parameters: `proposal`, its number; `company` where several companies have that number.

    Returns:
        By company the count `deleted`; no messages.

    Raises:
        JobRefusedError: The number is missing, there is not just one such proposal, or it is posted.
    """
    header = _named(books, parameters)
    company, number = str(header["dataAreaId"]), str(header["InvoiceProposalId"])
    if header["ProposalStatus"] == INVOICED:
        raise JobRefusedError(f"Invoice proposal {number} of {company.upper()} is posted; its lines stay.")
    lines = books.find(LINES, dataAreaId=company, InvoiceProposalId=number)
    for line in lines:
        release(books, line)
        books.delete(LINES, line)
    books.update(PROPOSALS, header, {"ProposalStatus": DRAFT})
    return {company.upper(): {"deleted": len(lines)}, "messages": []}


def _named(books: Books, parameters: Row) -> dict[str, Any]:
    """Return the proposal that a job names.

    Raises:
        JobRefusedError: It names none, or no single one.
    """
    number, company = str(required(parameters, "proposal")), parameters.get("company")
    place = {"dataAreaId": company} if company else {}
    found = books.find(PROPOSALS, InvoiceProposalId=number, **place)
    if not found:
        raise JobRefusedError(f"There is no invoice proposal {number} in {company or 'any legal entity'}.")
    if len(found) > 1:
        raise JobRefusedError(f"Several legal entities have an invoice proposal {number}: name the company.")
    return found[0]


def _billed_sales(books: Books, company: str, proposals: Sequence[str]) -> Mapping[str, list[dict[str, Any]]]:
    """Return the staged billed sales of proposals by number, lower case."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    if proposals:
        rows = books.find(
            staging.ACTUALS, dataAreaId=company, TransactionType=BILLED_SALES, InvoiceProposalId=proposals
        )
        for row in rows:
            found[str(row["InvoiceProposalId"]).casefold()].append(row)
    return found


def _fill(books: Books, header: Row, staged: Sequence[Row], states: Mapping[str, Row]) -> int:
    """Write the lines of one proposal; 0 where it waits or has nothing to bill.

    What came in a second time under another import id is not billed again.
    """
    company, number = str(header["dataAreaId"]), str(header["InvoiceProposalId"])
    duplicates = {key for key, state in states.items() if state["IsDuplicate"] == "Yes"}
    billed = [row for row in staged if row["ActualsImportId"] not in duplicates]
    bases = read_bases(books, company, billed)
    reason = (
        _mismatch(books, company, number, len(billed))
        or _invalid(number, [row for row in billed if _is_invalid(states, row)])
        or _unposted(number, bases)
    )
    for error_id in ("E7", "E9", "E10"):
        if reason is None or reason[0] != error_id:
            messages.resolve(books, company, document=number, error_id=error_id)
    if reason is not None:
        messages.note(books, company, *reason, _JOB, document=number)
        return 0
    written = write_lines(books, header, bases)
    if written:
        books.update(PROPOSALS, header, {"ProposalStatus": READY})
    return written


def _mismatch(books: Books, company: str, number: str, staged: int) -> tuple[str, str] | None:
    """Say that Dataverse counts other billed sales for an invoice than have come in (R803, E10)."""
    expected = _count_in_dataverse(books, company, number)
    if expected == staged:
        return None
    return "E10", (
        f"Invoice proposal {number} wasn't processed because of mismatched billed sales actuals: {staged} "
        f"have come in, and Dataverse has {expected}. Synchronize the actuals and import from staging again; "
        "contact your administrator if the difference stays."
    )


def _count_in_dataverse(books: Books, company: str, number: str) -> int:
    owner = next(iter(books.dataverse("cdm_company", cdm_companycode=company)), None)
    if owner is None:
        return 0
    invoices = books.dataverse("invoice", invoicenumber=number, msdyn_company=owner["cdm_companyid"])
    actuals = (
        actual
        for invoice in invoices
        for actual in books.dataverse(
            "msdyn_actual", msdyn_invoice=invoice["invoiceid"], msdyn_transactiontypecode=_BILLED_SALES
        )
    )
    return sum(
        not actual["msdyn_skipsync"] and actual["msdyn_transactionclassification"] != _TAX_CLASS
        for actual in actuals
    )


def _is_invalid(states: Mapping[str, Row], actual: Row) -> bool:
    state = states.get(actual["ActualsImportId"])
    return state is not None and state["IsInvalid"] == "Yes"


def _invalid(number: str, invalid: Sequence[Row]) -> tuple[str, str] | None:
    """Say that prevalidation found billed sales of an invoice to differ from Dataverse (R612, E7)."""
    if not invalid:
        return None
    actuals = ", ".join(str(row["ActualId"]) for row in invalid[:_SHOWN])
    return "E7", (
        f"Invoice proposal {number} wasn't processed because {len(invalid)} of its billed sales differ from "
        f"Dataverse (first: {actuals}). Synchronize them again, then import from staging."
    )


def _unposted(number: str, bases: Sequence[Basis]) -> tuple[str, str] | None:
    """Say that something which an invoice bills is not posted (R802, R613, E9)."""
    waiting = [str(basis.billed["ActualsImportId"]) for basis in bases if not basis.ready]
    if not waiting:
        return None
    return "E9", (
        f"Project transaction hasn't been posted yet for {len(waiting)} of {len(bases)} billed sales of "
        f"invoice proposal {number} (first: {', '.join(waiting[:_SHOWN])}). Verify that all of the related "
        "integration journals are posted, then import from staging again."
    )


JOBS = {"delete-proposal-lines": delete_lines}
