"""The DAG by which people replay, approve or dismiss dead letters from a form.

choose ──> run (one an area, side by side) ──> report
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Param

from projops.mapping.reader import load_maps
from projops.orchestration.replay_operators import VERBS, ChooseOperator, ReportOperator, RunAreaOperator
from projops.settings import Settings

_DEFAULTS: Mapping[str, Any] = {"owner": "projops", "retries": 0}
_BRIEF = timedelta(minutes=15)


def replay_dag(dag_id: str, doc: str | None) -> DAG:
    """Build the DAG.

    Args:
        dag_id: Id of the DAG.
        doc: What it is for, in Markdown.
    """
    with DAG(
        dag_id=dag_id,
        schedule=None,
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,  # it runs when a person triggers it, and never else
        default_args=dict(_DEFAULTS),
        params=_form(sorted(load_maps(Settings.from_environment().mappings).maps)),
        doc_md=doc,
        tags=["projops"],
    ) as dag:
        choose = ChooseOperator(
            task_id="choose",
            execution_timeout=_BRIEF,
            doc_md="Marks the dead letters that the form names, and says which maps they belong to.",
        )
        run = RunAreaOperator.partial(
            task_id="run",
            map_index_template="{{ task.area }}",
            doc_md="Runs the maps of one area in its own DAG and waits for the end, without a worker.",
        ).expand_kwargs(choose.output)
        report = ReportOperator(
            task_id="report",
            choose_task_id="choose",
            trigger_rule="all_done",
            execution_timeout=_BRIEF,
            doc_md="Says what became of each dead letter; fails where one that was to go is still there.",
        )
        run >> report
    return dag


def _form(maps: list[str]) -> dict[str, Param]:
    return {
        "action": Param(
            "replay",
            type="string",
            enum=list(VERBS),
            title="What to do",
            description_md="`replay` tries rows again; `approve` lets deletes go that wait for it; `dismiss` "
            "closes entries that nobody will mend.",
        ),
        "numbers": Param(
            None,
            type=["null", "array"],
            items={"type": "integer"},
            title="Numbers",
            description_md="These dead letters, as a list: `[17, 18]`.",
        ),
        "map": Param(
            None,
            type=["null", "string"],
            enum=[None, *maps],
            title="Map",
            description_md="Those of this map.",
        ),
        "error": Param(
            None,
            type=["null", "string"],
            title="Error or rule",
            description_md="Those of this error or rule, such as `E6`.",
        ),
        "everything": Param(
            False, type="boolean", title="All of them", description_md="Every one that the action fits."
        ),
        "reason": Param(
            None,
            type=["null", "string"],
            title="Reason",
            description_md="Why; a dismissal needs one, and it is kept with the entry.",
        ),
    }
