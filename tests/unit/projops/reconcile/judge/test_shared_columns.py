"""What the target holds of shared columns is digested as the load does it; the other leg's view is noted."""

from typing import Any

import pyarrow as pa

from projops.identities import Identities
from projops.mapping import catalog
from projops.mapping.model import Direction
from projops.mapping.paths import shared_of, target_column
from projops.mapping.reader import load_maps
from projops.reconcile.judge.shared_columns import Counterpart, found_digests, note_counterparts
from projops.reconcile.model import ColumnDifference, Kind, RowDifference
from projops.run import LegRef
from projops.settings import PROJECT_ROOT
from projops.transform.shared import read_digests, shared_digests

CUSTOMERS = load_maps(PROJECT_ROOT / "include" / "mappings").maps["customers"]
FORTH, BACK = Direction.DATAVERSE_TO_FINANCE, Direction.FINANCE_TO_DATAVERSE


def row(direction: Direction, key: str, kind: Kind = Kind.CHANGED, **found: Any) -> RowDifference:
    columns = tuple(
        ColumnDifference(name.replace("__", "."), "expected", value) for name, value in found.items()
    )
    return RowDifference(LegRef("customers", direction.value), key, kind, "s", "t", "h", columns)


def as_the_load_has_it(direction: Direction, **values: Any) -> dict[str, str]:
    """Digests of a whole row of the target, as the load reads it."""
    leg = CUSTOMERS.legs[direction]
    held = {name.replace("__", "."): value for name, value in values.items()}
    frame = {
        name: pa.array([held.get(name)], catalog.arrow_type(target_column(CUSTOMERS, leg, name)))
        for name in shared_of(CUSTOMERS, leg)
    }
    [digests] = read_digests(shared_digests(CUSTOMERS, direction.target, pa.table(frame)))
    assert digests is not None
    return dict(digests)


def test_digests_of_what_was_found_are_those_of_the_load() -> None:
    leg = CUSTOMERS.legs[BACK]
    rows = [
        row(BACK, "[1]", name="Ada", transactioncurrencyid__isocurrencycode="usd"),
        row(BACK, "[2]", name=None, customertypecode=3),
        row(BACK, "[3]", customertypecode=4),  # no shared column
        row(BACK, "[4]", Kind.MISSING),
    ]
    found = found_digests(CUSTOMERS, leg, rows)
    whole = as_the_load_has_it(BACK, name="Ada", transactioncurrencyid__isocurrencycode="USD")
    assert found["[1]"] == {name: whole[name] for name in ("name", "transactioncurrencyid.isocurrencycode")}
    assert found["[2]"] == {"name": as_the_load_has_it(BACK, name=None)["name"]}
    assert set(found) == {"[1]", "[2]"}


def test_an_enum_that_finance_holds_is_digested_as_it_answers() -> None:
    leg = CUSTOMERS.legs[FORTH]
    [found] = found_digests(CUSTOMERS, leg, [row(FORTH, "[1]", OnHoldStatus="No")]).values()
    assert found == {"OnHoldStatus": as_the_load_has_it(FORTH, OnHoldStatus="No")["OnHoldStatus"]}


def test_the_other_legs_view_is_noted_by_key() -> None:
    noted = Identities()
    leg = CUSTOMERS.legs[FORTH]
    note_counterparts(CUSTOMERS, leg, [row(FORTH, "[1]", OrganizationName="Ada"), row(FORTH, "[2]")], noted)
    [(key, text)] = noted.among(["[1]", "[2]"]).items()
    digests = as_the_load_has_it(FORTH, OrganizationName="Ada")
    expected = {"OrganizationName": digests["OrganizationName"]}
    assert (key, Counterpart.of(text)) == ("[1]", Counterpart("s", "h", expected))


def test_a_map_without_shared_columns_has_nothing_to_note() -> None:
    maps = load_maps(PROJECT_ROOT / "include" / "mappings").maps
    units = maps["units"]
    leg = units.legs[BACK]
    assert found_digests(units, leg, [row(BACK, "[1]", name="box")]) == {}
