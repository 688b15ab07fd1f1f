"""Our client and the real server of the sandbox, over TLS, with the demo seed."""

import io
import uuid
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from functools import partial

import httpx
import orjson
import pyarrow as pa
import pytest

from projops.dual_write import refuse_dual_write
from projops.errors import AuthenticationError, ProtocolError, StopError, WatermarkExpiredError
from projops.extract.all_rows import ranges_of
from projops.mapping import catalog
from projops.mapping.catalog import Table
from projops.mapping.model import System
from projops.mapping.reader import load_maps
from projops.settings import PROJECT_ROOT
from projops.systems import finance as finance_systems
from projops.systems import quoting
from projops.systems.columns import entity_set, properties
from projops.systems.connection import Connection, Parts, from_parts
from projops.systems.dataverse import Dataverse
from projops.systems.dataverse_writer import DataverseWriter, RowWrite, Verb
from projops.systems.definition_groups import DefinitionGroup, ensure_group
from projops.systems.encoding import Bodies
from projops.systems.finance import Finance
from projops.systems.looking import Look, Pending, look
from projops.systems.outcomes import Status
from projops.systems.package_files import Columns, read_package
from projops.systems.packages import Export, Packages
from projops.systems.session import ODataSession
from tests.contract.process import Sandbox, serve

ACCOUNT = catalog.table(System.DATAVERSE, "account")
CUSTOMERS = catalog.table(System.FINANCE, "CustomersV3")
AWKWARD = "E2 50%_[x]'&+/#å😀"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("sandbox")
    with serve("sqlite", f"sqlite:///{folder / 'sandbox.db'}", folder) as running:
        seeded = httpx.post(f"{running.control}/sandbox/reset", json={"seed": "demo"}, timeout=60)
        assert seeded.is_success, seeded.text
        yield running


def connection(sandbox: Sandbox, system: System, secret: str = "sandbox-secret") -> Connection:
    base_url = sandbox.dataverse_tls if system is System.DATAVERSE else sandbox.finance_tls
    extra = {"tenant_id": "contoso.example", "authority": base_url, "ca_file": sandbox.ca_file}
    parts = Parts(system.value, base_url, login="sandbox-client", password=secret, extra=extra)
    return from_parts(f"{system}_default", parts)


@pytest.fixture
async def dataverse(sandbox: Sandbox) -> AsyncIterator[Dataverse]:
    async with ODataSession(connection(sandbox, System.DATAVERSE)) as session:
        yield Dataverse(session)


@pytest.fixture
async def finance(sandbox: Sandbox) -> AsyncIterator[Finance]:
    async with ODataSession(connection(sandbox, System.FINANCE)) as session:
        yield Finance(session)


async def test_ranges_of_companies_share_out_all_rows(finance: Finance) -> None:
    key = properties(CUSTOMERS, ("dataAreaId", "CustomerAccount"))

    async def keys(where: str | None) -> list[tuple[str, str]]:
        rows = [
            row async for page in finance.pages("CustomersV3", key, where) for row in page.batch.to_pylist()
        ]
        return sorted((row["dataAreaId"], row["CustomerAccount"]) for row in rows)

    ranges = await ranges_of(finance, CUSTOMERS)
    parts = [await keys(each) for each in ranges]
    assert all(parts)
    assert sorted(row for part in parts for row in part) == await keys(None)


async def test_a_wrong_secret_is_one_sentence(sandbox: Sandbox) -> None:
    async with ODataSession(connection(sandbox, System.FINANCE, "wrong")) as session:
        with pytest.raises(AuthenticationError, match="finance_default.*AADSTS7000215"):
            await anext(Finance(session).pages("LegalEntities", ()))


async def test_dataverse_tells_which_environment_it_is(dataverse: Dataverse) -> None:
    assert uuid.UUID(await dataverse.environment_id())


async def test_every_table_has_the_columns_of_the_catalog(dataverse: Dataverse) -> None:
    async def last_delta_link(table: Table) -> str | None:
        read = dataverse.changes(entity_set(table), properties(table, table.columns))
        return [page async for page in read][-1].delta_link

    tables = catalog.dataverse_tables().values()
    links = await dataverse.session.all_of([partial(last_delta_link, table) for table in tables])
    assert len(links) > 20
    assert None not in links


async def test_every_entity_has_the_columns_of_the_catalog(finance: Finance) -> None:
    async def keys(table: Table) -> list[tuple[object, ...]]:
        read = finance.pages(table.name, properties(table, table.columns), order_by=table.keys[0])
        rows = [row for page in [page async for page in read] for row in page.batch.to_pylist()]
        return [tuple(row[name] for name in table.keys[0]) for row in rows]

    tables = catalog.finance_tables().values()
    read = await finance.session.all_of([partial(keys, table) for table in tables])
    assert sum(map(bool, read)) > 10
    assert all(len(set(each)) == len(each) for each in read)


