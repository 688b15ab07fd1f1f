"""Maps filled with rows: copies of the demo's, made beside the running source and moved by the engine.

A copy has a key and texts of its own and hangs on the same parents as its original. How it came to the
source is not what is tested; the target's half is the engine's own work.
"""

import itertools
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from projops.mapping.reader import LoadedMaps, load_maps
from sandbox.clock import Clock
from sandbox.schema.model import Table
from sandbox.store import Store
from tests.e2e.engine.world import World, named
from tests.plantings.documents import documents

Maker = Callable[[int], Any]
_NAMESPACE = uuid.UUID("6f1d3c52-0b57-4b4c-9d0e-2c7f6a9e4b10")
# Letters that have two Unicode forms, and words in which case and blanks matter.
_WORDS = ("Café Ångström", "Zürich West", "naïve São Tomé", "McAllister & Söhne", "Straße Nº 5", "O'Brien")
_LONG = " and a tail that goes on beyond the longest text that any mapping leaves of it," * 4


def text(prefix: str) -> Maker:
    """Keys such as `C00012`."""
    return lambda number: f"{prefix}{number:05}"


def guid(prefix: str) -> Maker:
    """The same GUID for the same number, so that several columns of a row can share it."""
    return lambda number: str(uuid.uuid5(_NAMESPACE, f"{prefix}{number}"))


