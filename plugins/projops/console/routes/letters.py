"""Rows that were set aside: by cause, and the rows of one cause."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from projops.console.access import SignedIn
from projops.console.areas import areas_of
from projops.console.causes import Wanted, parameters, picked, selection, told
from projops.console.kept_engine import kept_engine
from projops.console.rendering import page
from projops.state import letter_groups
from projops.state.letter_groups import Group
from projops.state.selection import Selection
from projops.state.tables import LIVE

_A_PAGE = 50  # rows, or groups
_Text = Annotated[str, Query(max_length=500)]

router = APIRouter()


@router.get("/letters")
def by_cause(
    request: Request,
    viewer: SignedIn,
    wanted: Annotated[Wanted, Depends()],
    q: _Text = "",
    number: Annotated[int, Query(alias="page", ge=1, lt=10_000)] = 1,
) -> HTMLResponse:
    """List what is set aside by cause, the largest group first if nothing else is asked."""
    engine, text = kept_engine(), q.strip()
    areas = areas_of(engine)
    with engine.state.reading() as connection:
        every = letter_groups.groups(connection, Selection(everything=True, text=text or None))
        groups = [group for group in every if viewer.reads(areas.get(group.map))]
        found = picked(groups, wanted, areas)
        shown = found[(number - 1) * _A_PAGE : number * _A_PAGE]
        examples = letter_groups.examples(connection, [group.latest for group in shown])
    return page(
        request,
        viewer,
        "letters.html.j2",
        causes=[told(group, examples.get(group.latest, {}), text) for group in shown],
        counts={each: sum(group.count for group in found if group.status == each) for each in LIVE},
        found=len(found),
        wanted=wanted,
        q=q,
        number=number,
        last=-(-len(found) // _A_PAGE),
        choices=_choices(groups, areas),
        titles={name: each.title for name, each in engine.maps.items()},
    )


@router.get("/letters/rows")
def of_cause(
    request: Request, viewer: SignedIn, before: Annotated[int | None, Query(ge=1, lt=1 << 62)] = None
) -> HTMLResponse:
    """List the rows of one cause, the newest first."""
    engine, wanted = kept_engine(), selection(request.query_params)
    area = areas_of(engine).get(wanted.map or "")
    viewer.require_reads(area)
    with engine.state.reading() as connection:
        rows = letter_groups.rows_of(connection, wanted, _A_PAGE + 1, before)
        group = next(iter(letter_groups.groups(connection, wanted)), None)
        examples = letter_groups.examples(connection, [group.latest] if group else [])
    return page(
        request,
        viewer,
        "letters_rows.html.j2",
        rows=rows[:_A_PAGE],
        older=rows[_A_PAGE - 1]["id"] if len(rows) > _A_PAGE else None,
        before=before,
        cause=told(group, examples.get(group.latest, {}), wanted.text or "") if group else None,
        fields=parameters(wanted),
        stage=examples[group.latest]["stage"] if group else "",
        known=wanted.map in engine.maps,
        acts=viewer.acts(area),
    )


def _choices(groups: Sequence[Group], areas: Mapping[str, str]) -> dict[str, list[tuple[str, str]]]:
    """Give what there is to filter by: values and labels, by parameter."""
    maps = sorted({group.map for group in groups})
    named = sorted({area for each in maps if (area := areas.get(each))})
    rules = sorted({group.rule for group in groups}, key=str.lower)
    return {
        "area": [("", "all"), *((each, each.replace("_", " ")) for each in named)],
        "map": [("", "all"), *((each, each) for each in maps)],
        "status": [("", "all"), *((each, each.replace("_", " ")) for each in LIVE)],
        "rule": [("", "all"), *((each, each) for each in rules)],
    }
