"""Estimates from Dataverse become forecasts (R201 to R204).

An estimate is received in a staging table and has one forecast, which is made anew from the staging
rows whenever one of them changes. Forecasts bear the id of the estimate that they come from, so that
none is ever doubled (R204).
"""

from collections.abc import Callable
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules import forecasts
from sandbox.finance.rules.billing_rules import LINES
from sandbox.finance.rules.parameters import read_parameters, uses_project_operations
from sandbox.rules.hooks import Change, Hook, Row, Verb, effect, guard
from sandbox.store.defaults import ZERO_GUID

HOURS = "ProjEstimateHoursImport"
EXPENSES = "ProjEstimateExpensesImports"
MATERIAL = "ProjForecastSalesImport"

_PROJECT = {HOURS: "ProjectId", EXPENSES: "ProjectId", MATERIAL: "ProjId"}
_LINE_AND_ORIGIN = {
    EXPENSES: ("EstimateLineId", "OriginEstimateLineId"),
    MATERIAL: ("ForecastLineId", "ForecastLineIdOrigin"),
}


def _require_profile(books: Books, change: Change) -> None:
    """Refuse an estimate of a project on contract lines without a cost and revenue profile (R201)."""
    row = change.after
    company, number = row["dataAreaId"], row[_PROJECT[change.table]]
    project = books.first("ProjectsV2", dataAreaId=company, ProjectId=number)
    if project is None or not project["ProjectContractId"] or not uses_project_operations(books, company):
        return
    lines = books.find(LINES, dataAreaId=company, ProjectContractId=project["ProjectContractId"])
    methods = {line["BillingMethod"] for line in lines if line["LineProjectId"].lower() == number.lower()}
    missing = methods - _profiled_methods(books, company)
    if missing:
        raise books.refused(
            change.table,
            f"Error: Project {number} has no cost and revenue profile for the billing method "
            f"{', '.join(sorted(missing))} in company {company.upper()}. Set up the profile and its rule "
            "in the Project management and accounting parameters",
        )


def _profiled_methods(books: Books, company: str) -> set[str]:
    profile = read_parameters(books, company).revenue_profile
    rules = books.find("ProjectRevenueProfileRules", dataAreaId=company, ProfileId=profile) if profile else []
    return {rule["BillingMethod"] for rule in rules}


def _forecast_hours(books: Books, change: Change) -> None:
    """Make the hour forecast of an assignment, or let it follow the assignment (R202)."""
    assignment = change.after
    _drop_forgotten(books, assignment)
    forecasts.keep_hours(books, assignment)


def _drop_forgotten(books: Books, assignment: Row) -> None:
    """Delete the forecast that an assignment left behind that was removed and made anew (R204).

    A resource has one assignment on a task: what another estimate says of the same is outdated.
    """
    if assignment["ProjCDSResourceId"] == ZERO_GUID or not assignment["ActivityNumber"]:
        return
    same = books.find(
        HOURS,
        dataAreaId=assignment["dataAreaId"],
        ProjectId=assignment["ProjectId"],
        ActivityNumber=assignment["ActivityNumber"],
        ProjCDSResourceId=assignment["ProjCDSResourceId"],
        ResourceCategoryId=assignment["ResourceCategoryId"],
    )
    for row in same:
        if row["EstimateHoursImportId"] != assignment["EstimateHoursImportId"]:
            forecasts.drop(books, forecasts.HOURS, row["dataAreaId"], row["EstimateHoursImportId"])


def _forget_hours(books: Books, change: Change) -> None:
    """Delete the forecast of an assignment that was removed (R204)."""
    row = change.before
    forecasts.drop(books, forecasts.HOURS, row["dataAreaId"], row["EstimateHoursImportId"])


def _merge(keep: Callable[[Books, forecasts.Estimate], None]) -> Callable[[Books, Change], None]:
    """Return the effect that merges an estimate's cost and sales lines into one forecast (R203)."""

    def merge(books: Books, change: Change) -> None:
        company = change.after["dataAreaId"]
        for origin in {_origin(change.table, row) for row in (change.before, change.after) if row}:
            lines = {row["TransType"]: row for row in _lines(books, change.table, company, origin)}
            keep(books, forecasts.Estimate(company, origin, lines.get("Cost"), lines.get("Sales")))

    return merge


def _origin(table: str, row: Row) -> str:
    """Return the cost line that a line belongs to: its own id, or for a sales line that of its origin."""
    line, origin = _LINE_AND_ORIGIN[table]
    return str(row[line] if row[origin] == ZERO_GUID else row[origin])


def _lines(books: Books, table: str, company: str, origin: str) -> list[dict[str, Any]]:
    """Return the lines of one estimate: the cost line, and the sales line that names it."""
    line, reference = _LINE_AND_ORIGIN[table]
    named = books.find(table, dataAreaId=company, **{reference: origin})
    own = books.find(table, dataAreaId=company, **{line: origin, reference: ZERO_GUID})
    return [*own, *named]


def _hooks() -> tuple[Hook[Books], ...]:
    written = (Verb.CREATE, Verb.UPDATE)
    return (
        *(guard(table, written, _require_profile) for table in _PROJECT),
        effect(HOURS, written, _forecast_hours),
        effect(HOURS, (Verb.DELETE,), _forget_hours),
        effect(EXPENSES, tuple(Verb), _merge(forecasts.keep_expense)),
        effect(MATERIAL, tuple(Verb), _merge(forecasts.keep_material)),
    )


HOOKS = _hooks()
