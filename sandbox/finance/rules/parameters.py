"""Project management and accounting parameters of a legal entity (R114)."""

from dataclasses import dataclass

from sandbox.finance.books import Books
from sandbox.rules.hooks import Change, Verb, guard

PARAMETERS = "ProjectParametersV2"
INTEGRATION = "ProjectIntegrationParameters"

DEFAULT_LINES_PER_JOURNAL = 200
"""*Limit the integration journal lines per header* where nobody set it (R603)."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What the legal entity's parameters say about the integration.

    Attributes:
        period_unit: Days, Months, Years or All: what one integration journal holds (R602).
        lines_per_journal: Most lines of one integration journal (R603).
        prevalidates: Whether actuals are compared with Dataverse before they are imported (R612).
        discount_category: Project category of line discounts, or "" for not posted separately (R613).
        fee_category: Project category of the extra fee lines (R613).
        forecast_model: Forecast model of estimates (R202).
        revenue_profile: Cost and revenue profile of projects on contract lines, or "" (R201).
    """

    period_unit: str = "Days"
    lines_per_journal: int = DEFAULT_LINES_PER_JOURNAL
    prevalidates: bool = False
    discount_category: str = ""
    fee_category: str = ""
    forecast_model: str = ""
    revenue_profile: str = ""


def read_parameters(books: Books, company: str) -> Parameters:
    """Return the parameters of a legal entity, the defaults where it has none."""
    project = books.first(PARAMETERS, dataAreaId=company) or {}
    integration = books.first(INTEGRATION, dataAreaId=company) or {}
    return Parameters(
        period_unit=integration.get("PeriodUnit") or "Days",
        lines_per_journal=integration.get("LinesPerJournal") or DEFAULT_LINES_PER_JOURNAL,
        prevalidates=integration.get("PrevalidateActuals") == "Yes",
        discount_category=integration.get("LineDiscountCategory", ""),
        fee_category=integration.get("FeeCategory") or project.get("RevenueCategory", ""),
        forecast_model=project.get("ProjectOperationsForecastModelId", ""),
        revenue_profile=integration.get("CostRevenueProfileId", ""),
    )


def uses_project_operations(books: Books, company: str) -> bool:
    """Whether a legal entity was switched to Project Operations: only there the integration has rules."""
    switched = books.first(PARAMETERS, dataAreaId=company, ProjectOperationsIntegrationFeatureStatus="Yes")
    return switched is not None


def is_switched_on(change: Change) -> bool:
    """Whether a write of the parameters switches a legal entity to Project Operations."""
    return change.turned("ProjectOperationsIntegrationFeatureStatus", "Yes")


def _refuse_with_projects(books: Books, change: Change) -> None:
    """Refuse to switch a legal entity to Project Operations that has projects already (R114)."""
    company = change.after["dataAreaId"]
    if is_switched_on(change) and books.first("ProjectsV2", dataAreaId=company) is not None:
        raise books.refused(
            PARAMETERS,
            f"Error: Company {company.upper()} has projects, so Project Operations can't be turned on. "
            "Only a legal entity without projects can be switched",
        )


HOOKS = (guard(PARAMETERS, (Verb.CREATE, Verb.UPDATE), _refuse_with_projects),)
