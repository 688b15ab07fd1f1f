"""Lending between legal entities: who lends to whom in an actual, and as whom they know each other."""

from dataclasses import dataclass

from sandbox.finance.rules.accounting import LENDER_TYPES
from sandbox.finance.rules.import_setup import ActualRefusedError, ImportSetup
from sandbox.rules.hooks import Row


@dataclass(frozen=True, slots=True)
class Parties:
    """Who lends a resource to whom; both the same where nobody does.

    Attributes:
        lender: Legal entity of the resource.
        borrower: Legal entity of the project.
    """

    lender: str
    borrower: str

    @property
    def differ(self) -> bool:
        """Whether the transaction is an intercompany one (R502)."""
        return self.lender.lower() != self.borrower.lower()


def parties(actual: Row) -> Parties:
    """Return who lends to whom in an actual; what it does not name is its own legal entity."""
    company = str(actual["dataAreaId"])
    borrower = str(actual["ProjectDataAreaId"]) or company
    lender = company if actual["TransactionType"] in LENDER_TYPES else actual["ResourcingCompany"]
    return Parties(str(lender) or company, borrower)


def require_relation(setup: ImportSetup, actual: Row) -> None:
    """Refuse an intercompany actual of two legal entities without a relation (R1204, E11)."""
    between = parties(actual)
    if between.differ and setup.relation(between.lender, between.borrower) is None:
        raise ActualRefusedError(
            "E11",
            f"Unable to import actual {actual['ActualId']}: an intercompany relationship has to be set up "
            f"between legal entity {between.lender.upper()} and {between.borrower.upper()} in the Project "
            "management and accounting parameters.",
        )


def intercompany_customer(setup: ImportSetup, actual: Row) -> str:
    """Return as whom the lender knows the borrower."""
    between = parties(actual)
    relation = setup.relation(between.lender, between.borrower)
    return "" if relation is None else str(relation["CustomerAccountNumber"])
