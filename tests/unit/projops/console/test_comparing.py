"""A row compared on both sides at this moment: what is said of it, and what only those see who may."""

from collections.abc import Callable

import pytest

from projops.console import comparing
from projops.engine import Engine
from projops.errors import SystemUnavailableError
from projops.lineage.trace.model import FieldTrace, LegTrace, RowTrace, Side
from projops.mapping.model import Direction, System
from projops.payload import payload_text
from projops.state import StateStore
from projops.state.audit import actions
from tests.unit.projops.console.clients import Client
from tests.unit.projops.console.letters import put

BOTH = frozenset(System)


def row(sides: frozenset[System] = BOTH, takes: bool = True, rejects: tuple[str, ...] = ()) -> RowTrace:
    held = {each: Side(each, "t", None, None, None, {}, "") for each in sides}
    fields = (
        FieldTrace("Name", "msdyn_name", "anna-there", (), "anna-made", "bert-held", False),
        FieldTrace("Unit", "msdyn_unit", "ea", (), "ea", "ea", True),
        FieldTrace("Kind", None, None, (), None, None, None),
    )
    leg = LegTrace(Direction.DATAVERSE_TO_FINANCE, "1", "f", takes, None, None, None, fields, (), rejects)
    return RowTrace("actuals", "Actuals", "[]", None, held, (leg,), (), ())


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Callable[[RowTrace | Exception], None]:
    """Say what both systems answer for the row."""

    def answer(found: RowTrace | Exception) -> None:
        async def read(engine: Engine, map_id: str, key: str) -> RowTrace:
            if isinstance(found, Exception):
                raise found
            return found

        monkeypatch.setattr(comparing, "_read", read)

    return answer


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (row(), "1 field differs."),
        (row(frozenset({System.DATAVERSE})), "Finance has no such row yet."),
        (row(frozenset({System.FINANCE})), "Dataverse has no such row any more; Finance has it still."),
        (row(frozenset()), "Dataverse has no such row any more; Finance has none either."),
        (row(takes=False), "filter does not take the row as it stands in Dataverse now."),
        (row(rejects=("Name is too long.",)), "Name is too long."),
        (SystemUnavailableError("Finance is away.", remedy="Wait."), "cannot be compared: Finance is away."),
    ],
)
def test_the_page_says_how_both_sides_compare_and_hides_what_they_hold(
    client_of: Client,
    state: StateStore,
    reads: Callable[[RowTrace | Exception], None],
    found: RowTrace | Exception,
    sentence: str,
) -> None:
    reads(found)
    number = put(state, "a", payload=payload_text({"msdyn_name": "anna-there"}))
    page = client_of("viewer").get(f"/letters/{number}?compare=1")
    assert page.status_code == 200
    assert sentence in page.text
    assert not [each for each in ("anna-there", "anna-made", "bert-held") if each in page.text]


def test_who_may_see_values_sees_them_side_by_side_and_is_noted(
    client_of: Client, state: StateStore, reads: Callable[[RowTrace | Exception], None]
) -> None:
    reads(row())
    number = put(state, "a")
    assert "anna-made" not in client_of("op").get(f"/letters/{number}?compare=1").text
    page = client_of("op").get(f"/letters/{number}?compare=1&values=1").text
    assert [each for each in ("anna-there", "anna-made", "bert-held") if each not in page] == []
    with state.begin() as connection:
        [noted] = actions(connection)
    assert (noted["action"], noted["subject"]) == ("reveal", f"dead letter {number}")


def test_a_row_without_a_key_is_not_asked_for(client_of: Client, state: StateStore) -> None:
    number = put(state, "a", key=None)
    assert "no key by which" in client_of("viewer").get(f"/letters/{number}?compare=1").text


def test_without_connections_it_is_one_sentence(client_of: Client, state: StateStore) -> None:
    page = client_of("viewer").get(f"/letters/{put(state, 'a')}?compare=1")
    assert (page.status_code, "cannot be compared: Connection" in page.text) == (200, True)