async def test_changes_in_pages_then_only_what_changed(dataverse: Dataverse) -> None:
    accounts, columns = entity_set(ACCOUNT), properties(ACCOUNT, ["name", "msdyn_company"])
    pages = [page async for page in dataverse.changes(accounts, columns, page_size=7)]
    ids = [each for page in pages for each in page.batch["_id"].to_pylist()]
    assert len(pages) > 2
    assert len(set(ids)) == len(ids)
    delta_link = pages[-1].delta_link
    assert delta_link is not None
    [pending] = await look(dataverse, [Look(accounts, delta_link)])
    assert isinstance(pending, Pending)
    assert pending == Pending(0, False, pending.delta_link)
    writer = DataverseWriter(dataverse.session)
    [changed] = await writer.write_each(
        Verb.UPDATE, accounts, [RowWrite(b'{"name":"changed"}', entity_id=ids[0])]
    )
    assert changed.status is Status.OK
    assert pending.delta_link is not None
    [later] = await look(dataverse, [Look(accounts, pending.delta_link)])
    assert isinstance(later, Pending) and later.changed
    [page] = [page async for page in dataverse.changes(accounts, columns, pending.delta_link)]
    assert page.batch.select(["_id", "name"]).to_pylist() == [{"_id": ids[0], "name": "changed"}]
    with pytest.raises(WatermarkExpiredError):
        stale = delta_link.partition("$deltatoken=")[0] + "$deltatoken=1%2101%2F01%2F2020%2000%3A00%3A00"
        [page async for page in dataverse.changes(accounts, columns, stale)]


async def test_rows_by_id_and_by_key(dataverse: Dataverse) -> None:
    accounts = entity_set(ACCOUNT)
    key = properties(ACCOUNT, ["accountnumber", "msdyn_company"])
    ids = [each async for page in dataverse.rows(accounts, []) for each in page.batch["_id"].to_pylist()]
    absent = str(uuid.uuid4())
    found, missing = await dataverse.by_ids(accounts, key, [*ids, absent])
    assert set(found["_id"].to_pylist()) == set(ids)
    assert missing == (absent,)
    keys = [(row["accountnumber"], row["msdyn_company"]) for row in found.to_pylist() if row["msdyn_company"]]
    keyed = await dataverse.by_keys(accounts, key, key, keys)
    assert sorted(keyed["_id"].to_pylist()) == sorted(
        row["_id"] for row in found.to_pylist() if row["msdyn_company"]
    )


async def test_awkward_values_come_back_and_wildcards_are_letters(dataverse: Dataverse) -> None:
    accounts, names = entity_set(ACCOUNT), ["name", "accountnumber", "creditlimit"]
    columns = properties(ACCOUNT, names)
    values = {"name": AWKWARD, "accountnumber": AWKWARD[:20], "creditlimit": Decimal("99999999999.9999")}
    twin = {**values, "accountnumber": AWKWARD[:20].replace("_", "x")}
    rows = [
        RowWrite(Bodies.of(System.DATAVERSE, columns).body(each), entity_id=str(uuid.uuid4()))
        for each in (values, twin)
    ]
    written = await DataverseWriter(dataverse.session).write_many(Verb.UPSERT, accounts, rows)
    assert [outcome.status for outcome in written] == [Status.OK] * 2
    found = await dataverse.by_keys(accounts, columns, columns[1:2], [(AWKWARD[:20],)])
    assert found.select(names).to_pylist() == [values]


async def test_each_row_has_its_outcome_at_dataverse(dataverse: Dataverse) -> None:
    accounts, writer = entity_set(ACCOUNT), DataverseWriter(dataverse.session)
    own, absent = str(uuid.uuid4()), str(uuid.uuid4())
    [created] = await writer.write_many(Verb.CREATE, accounts, [RowWrite(b'{"name":"a"}', entity_id=own)])
    assert (created.status, created.entity_id) == (Status.OK, own)
    orphan = f'{{"msdyn_company@odata.bind":"/cdm_companies({absent})"}}'.encode()
    written = await writer.write_many(
        Verb.UPDATE,
        accounts,
        [
            RowWrite(b'{"name":"b"}', entity_id=own),
            RowWrite(b'{"name":"c"}', entity_id=absent),
            RowWrite(orphan, entity_id=own),
            RowWrite(b'{"name":"%s"}' % (b"z" * 161), entity_id=own),
        ],
    )
    assert [outcome.status for outcome in written] == [
        Status.OK,
        Status.NOT_FOUND,
        Status.PARENT_MISSING,
        Status.REJECTED,
    ]
    [again] = await writer.write_many(Verb.CREATE, accounts, [RowWrite(b'{"name":"a"}', entity_id=own)])
    assert again.status is Status.DUPLICATE
    assert [outcome.status for outcome in await writer.deactivate(accounts, [own])] == [Status.OK]
    deleted = await writer.delete(accounts, [own, own])
    assert [outcome.status for outcome in deleted] == [Status.OK, Status.NOT_FOUND]
    with pytest.raises(ProtocolError, match="nonsense"):
        await writer.write_many(Verb.UPSERT, accounts, [RowWrite(b'{"nonsense":1}', entity_id=own)] * 2)


