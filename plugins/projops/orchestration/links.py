"""Links from a task's page in Airflow's UI to our pages about what it did.

A task that has ended tells Airflow its links through XCom, whatever became of it; an empty one is not shown.
"""

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.sdk import BaseOperatorLink
from airflow.sdk.configuration import conf

from projops.lineage.moved import Moved

if TYPE_CHECKING:
    from airflow.sdk.types import TaskInstanceKey

PREFIX = "projops"  # below which Airflow's server has our pages


def page_address(path: str) -> str:
    """Give the address of one of our pages.

    Args:
        path: Below `/projops`, such as `reports/7/report.html`.
    """
    base = conf.get("api", "base_url", fallback="").rstrip("/")
    return f"{base}/{PREFIX}/{path}"


def map_path(map_id: str) -> str:
    """Give the path of a map's page, below `/projops`."""
    return f"maps/{quote(map_id, safe='')}"


class PageLink(BaseOperatorLink):
    """A link to the page that an operator names in its attribute `page` once it has run."""

    def get_link(self, operator: Any, *, ti_key: "TaskInstanceKey") -> str:
        """Give the address; empty where the task has none."""
        path = self.path(operator, ti_key)
        return page_address(path) if path else ""

    def path(self, operator: Any, ti_key: "TaskInstanceKey") -> str | None:
        """Give the path below `/projops`, or None."""
        del ti_key
        path: str | None = operator.page
        return path


class ReportLink(PageLink):
    """Leads to the report of a reconciliation."""

    name = "Report"


class DataDocsLink(PageLink):
    """Leads to the Data Docs of a batch."""

    name = "Data Docs"


class TableMapLink(PageLink):
    """Leads from a task of a leg to the page of its map."""

    name = "Table map"

    def path(self, operator: Any, ti_key: "TaskInstanceKey") -> str | None:
        """Give the path below `/projops`; None of a task that failed before it knew its leg."""
        del ti_key
        moved: Moved | None = operator.moved
        return map_path(moved.leg.map) if moved else None


class DeadLettersLink(PageLink):
    """Leads from a task of a leg to the dead letters of its map, where rows were set aside."""

    name = "Dead letters"

    def path(self, operator: Any, ti_key: "TaskInstanceKey") -> str | None:
        """Give the path below `/projops`; None where no row was set aside."""
        del ti_key
        moved: Moved | None = operator.moved
        return f"letters?map={quote(moved.leg.map, safe='')}" if moved and moved.set_aside else None


class TableMapsLink(PageLink):
    """Leads from the first and the last task of an area's DAG to the maps of the area."""

    name = "Table maps"

    def path(self, operator: Any, ti_key: "TaskInstanceKey") -> str | None:
        """Give the path below `/projops`."""
        del operator
        return f"maps?area={quote(ti_key.dag_id, safe='')}"
