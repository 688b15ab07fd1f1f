"""Shared columns that both sides changed: who won, what the loser held, and how to have it the other way."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, status
from fastapi.responses import HTMLResponse

from projops.console import runs
from projops.console.access import SignedIn, note_reveal
from projops.console.areas import areas_of
from projops.console.kept_engine import kept_engine
from projops.console.records import Records
from projops.console.rendering import page
from projops.payload import value_text
from projops.state import conflicts, crosswalk, row_history
from projops.state.conflicts import Chosen

_A_PAGE = 50  # conflicts
_Text = Annotated[str, Query(max_length=200)]

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Asked:
    """Which conflicts somebody wants to see, as the address says it.

    Attributes:
        map: Of this map; "" for all, as below.
        column: About this target column.
        winner: Won by this system.
        q: With this text in the key.
    """

    map: _Text = ""
    column: _Text = ""
    winner: _Text = ""
    q: _Text = ""


@dataclass(frozen=True, slots=True)
class Contested:
    """One column of a conflict.

    Attributes:
        column: Its name on the side that was written.
        held: What each system held, as text, by its name; None for nothing.
        winner: The system whose value stands.
    """

    column: str
    held: Mapping[str, str | None]
    winner: str


@router.get("/conflicts")
def list_conflicts(
    request: Request,
    viewer: SignedIn,
    asked: Annotated[Asked, Depends()],
    before: Annotated[int | None, Query(ge=1, lt=1 << 62)] = None,
    values: bool = False,
) -> HTMLResponse:
    """List conflicts, the newest first; with `values` what each side held."""
    engine = kept_engine()
    areas = areas_of(engine)
    if values:
        viewer.require_values()
        note_reveal(viewer, f"conflicts of {asked.map or 'all maps'}")
    with engine.state.reading() as connection:
        maps = [name for name in conflicts.maps_of(connection) if viewer.reads(areas.get(name))]
        chosen = Chosen(maps, asked.column.strip(), asked.winner, asked.q.strip(), before)
        found = conflicts.listed(connection, asked.map or None, _A_PAGE + 1, chosen)
    return page(
        request,
        viewer,
        "conflicts.html.j2",
        rows=[(row, _contested(row)) for row in found[:_A_PAGE]],
        older=found[_A_PAGE - 1]["id"] if len(found) > _A_PAGE else None,
        before=before,
        maps=[("", "all"), *((name, name) for name in maps)],
        asked=asked,
        values=values,
    )


@router.get("/conflicts/{number:number}")
def conflict(request: Request, viewer: SignedIn, number: int, values: bool = False) -> HTMLResponse:
    """Show one conflict, and how to have it the other way."""
    engine = kept_engine()
    with engine.state.reading() as connection:
        row = conflicts.get(connection, number)
        if row is None:
            raise HTTPException(
                status.HTTP_404_NOT_FOUND, f"There is no conflict {number}; they are kept for a while."
            )
        batch = row_history.batches_of(connection, [row["batch"]]).get(row["batch"])
        pair = crosswalk.by_keys(connection, row["map"], [row["key"]]).get(row["key"])
    viewer.require_reads(areas_of(engine).get(row["map"]))
    if values:
        viewer.require_values()
        note_reveal(viewer, f"conflict {number}")
    return page(
        request,
        viewer,
        "conflict.html.j2",
        row=row,
        contested=_contested(row),
        remedy=conflicts.remedy(row),
        values=values,
        batch=batch,
        run=_run(request, batch),
        records=Records.of(engine).of_row(row["map"], row["key"], pair.dataverse_id if pair else None),
        known=row["map"] in engine.maps,
    )


def _contested(row: Mapping[str, Any]) -> list[Contested]:
    sides = conflicts.sides(row)
    return [
        Contested(
            column,
            {system.value: _text(side.get(column)) for system, side in sides.items()},
            row["winner"],
        )
        for column in row["source_values"]
    ]


def _text(value: Any) -> str | None:
    return None if value is None else value_text(value)


def _run(request: Request, batch: Mapping[str, Any] | None) -> str:
    """Give the address of the run that met it; "" where none of Airflow's did."""
    return "" if batch is None else runs.run_link(request, batch["dag_id"], batch["run_id"])
