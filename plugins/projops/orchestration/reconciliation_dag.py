"""The DAG that proves both sides equal, every night and on demand.

begin ──> compare (one a map) ──> repair ──> compare_again (one a map) ──> books ──> report ──> verdict
                                  (if asked)
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, BaseOperator, CronTriggerTimetable, Param

from projops.mapping.reader import load_maps
from projops.orchestration.assets import report_asset
from projops.orchestration.failures import CALLBACKS
from projops.orchestration.forms import companies_field, maps_field
from projops.orchestration.reconciliation_operators import (
    BeginOperator,
    BooksOperator,
    CompareOperator,
    RepairOperator,
    ReportOperator,
    VerdictOperator,
)
from projops.settings import Settings

# Without a start date and with no time to look back, whoever unpauses it does not set off last night's run.
_AT_TWO = CronTriggerTimetable("0 2 * * *", timezone="UTC", run_immediately=timedelta(0))
_AT_ONCE = 2  # maps that are compared side by side: each reads both systems
_BEGIN, _REPAIR = "begin", "repair"
_DEFAULTS: Mapping[str, Any] = {
    "owner": "projops",
    "retries": 2,
    "retry_delay": timedelta(seconds=30),
    "execution_timeout": timedelta(hours=2),
    **CALLBACKS,
}


def reconciliation_dag(dag_id: str, doc: str | None) -> DAG:
    """Build the DAG.

    Args:
        dag_id: Id of the DAG.
        doc: What it is for, in Markdown.
    """
    settings = Settings.from_environment()
    with DAG(
        dag_id=dag_id,
        schedule=_AT_TWO,
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=True,
        default_args=dict(_DEFAULTS),
        params=_form(load_maps(settings.mappings).maps, settings.drift_rows),
        doc_md=doc,
        tags=["projops"],
    ) as dag:
        _add_tasks(dag_id)
    return dag


def _add_tasks(dag_id: str) -> None:
    begin = BeginOperator(
        task_id=_BEGIN,
        doc_md="Notes what is to be compared, and which maps that are.",
    )
    compared = _compare("compare", begin, "Reads a map on both sides and compares it row by row.")
    repair = RepairOperator(
        task_id=_REPAIR,
        begin_task_id=_BEGIN,
        trigger_rule="all_done",
        doc_md="If the form asks for it: sends the rows of drift through the ordinary stages again.",
    )
    again = _compare("compare_again", repair, "Compares what was repaired once more.")
    books = BooksOperator(
        task_id="books",
        begin_task_id=_BEGIN,
        pool="finance",
        trigger_rule="all_done",
        doc_md="Checks what must hold of the books: clearing accounts at zero, vouchers that balance and "
        "have come back, every billed actual on an invoice.",
    )
    report = ReportOperator(
        task_id="report",
        begin_task_id=_BEGIN,
        repair_task_id=_REPAIR,
        outlets=[report_asset(dag_id)],
        trigger_rule="all_done",
        doc_md="Writes the report (see its link) and the Parquet file of all differences, and tells the "
        "asset of the reports what was found.",
    )
    verdict = VerdictOperator(
        task_id="verdict",
        numbers=report.output,
        retries=0,
        doc_md="Fails with one sentence where drift is above the threshold, the books do not hold, or a "
        "map could not be compared.",
    )
    begin >> compared >> repair >> again >> books >> report >> verdict


def _compare(task_id: str, maps: BaseOperator, doc: str) -> Any:
    return CompareOperator.partial(
        task_id=task_id,
        begin_task_id=_BEGIN,
        pool="dataverse",
        max_active_tis_per_dagrun=_AT_ONCE,
        map_index_template="{{ task.map_id }}",
        doc_md=f"{doc} A map that cannot be compared fails alone.",
    ).expand_kwargs(maps.output)


def _form(maps: Iterable[str], drift_rows: int) -> dict[str, Param]:
    """The trigger form: what to compare, whether to repair, how much drift is tolerated."""
    return {
        "maps": maps_field(
            maps, "Which maps to compare; empty for all that are enabled, and the books with them."
        ),
        "companies": companies_field(
            "Legal entities, one a line; empty for all. Rows of no company always count."
        ),
        "since": _day("First day", "From this accounting day on. Maps without a period are compared whole."),
        "until": _day("Last day", "Until this accounting day, inclusive."),
        "repair": Param(
            False,
            type="boolean",
            title="Repair",
            description_md="Send the rows of drift through the ordinary stages again, and compare once more.",
        ),
        "threshold": Param(
            drift_rows,
            type="integer",
            minimum=0,
            title="Tolerated drift",
            description_md="Rows of drift up to which the run succeeds.",
        ),
    }


def _day(title: str, description: str) -> Param:
    return Param(None, type=["null", "string"], format="date", title=title, description_md=description)