def currency(number: int) -> str:
    """Codes that no country has, from QAA on."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return f"{'QWJ'[number // 676]}{letters[number // 26 % 26]}{letters[number % 26]}"


def amount(digits: int) -> Maker:
    """Amounts with so many digits after the point, none of them 0."""
    return lambda number: (
        Decimal(1000 + number * 37) + Decimal("0.123456789123456").quantize(Decimal(1).scaleb(-digits))
    )


def constant(value: Any) -> Maker:
    """The same for every copy."""
    return lambda _number: value


@dataclass(frozen=True)
class Copies:
    """How the rows of a map are copied.

    Attributes:
        system: The side that is filled; the engine brings the rows to the other.
        table: Its table or entity set.
        own: What makes a copy's own values, by column: keys, and all else that must not occur twice.
        texts: Columns that are written anew.
        longest: Of these, those whose text goes beyond what the mapping leaves of it, in every third row.
        where: What the originals have in common.
    """

    system: str
    table: str
    own: Mapping[str, Maker]
    texts: Sequence[str] = ()
    longest: Sequence[str] = ()
    where: Mapping[str, Any] = field(default_factory=dict)


COPIES: Mapping[str, Copies] = {
    "currencies": Copies("finance", "Currencies", {"CurrencyCode": currency}, ("Name",), ("Name",)),
    "units": Copies(
        "finance", "UnitsOfMeasure", {"UnitSymbol": text("u")}, ("UnitDescription",), ("UnitDescription",)
    ),
    "exchange_rate_types": Copies(
        "finance", "ExchangeRateTypes", {"Name": text("Type ")}, ("Description",), ("Description",)
    ),
    "exchange_rate_pairs": Copies("finance", "ExchangeRateCurrencyPairs", {"FromCurrencyCode": currency}),
    "workers": Copies(
        "finance",
        "Workers",
        {"PersonnelNumber": text("W")},
        ("FirstName", "LastName", "Name"),
        ("FirstName", "LastName"),
    ),
    "customers": Copies(
        "finance",
        "CustomersV3",
        {"CustomerAccount": text("C")},
        ("OrganizationName",),
        where={"PartyType": "Organization", "InvoiceAccount": ""},
    ),
    "vendors": Copies(
        "finance",
        "VendorsV2",
        {"VendorAccountNumber": text("V")},
        ("VendorOrganizationName",),
        where={"InvoiceVendorAccountNumber": ""},
    ),
    "products": Copies(
        "finance",
        "ReleasedProductsV2",
        {
            "ItemNumber": text("P"),
            "ProductNumber": text("P"),
            "SalesPrice": amount(6),
            "UnitCost": amount(5),
            "PurchasePrice": amount(4),
        },
        ("ProductSearchName",),
        ("ProductSearchName",),
    ),
    "contract_headers": Copies(
        "dataverse",
        "salesorder",
        {"ordernumber": text("ORD-P")},
        ("name",),
        where={"msdyn_ordertype": 192350001},
    ),
    "contract_lines": Copies(
        "dataverse",
        "salesorderdetail",
        {"sequencenumber": lambda number: 1000 + number, "msdyn_contractlinenumber": text("CLN-P")},
        ("productdescription",),
        where={"producttypecode": 5, "msdyn_linetype": 690970000},
    ),
    "funding_sources": Copies(
        "dataverse",
        "msdyn_projectcontractsplitbillingrule",
        {"msdyn_fundingsourceid": text("FS-P"), "msdyn_isprimary": constant(False)},
        ("msdyn_billtoname",),
    ),
    "projects": Copies(
        "dataverse",
        "msdyn_project",
        {"msdyn_projectnumber": text("PRJ-P")},
        ("msdyn_subject", "msdyn_description"),
        where={"msdyn_istemplate": False},
    ),
    "milestones": Copies(
        "dataverse",
        "msdyn_contractlinescheduleofvalue",
        {"msdyn_milestonenumber": text("MS-P")},
        ("msdyn_name",),
    ),
    "resource_roles": Copies(
        "dataverse", "bookableresourcecategory", {"msdyn_resourcecategorynumber": text("RCN-P")}, ("name",)
    ),
    "transaction_categories": Copies(
        "dataverse",
        "msdyn_transactioncategory",
        {"msdyn_transactioncategorynumber": text("TCN-P")},
        ("msdyn_name",),
    ),
    "actuals": Copies(
        "dataverse",
        "msdyn_actual",
        {"msdyn_actualid": guid("actual"), "msdyn_actualimportid": guid("actual")},
        ("msdyn_description", "msdyn_externaldescription"),
        where={"msdyn_skipsync": False},
    ),
    "expense_estimates": Copies(
        "dataverse",
        "msdyn_estimateline",
        {"msdyn_estimatelinenumber": text("EE-P")},
        ("msdyn_description",),
        where={"msdyn_transactionclassification": 192350001},
    ),
    "material_estimates": Copies(
        "dataverse",
        "msdyn_estimateline",
        {"msdyn_estimatelinenumber": text("EM-P")},
        ("msdyn_description",),
        where={"msdyn_transactionclassification": 192350002},
    ),
    "hour_estimates": Copies(
        "dataverse",
        "msdyn_resourceassignment",
        {"msdyn_resourceassignmentnumber": text("RA-P")},
        ("msdyn_name",),
    ),
    "transaction_connections": Copies(
        "dataverse", "msdyn_transactionconnection", {"msdyn_transactionconnectionid": guid("connection")}
    ),
}


def fill(world: World, database: str, maps: Sequence[str], rows: int) -> None:
    """Bring maps in step with so many rows each, or a few more.

    Args:
        world: A sandbox with its demo seed, and the engine.
        database: The sandbox's.
        maps: Maps to fill.
        rows: How many rows each is to have.

    Raises:
        AssertionError: The engine could not move all of them.
    """
    needed = with_needs(load_maps(world.settings.mappings), maps)
    world.sync(*needed)
    store = Store(database, Clock())
    try:
        for name in maps:
            if name in COPIES:
                _copy(store, name, rows)
        for table, made in documents(store, maps, rows):
            store.bulk_insert(store.finance[table], made)
        _moved(world, needed)
        if "actuals" in maps:
            _post(store)
            _moved(world, needed)
    finally:
        store.close()


def with_needs(loaded: LoadedMaps, maps: Sequence[str]) -> tuple[str, ...]:
    """Give maps and all maps whose rows they need, those first."""
    found: dict[str, None] = {}
    for name in maps:
        needs = [need for need in loaded.maps[name].needs if loaded.maps[need].enabled]
        found |= dict.fromkeys(with_needs(loaded, needs)) | {name: None}
    return tuple(found)


def _moved(world: World, maps: Sequence[str]) -> None:
    """Run until a pass loads nothing: that one has read all echoes of the ones before."""
    loaded = {"": 1}
    while loaded:
        done = world.sync(*maps)
        loaded = named(done, "loaded")
        set_aside = {count: named(done, count) for count in ("parked", "rejected", "failed")}
        assert not any(set_aside.values()), f"{set_aside}: {world.sql('select * from dead_letter limit 3')}"


def _copy(store: Store, name: str, rows: int) -> None:
    how = COPIES[name]
    table = (store.dataverse if how.system == "dataverse" else store.finance)[how.table]
    originals = _originals(store, table, how)
    missing = max(0, rows - len(originals))
    made = (
        _made(name, table, original, number) for number, original in enumerate(itertools.cycle(originals))
    )
    store.bulk_insert(table, itertools.islice(made, missing))


def _originals(store: Store, table: Table, how: Copies) -> list[dict[str, Any]]:
    sql = store.sql(table)
    query = sa.select(sql).where(*(sql.c[name] == value for name, value in how.where.items()))
    with store.read() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def _made(name: str, table: Table, original: Mapping[str, Any], number: int) -> dict[str, Any]:
    """A copy: its own key, its own texts, and no GUID of its original."""
    how = COPIES[name]
    row = {name: value for name, value in original.items() if name in table.columns}
    if table.primary_id:
        row[table.primary_id] = str(uuid.uuid5(_NAMESPACE, f"{name} {number}"))
    row |= {name: make(number) for name, make in how.own.items()}
    for column in how.texts:
        written = f"{_WORDS[number % len(_WORDS)]} {number}"
        row[column] = written + (_LONG if column in how.longest and number % 3 == 0 else "")
    return row


def _post(store: Store) -> None:
    """Say of half of the actuals in Finance that they are posted, with all the digits that posting gives."""
    table = store.sql(store.finance["ProjActualsImports"])
    with store.write() as unit:
        ids = unit.connection.execute(sa.select(table.c.recid).order_by(table.c.recid)).scalars().all()
        for number, recid in enumerate(ids[::2]):
            posted = {
                "VoucherNumber": f"VCH-{number:06}",
                "AccountingAmount": amount(6)(number),
                "SalesTaxAmount": amount(5)(number),
                "IsJournalized": "Yes",
                "versionnumber": unit.next_version(),
            }
            unit.connection.execute(sa.update(table).where(table.c.recid == recid).values(posted))
