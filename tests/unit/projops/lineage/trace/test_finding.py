"""What bears a number, over rows in memory: companies kept apart, the most telling document first."""

import asyncio
from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from projops.lineage.trace import entities as of
from projops.lineage.trace.finding import Finder, Match
from projops.lineage.trace.records import Entity, Record
from projops.mapping.reader import load_maps
from projops.settings import PROJECT_ROOT
from projops.state import StateStore, crosswalk
from projops.state.crosswalk import Entry

LOADED = load_maps(PROJECT_ROOT / "include" / "mappings")


def row(entity: Entity, identity: str, **columns: Any) -> Record:
    return Record(entity, identity, columns, "")


LINE = row(of.JOURNAL_LINE, "uspm/j/1", dataAreaId="uspm", Voucher="V1")
ENTRIES = [row(of.ENTRY, f"{it}/v1/1", dataAreaId=it, Voucher="V1") for it in ("uspm", "gbpm")]
SOLD = row(of.INVOICED, "gbpm/1", dataAreaId="gbpm", Voucher="V1")
STAGED = row(of.STAGED, "uspm/i1", dataAreaId="uspm", ActualsImportId="i1", VoucherNumber="V1")
OF_NOBODY = {"msdyn_company.cdm_companycode": None}  # a proforma that no company has: no row of a map
PROFORMAS = [row(of.INVOICE, name, invoicenumber="INV-1", **OF_NOBODY) for name in ("a", "b")]


class Rows:
    """A reader of rows in memory; the state remembers a project of the past."""

    def __init__(self, store: StateStore, *records: Record) -> None:
        with store.begin() as connection:
            crosswalk.put(connection, "projects", 1, [Entry('["old","uspm"]'), Entry('["uspm","gbpm"]')])
        self._records = records
        engine: Any = SimpleNamespace(maps=LOADED.maps, state=store)
        reader: Any = self
        self.finder = Finder(engine, reader)

    async def read(
        self, entity: Entity, columns: Sequence[str], wanted: Iterable[Sequence[Any]]
    ) -> list[Record]:
        values = [tuple(str(value).lower() for value in each) for each in wanted]
        return [each for each in self._records if each.entity is entity and each.key(columns) in values]

    def kind(self, name: str, text: str) -> list[Match]:
        return asyncio.run(self.finder.of_kind(name, text))

    def map(self, name: str, text: str) -> list[str]:
        return asyncio.run(self.finder.of_map(LOADED.maps[name], text))


def test_a_number_in_two_companies_is_two_things_each_the_most_telling_document(store: StateStore) -> None:
    rows = Rows(store, *ENTRIES, SOLD, LINE, STAGED)
    assert rows.kind("voucher", "v1") == [
        Match("voucher", (SOLD,), (), "gbpm/v1"),
        Match("voucher", (LINE,), (("actuals", '["i1","uspm"]'),), "uspm/v1"),
    ]
    for asked in ("USPM/V1", "V1,uspm"):
        assert [each.documents for each in rows.kind("voucher", asked)] == [(LINE,)]
    assert [each.documents for each in Rows(store, *ENTRIES).kind("voucher", "V1")] == [
        (ENTRIES[1],),
        (ENTRIES[0],),
    ]


def test_rows_of_dataverse_alone_are_one_thing_without_a_company(store: StateStore) -> None:
    [match] = Rows(store, *PROFORMAS).kind("invoice", "INV-1")
    assert match.documents == tuple(PROFORMAS)
    assert match.alone == "INV-1"


def test_a_number_that_nothing_bears_says_where_it_was_looked_for(store: StateStore) -> None:
    rows = Rows(store)
    assert rows.kind("expense", "E-1") == []
    assert {"ExpenseReportLines.ExpTransNumber", "msdyn_expense.msdyn_externalid"} <= set(rows.finder.looked)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("OLD", ['["old","uspm"]']),
        ("old/uspm", ['["old","uspm"]']),
        ('["old","uspm"]', ['["old","uspm"]']),
        ("uspm", ['["uspm","gbpm"]']),  # a project may be called so; the company of the other is none
    ],
)
def test_what_the_state_remembers_is_found_by_its_key(store: StateStore, text: str, keys: list[str]) -> None:
    assert Rows(store).map("projects", text) == keys
