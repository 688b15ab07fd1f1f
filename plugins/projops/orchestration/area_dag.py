"""The DAG of an area, built from its mapping files.

detect ─┬─> companies__finance_to_dataverse   extract > validate > transform > load ─┐
        ├─> customers__finance_to_dataverse   (after companies)                      ├─> finish
        └─> ...                                                                      │
ledgers__broken ─────────────────────────────────────────────────────────────────────┘
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, BaseOperator, Param, TaskGroup

from projops.mapping.model import Direction, System, TableMap
from projops.mapping.order import Node, leg_order, leg_parents
from projops.mapping.reader import BrokenMap, load_maps
from projops.orchestration.assets import area_schedule, source_asset, target_asset
from projops.orchestration.failures import CALLBACKS
from projops.orchestration.forms import companies_field, maps_field
from projops.orchestration.links import map_path, page_address
from projops.orchestration.operators import (
    BrokenMapOperator,
    DetectOperator,
    ExtractOperator,
    FinishOperator,
    LoadOperator,
    StageOperator,
    ValidateOperator,
)
from projops.run import LegRef
from projops.settings import Settings

DETECT, FINISH = "detect", "finish"
_NOT_IN_A_TASK_ID = re.compile(r"[^a-zA-Z0-9_.-]")  # a bad name breaks its own map, not the DAG of all
_DEFAULTS: Mapping[str, Any] = {
    "owner": "projops",
    "retries": 2,
    "retry_delay": timedelta(seconds=5),
    "retry_exponential_backoff": 2,
    "max_retry_delay": timedelta(minutes=2),
    "execution_timeout": timedelta(hours=1),
    **CALLBACKS,
}


def area_dag(area: str, doc: str | None) -> DAG:
    """Build the DAG of an area from `include/mappings/<area>/*.yaml`.

    Args:
        area: Folder of the mapping files, and id of the DAG.
        doc: What the area is about, in Markdown; a table of its maps is added.
    """
    loaded = load_maps(Settings.from_environment().mappings)
    maps = {found.map: found for found in loaded.maps.values() if found.area == area and found.enabled}
    broken = [found for found in loaded.broken if found.area == area]
    with DAG(
        dag_id=area,
        schedule=area_schedule(area, loaded.maps),
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=True,
        default_args=dict(_DEFAULTS),
        params=_form(maps),
        doc_md=_dag_doc(doc or area, maps.values(), broken),
        tags=["projops"],
    ) as dag:
        _add_tasks(area, maps, broken)
    return dag


def _add_tasks(area: str, maps: Mapping[str, TableMap], broken: Sequence[BrokenMap]) -> None:
    order = [_ref(node) for node in leg_order(maps)]
    parents = {
        _ref(child): [_ref(parent) for parent in needed] for child, needed in leg_parents(maps).items()
    }
    finish = FinishOperator(
        task_id=FINISH,
        load_task_ids=[f"{leg}.load" for leg in order],
        trigger_rule="all_done",
        doc_md="Shows what the run moved, and fails it where a leg failed.",
    )
    detect = DetectOperator(
        task_id=DETECT,
        area=area,
        finish_task_id=FINISH,
        has_broken=bool(broken),
        execution_timeout=timedelta(minutes=15),
        doc_md="Asks both systems what changed. Only the legs that have something to move run.",
    )
    detect >> finish
    loads: dict[LegRef, BaseOperator] = {}
    for leg in order:
        loads[leg] = _leg_tasks(maps[leg.map], leg, detect, [loads[parent] for parent in parents[leg]])
        loads[leg] >> finish
    for found in broken:
        _broken_task(found) >> finish


def _ref(node: Node) -> LegRef:
    map_id, direction = node
    return LegRef(map_id, direction.value)


def _leg_tasks(
    table_map: TableMap, leg: LegRef, detect: BaseOperator, parents: Sequence[BaseOperator]
) -> BaseOperator:
    """Make the tasks of a leg, after detect and the loads that it needs; give its load."""
    direction = leg.direction
    with TaskGroup(group_id=str(leg), tooltip=f"{table_map.title}, {_route(table_map, direction)}"):
        extract = _extract_task(table_map, leg, detect, parents)
        validate = ValidateOperator(
            task_id="validate",
            stage="validate",
            staged=extract.output,
            doc_md=_stage_doc(table_map, direction, "Sets rows aside that break an expectation."),
        )
        transform = StageOperator(
            task_id="transform",
            stage="transform",
            staged=validate.output,
            doc_md=_stage_doc(table_map, direction, "Maps the rows to the target's columns."),
        )
        load = LoadOperator(
            task_id="load",
            staged=transform.output,
            pool=direction.target.value,
            outlets=[target_asset(table_map, direction)],
            doc_md=_stage_doc(table_map, direction, "Writes what differs, with an outcome for every row."),
        )
    return load


def _extract_task(
    table_map: TableMap, leg: LegRef, detect: BaseOperator, parents: Sequence[BaseOperator]
) -> BaseOperator:
    """Make a leg's first task, after detect and, where it needs others, after their loads."""
    direction = leg.direction
    extract = ExtractOperator(
        task_id="extract",
        leg=leg,
        pool=direction.source.value,
        inlets=[source_asset(table_map, direction)],
        doc_md=_stage_doc(table_map, direction, "Reads the changed rows into the staging area."),
    )
    detect >> extract
    if parents:
        # A task of its own: extract must follow parents that failed, but not a detect that failed.
        needs = EmptyOperator(
            task_id="needs",
            trigger_rule="all_done",
            on_success_callback=None,  # with one it would take a worker
            doc_md="Waits for the legs that this one needs, whatever became of them. Takes no worker.",
        )
        [detect, *parents] >> needs >> extract
    return extract