async def test_each_row_has_its_outcome_at_finance(finance: Finance) -> None:
    columns = properties(CUSTOMERS, ["dataAreaId", "CustomerAccount", "OrganizationName", "CreditLimit"])
    values = dict(zip([column.name for column in columns], ("gbpm", "E2*O'B", AWKWARD, None), strict=True))
    key = quoting.key_predicate(System.FINANCE, columns[:2], ("gbpm", "E2*O'B"))
    create = finance_systems.RowWrite(
        finance_systems.Verb.CREATE, body=Bodies.of(System.FINANCE, columns).body(values)
    )
    nowhere = Bodies.of(System.FINANCE, columns).body({**values, "dataAreaId": "zzzz"})
    update, delete = finance_systems.Verb.UPDATE, finance_systems.Verb.DELETE
    written = await finance.write_each(
        "CustomersV3",
        [
            create,
            create,
            finance_systems.RowWrite(finance_systems.Verb.CREATE, body=nowhere),
            finance_systems.RowWrite(update, key, b'{"CreditLimit":922337203685476.9999}'),
            finance_systems.RowWrite(update, key, b'{"OnHoldStatus":"Sometimes"}'),
            finance_systems.RowWrite(update, key.replace("E2", "E3"), b'{"CreditLimit":1}'),
        ],
    )
    assert [outcome.status for outcome in written] == [
        Status.OK,
        Status.DUPLICATE,
        Status.PARENT_MISSING,
        Status.OK,
        Status.REJECTED,
        Status.NOT_FOUND,
    ]
    found = await finance.by_keys("CustomersV3", columns, columns[:2], [("GBPM", "e2*o'b")])
    assert found.select([column.name for column in columns]).to_pylist() == [
        {**values, "CreditLimit": Decimal("922337203685476.9999")}
    ]
    assert await finance.are_there("CustomersV3", columns[:2], [("GBPM", "e2*o'b")]) == [True]
    gone = [finance_systems.RowWrite(delete, key)] * 2
    deleted = await finance.write_each("CustomersV3", gone)
    assert [outcome.status for outcome in deleted] == [Status.OK, Status.NOT_FOUND]
    assert await finance.are_there("CustomersV3", columns[:2], [("GBPM", "e2*o'b")]) == [False]


async def _exported(finance: Finance, export: Export, columns: Columns) -> list[dict[str, object]]:
    packages = Packages(finance.session)
    assert await packages.status(export.execution_id) is None
    await packages.export(export)
    await packages.wait(export.execution_id)
    with io.BytesIO() as package:
        await packages.download(export.execution_id, package)
        batches = list(read_package(package, CUSTOMERS.label, columns))
    return pa.Table.from_batches(batches).to_pylist() if batches else []


@pytest.mark.parametrize("source_format", ["CSV-Unicode", "CSV", "XML-Element"])
async def test_an_export_says_what_odata_says_and_then_only_what_changed(
    finance: Finance, source_format: str
) -> None:
    columns = properties(CUSTOMERS, CUSTOMERS.columns)
    group = DefinitionGroup(f"e2-{source_format}-demf", CUSTOMERS.label, source_format=source_format)
    await ensure_group(finance.session, group)
    taken = Columns(columns, {"dataAreaId": "demf"})
    exported = await _exported(finance, Export(group.name, str(uuid.uuid4()), "demf"), taken)
    read = finance.pages("CustomersV3", columns, quoting.any_of("dataAreaId", ["demf"]))
    listed = [row for page in [page async for page in read] for row in page.batch.to_pylist()]
    assert len(listed) > 10
    by_account = {row["CustomerAccount"]: {**row, "_version": None} for row in listed}
    assert {row["CustomerAccount"]: row for row in exported} == by_account
    key = quoting.key_predicate(System.FINANCE, columns[:2], ("demf", listed[0]["CustomerAccount"]))
    change = finance_systems.RowWrite(finance_systems.Verb.UPDATE, key, b'{"OrganizationName":"Neu"}')
    assert [outcome.status for outcome in await finance.write_each("CustomersV3", [change])] == [Status.OK]
    await ensure_group(finance.session, group)
    [changed] = await _exported(finance, Export(group.name, str(uuid.uuid4()), "demf"), taken)
    assert changed["OrganizationName"] == "Neu"


async def test_dual_write_says_which_maps_it_runs(dataverse: Dataverse) -> None:
    maps = load_maps(PROJECT_ROOT / "include" / "mappings").maps
    await refuse_dual_write(dataverse, maps["actuals"], maps)
    runs = {
        "msdyn_name": "Actuals",
        "msdyn_internalentityname": "msdyn_actual",
        "msdyn_externalentityname": maps["actuals"].title,
    }
    url = "/api/data/v9.2/msdyn_dualwriteruntimeconfigs"
    created = await dataverse.session.request("POST", url, what="filling", body=orjson.dumps(runs))
    assert created.status == 204
    with pytest.raises(StopError, match="actuals is refused"):
        await refuse_dual_write(dataverse, maps["actuals"], maps)
    await refuse_dual_write(dataverse, maps["projects"], maps)
