"""What an actual becomes in the integration journal: one line (R601), with everything on it derived.

From values to values: the setup is looked up by `import_setup`, the lines are written by
`staging_import`.
"""

from datetime import date

from sandbox.finance.rules.accounting import (
    COST,
    LENDER_TYPES,
    ON_ACCOUNT_CLASSES,
    RESOURCING_COST,
    offset_posting_type,
)
from sandbox.finance.rules.import_setup import ActualRefusedError, ImportSetup
from sandbox.finance.rules.lending import intercompany_customer, parties, require_relation
from sandbox.finance.rules.line_amounts import (
    Line,
    discount_lines,
    fee_lines,
    net_amount,
    own_amount,
    priced,
)
from sandbox.finance.rules.line_properties import LABELS
from sandbox.finance.rules.project_stages import FINISHED, finished_project
from sandbox.rules.days import day_of, noon
from sandbox.rules.hooks import Row

_COSTS = frozenset({COST, RESOURCING_COST})


def journal_lines(setup: ImportSetup, actual: Row) -> list[Line]:
    """Return the lines of an actual: its own, and one more for a fee and for a discount (R601, R613).

    Raises:
        ActualRefusedError: E6, E8, E11, or a category or an exchange rate is missing (R606, R607).
        PeriodClosedError: Its accounting date lies in no open period (E12, E13).
    """
    require_relation(setup, actual)
    project = _open_project(setup, actual)
    day = _transaction_date(actual)
    line = _common(actual) | {
        "CategoryId": _category(setup, actual),
        "LinePropertyId": _line_property(setup, actual),
        "TransactionDate": noon(day),
        "AccountingDate": noon(setup.calendar.accounting_date(day)),
        "DefaultDimensionDisplayValue": _dimensions(setup, actual, project),
        **own_amount(setup, actual),
    }
    if actual["TransactionType"] in _COSTS:
        line["OffsetPostingType"] = offset_posting_type(actual, not actual["ContractId"])
    main = priced(setup, actual, line, taxable=net_amount(actual))
    return [main, *fee_lines(setup, actual, line), *discount_lines(setup, actual, line)]


def _common(actual: Row) -> Line:
    return {
        "dataAreaId": actual["dataAreaId"],
        "ActualsImportId": actual["ActualsImportId"],
        "ActualId": actual["ActualId"],
        "TransactionType": actual["TransactionType"],
        "TransactionClassification": actual["TransactionClassification"],
        "ProjectId": actual["ProjectId"],
        "ProjectDataAreaId": parties(actual).borrower,
        "UnitOfMeasure": actual["UnitOfMeasure"],
        "CurrencyCode": actual["TransactionCurrencyId"],
        "ResourceId": actual["ResourceId"],
        "ActivityNumber": actual["TaskNumber"],
        "ContractId": actual["ContractId"],
        "ContractLineId": actual["ContractLineId"],
        "FundingSource": actual["FundingSource"],
        "Description": actual["Description"],
        "ExternalOriginReference": actual["ExternalOriginReference"],
        "LineStatus": "Draft",
    }


def _open_project(setup: ImportSetup, actual: Row) -> Row | None:
    """Return the project; refuse one that is closed (R113, E8) or that Finance does not know."""
    number, company = str(actual["ProjectId"]), parties(actual).borrower
    project = setup.project(company, number)
    if project is None and number:
        raise ActualRefusedError("E7", f"Project {number} of actual {actual['ActualId']} does not exist.")
    if project is not None and project["ProjectStage"] == FINISHED:
        raise ActualRefusedError("E8", finished_project(company, number))
    return project


def _transaction_date(actual: Row) -> date:
    """Return the day of an actual (R604): that of its document, else that on which its work began."""
    day = day_of(actual["DocumentDate"]) or day_of(actual["StartDate"])
    if day is None:
        raise ActualRefusedError(
            "R604",
            f"Actual {actual['ActualId']} has no transaction date. Enter its document date in Project "
            "Operations.",
        )
    return day


def _category(setup: ImportSetup, actual: Row) -> str:
    """Return the project category (R606)."""
    transaction_category = str(actual["TransactionCategoryId"])
    found = setup.category(transaction_category, actual["TransactionClassification"])
    if found is None:
        wanted = f"transaction category {transaction_category}" if transaction_category else "this type"
        raise ActualRefusedError(
            "R606",
            f"Company {setup.company.upper()} has no project category for {wanted} of actual "
            f"{actual['ActualId']}. Create it from the shared category, or set the default category of the "
            "parameters.",
        )
    return found


def _line_property(setup: ImportSetup, actual: Row) -> str:
    """Return the line property of the billing type (R608)."""
    found = setup.line_property(actual["BillingType"])
    if found is None:
        label = LABELS[actual["BillingType"]]
        raise ActualRefusedError(
            "E6",
            f"Line property {label} doesn't exist in company {setup.company.upper()}: choose one for the "
            f"billing type {label} in the Project management and accounting parameters.",
        )
    return found


def _dimensions(setup: ImportSetup, actual: Row, project: Row | None) -> str:
    """Return the default dimensions (R610).

    Of cost and sales they are the project's, of a milestone the contract line's, and of what is lent
    the intercompany customer's.
    """
    if actual["TransactionType"] in LENDER_TYPES:
        customer = setup.customer(intercompany_customer(setup, actual))
        return "" if customer is None else str(customer["DefaultDimensionDisplayValue"])
    if actual["TransactionClassification"] in ON_ACCOUNT_CLASSES:
        line = setup.contract_line(actual["ContractId"], actual["ContractLineId"])
        return "" if line is None else str(line["DefaultLedgerDimensionDisplayValue"])
    return "" if project is None else str(project["DimensionDisplayValue"])
