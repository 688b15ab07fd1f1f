"""Ways that the demo does not take, through the links themselves, over rows in memory."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from projops.lineage.trace import entities as of
from projops.lineage.trace.links import provenance
from projops.lineage.trace.records import Entity, Record, Towards
from projops.lineage.trace.walking import Bound, walk
from projops.mapping.reader import load_maps
from projops.settings import PROJECT_ROOT

LINKS = provenance(load_maps(PROJECT_ROOT / "include" / "mappings").maps.values())
COMPANY = "msdyn_owningcompany.cdm_companycode"
HERE = {"dataAreaId": "uspm"}

ROWS: list[Record] = []


def row(entity: Entity, identity: str, **columns: Any) -> Record:
    record = Record(entity, identity, columns, "")
    ROWS.append(record)
    return record


def origin(actual: str, entity: Entity, entered: str) -> Record:
    name = f"{actual}-{entered}"
    return row(of.ORIGIN, name, msdyn_transaction=actual, msdyn_origin=entered, msdyn_origintype=entity.name)


FEE = row(of.JOURNAL_LINE, "fee", **HERE, Voucher="V1", ActualsImportId=None, SourceActualId="i1")
row(of.STAGED, "i1", **HERE, ActualsImportId="i1")
row(of.ACTUAL, "a1", msdyn_actualid="a1", msdyn_actualimportid="i1", **{COMPANY: "USPM"})
origin("a1", of.TIME_ENTRY, "t1")
HOURS = row(of.TIME_ENTRY, "t1", msdyn_timeentryid="t1")

USED = row(of.STAGED, "i2", **HERE, ActualsImportId="i2")
row(of.ACTUAL, "a2", msdyn_actualid="a2", msdyn_actualimportid="i2", **{COMPANY: "USPM"})
origin("a2", of.MATERIAL_USAGE, "m1")
row(of.MATERIAL_USAGE, "m1", msdyn_materialusagelogid="m1", msdyn_externalid="MU-1", **{COMPANY: "USPM"})
SLIP = row(of.EXPORTED_USAGE, "mu-1", **HERE, MaterialUsageId="MU-1")

TYPED = row(of.STAGED, "i3", **HERE, ActualsImportId="i3")
row(of.ACTUAL, "a3", msdyn_actualid="a3", msdyn_actualimportid="i3", **{COMPANY: "USPM"})
origin("a3", of.JOURNAL_ENTRY, "j1")
ENTERED = row(of.JOURNAL_ENTRY, "j1", msdyn_journallineid="j1", msdyn_timeentry=None)

BOOKED = row(of.EXPORTED_EXPENSE, "gj", ExpTransNumber="V9")
GENERAL = row(of.GENERAL_JOURNAL_LINE, "uspm/1/1", **HERE, Voucher="V9")

# A retainer: its billed sales have no origin, only the detail that bills them.
RETAINED = row(of.ACTUAL, "a4", msdyn_actualid="a4", msdyn_actualimportid="i4", **{COMPANY: "USPM"})
DETAIL = row(of.INVOICE_DETAIL, "d1", msdyn_invoicelinetransactionid="d1", msdyn_billedactual="a4")

# An origin of a kind that the trace does not know is where it ends, and names the kind.
STRANGE = row(of.ACTUAL, "a5", msdyn_actualid="a5", msdyn_actualimportid="i5", **{COMPANY: "USPM"})
UNKNOWN = row(
    of.ORIGIN, "o5", msdyn_transaction="a5", msdyn_origin="x", msdyn_origintype="msdyn_projectapproval"
)


async def read(entity: Entity, columns: Sequence[str], wanted: Iterable[Sequence[Any]]) -> list[Record]:
    values = [tuple(str(value).lower() for value in each) for each in wanted]
    mine = [each for each in ROWS if each.entity is entity]
    return [each for each in mine if each.key(columns) in values]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (FEE, HOURS),
        (USED, SLIP),
        (TYPED, ENTERED),
        (BOOKED, GENERAL),
        (RETAINED, DETAIL),
        (STRANGE, UNKNOWN),
        (GENERAL, GENERAL),
    ],
    ids=lambda record: str(record.entity.label),
)
def test_what_was_entered_is_found(start: Record, end: Record) -> None:
    found = asyncio.run(walk([start], LINKS, Towards.ORIGIN, read, Bound(100, 25)))
    assert found.ends == (end,)
    back = asyncio.run(walk([end], LINKS, Towards.OUTCOME, read, Bound(100, 25)))
    assert start.node in {end.node, *(each.record.node for each in back.found)}
