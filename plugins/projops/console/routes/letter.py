"""One row that was set aside: why, what to do, what both sides hold of it, and what was before."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Query, Request, status
from fastapi.responses import HTMLResponse, StreamingResponse

from projops.advice import advice_on
from projops.console import runs
from projops.console.access import SignedIn, Viewer, note_reveal
from projops.console.areas import areas_of
from projops.console.causes import parameters
from projops.console.comparing import compare
from projops.console.kept_engine import kept_engine
from projops.console.published import answer
from projops.console.records import Records
from projops.console.rendering import page
from projops.engine import Engine
from projops.mapping.model import Direction, System
from projops.payload import payload_values
from projops.run import LegRef
from projops.state import crosswalk, dead_letters, row_history
from projops.state.letter_groups import group_of
from projops.state.tables import LIVE

_EARLIER = 20  # former entries of a row
_STAGES = ("extract", "validate", "transform", "load")
_NO_EVIDENCE = "The evidence is gone: it is kept as long as its dead letter."

router = APIRouter()


@router.get("/letters/{number:number}")
def letter(
    request: Request,
    viewer: SignedIn,
    number: int,
    values: bool = False,
    both: Annotated[bool, Query(alias="compare")] = False,
) -> HTMLResponse:
    """Show one dead letter, live or closed; with `values` what the row holds, with `compare` both sides."""
    engine = kept_engine()
    row = _found(engine, viewer, number)
    if values:
        viewer.require_values()
        note_reveal(viewer, f"dead letter {number}")
    with engine.state.reading() as connection:
        batch = row_history.batches_of(connection, [row["batch"]]).get(row["batch"])
        earlier = dead_letters.earlier(connection, row, _EARLIER)
        pair = crosswalk.in_step(connection, row["map"], [row["key"]]) if row["key"] else []
        conflicts = row_history.conflicts_of(connection, row["map"], row["key"]) if row["key"] else []
    return page(
        request,
        viewer,
        "letter.html.j2",
        row=row,
        is_live=row["status"] in LIVE,
        advice=advice_on(row),
        payload=payload_values(row["payload"]),
        values=values,
        comparison=compare(engine, row["map"], row["leg"], row["key"]) if both else None,
        batch=batch,
        task=_task(request, row, batch),
        earlier=earlier,
        conflicts=conflicts,
        in_step_at=pair[0].at if pair else None,
        records=Records.of(engine).of_row(row["map"], row["key"], _dataverse_id(row, pair)),
        group=parameters(group_of(row)),
        known=row["map"] in engine.maps,
        acts=viewer.acts(areas_of(engine).get(row["map"])),
    )


@router.get("/letters/{number:number}/evidence")
def evidence(viewer: SignedIn, number: int) -> StreamingResponse:
    """Send the row as it was when it crashed a stage, whole."""
    row = _found(kept_engine(), viewer, number)
    viewer.require_values()
    # Evidence lies in a folder of its leg, which is in one of its map.
    found = answer("/".join(str(row["evidence"]).split("/")[-4:]), _NO_EVIDENCE)
    note_reveal(viewer, f"evidence of dead letter {number}")
    return found


def _found(engine: Engine, viewer: Viewer, number: int) -> dict[str, Any]:
    with engine.state.reading() as connection:
        row = dead_letters.get(connection, number)
    if row is None:
        raise HTTPException(
            status.HTTP_404_NOT_FOUND,
            f"There is no dead letter {number}; those that are closed are kept for a while.",
        )
    viewer.require_reads(areas_of(engine).get(row["map"]))
    return row


def _task(request: Request, row: Mapping[str, Any], batch: Mapping[str, Any] | None) -> str:
    """Give the address of the task in Airflow that set the row aside; "" where none did."""
    if batch is None or row["stage"] not in _STAGES:
        return ""
    run = runs.run_link(request, batch["dag_id"], batch["run_id"])
    task = f"{LegRef(row['map'], row['leg'])}.{row['stage']}"
    return f"{run}/tasks/{quote(task, safe='')}" if run else ""


def _dataverse_id(row: Mapping[str, Any], pair: list[crosswalk.InStep]) -> str | None:
    """Give the row's GUID in Dataverse, as far as it is known."""
    if Direction(row["leg"]).source is System.DATAVERSE:
        return str(row["source_id"])
    return pair[0].entry.dataverse_id if pair else None
