"""Under which terms work is done: its project, and the contract line that pays for it (R105)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.rules.options import BillingMethod, LineType, TransactionClass

_INCLUDED = {
    TransactionClass.TIME: "msdyn_includetime",
    TransactionClass.EXPENSE: "msdyn_includeexpense",
    TransactionClass.MATERIAL: "msdyn_includematerial",
    TransactionClass.FEE: "msdyn_includefee",
}


@dataclass(frozen=True, slots=True)
class Engagement:
    """A project with the contract line that pays for one class of work on it.

    Attributes:
        project: The msdyn_project row.
        line: The contract line; None for work that nobody pays for: internal, or before the sale.
        contract: The line's salesorder.
    """

    project: Mapping[str, Any]
    line: Mapping[str, Any] | None = None
    contract: Mapping[str, Any] | None = None

    @property
    def company(self) -> str | None:
        """Id of the company that owns the project."""
        company: str | None = self.project["msdyn_owningcompany"]
        return company

    @property
    def unit(self) -> str | None:
        """Id of the contracting unit."""
        unit: str | None = self.project["msdyn_contractorganizationalunitid"]
        return unit

    @property
    def time_and_material(self) -> bool:
        """Whether the work itself is billed, not milestones."""
        return self.line is not None and self.line["msdyn_billingmethod"] == BillingMethod.TIME_AND_MATERIAL

    @property
    def currency(self) -> str | None:
        """Id of the currency that sales are in."""
        return self.contract["transactioncurrencyid"] if self.contract else None


def engagement(desk: Desk, project_id: str, classification: TransactionClass) -> Engagement:
    """Return the terms of a class of work on a project.

    Of several lines for a project the first by sequence that includes the class pays [?].

    Raises:
        MissingRowError: When there is no such project.
    """
    project = desk.get("msdyn_project", project_id)
    lines = [
        line
        for line in desk.find("salesorderdetail", msdyn_project=project_id)
        if line["salesorderid"] is not None
        and line["msdyn_linetype"] != LineType.FIELD_SERVICE
        and line[_INCLUDED[classification]]
    ]
    if not lines:
        return Engagement(project)
    line = min(lines, key=lambda it: it["sequencenumber"] or 0)
    return Engagement(project, line, desk.get("salesorder", line["salesorderid"]))