def _broken_task(broken: BrokenMap) -> BaseOperator:
    return BrokenMapOperator(
        task_id=f"{_NOT_IN_A_TASK_ID.sub('_', broken.map)}__broken",
        message=broken.message,
        retries=0,
        doc_md="The mapping file is broken, so this map does not run; `projops maps lint` says the same.\n\n"
        f"```\n{broken.message}\n```",
    )


def _form(maps: Iterable[str]) -> dict[str, Param]:
    """The trigger form: which maps, which companies, how much."""
    return {
        "maps": maps_field(maps, "Which maps to run; empty for all of the area."),
        "companies": companies_field(
            "Legal entities to run for, one a line; empty for all. "
            "A run for some companies leaves the watermarks where they are."
        ),
        "mode": Param(
            "incremental",
            type="string",
            enum=["incremental", "full"],
            title="Mode",
            description_md="`incremental` moves what changed; `full` reads all and moves the differences.",
        ),
    }


def _dag_doc(doc: str, maps: Iterable[TableMap], broken: Sequence[BrokenMap]) -> str:
    lines = [doc.strip(), "", "| map | Dataverse | | Finance | version |", "|---|---|---|---|---|"]
    lines += [
        f"| {_linked(found.map)} {found.title} | `{found.dataverse}` | {_arrows(found)} "
        f"| `{found.finance}` | {found.version} |"
        for found in maps
    ]
    lines += [f"| {_linked(found.map)} | broken, does not run | | | |" for found in broken]
    return "\n".join(lines)


def _linked(map_id: str) -> str:
    return f"[`{map_id}`]({page_address(map_path(map_id))})"


def _arrows(table_map: TableMap) -> str:
    back = "&larr;" if Direction.FINANCE_TO_DATAVERSE in table_map.legs else ""
    forth = "&rarr;" if Direction.DATAVERSE_TO_FINANCE in table_map.legs else ""
    return f"{back}{forth}"


def _stage_doc(table_map: TableMap, direction: Direction, what: str) -> str:
    route = _route(table_map, direction)
    return f"{what}\n\n{table_map.title} ({table_map.version}): {route}. File: `{table_map.file}`"


def _route(table_map: TableMap, direction: Direction) -> str:
    ends = {System.DATAVERSE: table_map.dataverse, System.FINANCE: table_map.finance}
    return f"{ends[direction.source]} to {ends[direction.target]}"
