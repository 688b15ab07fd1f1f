"""Microsoft's own SDK for Dataverse, PowerPlatform-Dataverse-Client, over https, with azure-identity."""

import time
from collections.abc import Iterator
from typing import Self

import pandas as pd
import pytest
from azure.core.credentials import AccessToken
from azure.identity import ClientSecretCredential
from PowerPlatform.Dataverse.aio.async_client import AsyncDataverseClient
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError
from PowerPlatform.Dataverse.models.filters import col
from PowerPlatform.Dataverse.models.upsert import UpsertItem

from tests.clients.conftest import TOKEN
from tests.contract.polling import until
from tests.contract.process import Sandbox

AWKWARD = "O'Brien & Söner 100% 東京"


@pytest.fixture
def client(sandbox: Sandbox, credential: ClientSecretCredential) -> Iterator[DataverseClient]:
    with DataverseClient(sandbox.dataverse_tls, credential) as client:
        yield client


def test_one_record_from_its_creation_to_its_end(client: DataverseClient) -> None:
    record = client.records.create("account", {"name": AWKWARD, "accountnumber": "MS-1"})
    client.records.update("account", record, {"description": "changed"})
    read = client.records.retrieve("account", record, select=["name", "description"], include_annotations="*")
    assert read is not None
    assert (read["name"], read["description"]) == (AWKWARD, "changed")
    client.records.delete("account", record)
    assert client.records.retrieve("account", record) is None


def test_many_records_in_bulk(client: DataverseClient) -> None:
    records = client.records.create("account", [{"name": f"MS bulk {n}"} for n in range(5)])
    assert len(set(records)) == 5
    client.records.update("account", records, {"description": "all alike"})
    client.records.update("account", records, [{"accountnumber": f"MSB-{n}"} for n in range(5)])
    rows = client.records.list(
        "account",
        select=["name", "accountnumber", "description"],
        filter="startswith(name,'MS bulk')",
        orderby=["name desc"],
        count=True,
    )
    assert [row["accountnumber"] for row in rows] == [f"MSB-{n}" for n in (4, 3, 2, 1, 0)]
    assert {row["description"] for row in rows} == {"all alike"}
    client.records.delete("account", records, use_bulk_delete=False)
    assert not list(client.records.list("account", filter="startswith(name,'MS bulk')"))


def test_bulk_delete_job(client: DataverseClient) -> None:
    records = client.records.create("account", [{"name": f"MS doomed {n}"} for n in range(3)])
    job = client.records.delete("account", records)
    assert job

    def completed() -> bool:
        operation = client.records.retrieve("asyncoperation", job, select=["statecode"])
        return operation is not None and operation["statecode"] == 3

    until(completed)
    assert not list(client.records.list("account", filter="startswith(name,'MS doomed')"))


def test_upsert_by_alternate_key(client: DataverseClient) -> None:
    def item(category: str, name: str) -> UpsertItem:
        return UpsertItem({"msdyn_categorynumber": category}, {"msdyn_name": name})

    table, key = "bookableresourcecategory", "msdyn_resourcecategorynumber"
    one = UpsertItem(alternate_key={key: "MS'1"}, record={"name": "One"})
    many = [UpsertItem(alternate_key={key: f"MS'{n}"}, record={"name": f"No. {n}"}) for n in (1, 2, 3)]
    client.records.upsert(table, [one])
    client.records.upsert(table, many)
    rows = client.records.list(table, select=["name", key], filter=f"startswith({key},'MS')", orderby=[key])
    assert [(row[key], row["name"]) for row in rows] == [(f"MS'{n}", f"No. {n}") for n in (1, 2, 3)]


def test_lists_by_pages(client: DataverseClient) -> None:
    pages = [len(list(page)) for page in client.records.list_pages("account", select=["name"], page_size=7)]
    assert len(pages) > 3
    assert set(pages[:-1]) == {7}
    everything = client.dataframe.get("account", select=["name"])
    assert len(everything) == sum(pages)


def test_builder_with_expand(client: DataverseClient) -> None:
    tasks = list(
        client.records.list("msdyn_projecttask", select=["msdyn_subject"], expand=["msdyn_project"], top=2)
    )
    assert len(tasks) == 2
    assert all(task["msdyn_project"]["msdyn_projectid"] for task in tasks)
    query = client.query.builder("account").select("name").where(col("name").contains("Adventure"))
    names = [row["name"] for row in query.order_by("name").top(2).execute()]
    assert len(names) == 2
    assert names == sorted(names)


def test_data_frames(client: DataverseClient) -> None:
    frame = pd.DataFrame([{"name": "MS frame 1"}, {"name": "MS frame 2"}])
    frame["accountid"] = client.dataframe.create("account", frame)
    frame["description"] = ["first", None]
    client.dataframe.update("account", frame, id_column="accountid")
    read = client.dataframe.get("account", select=["description"], filter="startswith(name,'MS frame')")
    assert set(read["description"].dropna()) == {"first"}
    client.dataframe.delete("account", frame["accountid"], use_bulk_delete=False)


def test_sql(client: DataverseClient) -> None:
    rows = client.query.sql(
        "SELECT TOP 3 name, accountnumber FROM account WHERE name LIKE 'Adventure%' ORDER BY name"
    )
    assert len(rows) == 3
    assert all(row["name"].startswith("Adventure") for row in rows)


def test_fetchxml_by_pages(client: DataverseClient) -> None:
    rows = client.query.fetchxml(
        "<fetch count='7'><entity name='account'><attribute name='name'/><order attribute='name'/>"
        "<link-entity name='cdm_company' from='cdm_companyid' to='msdyn_company' alias='of'>"
        "<attribute name='cdm_companycode'/></link-entity></entity></fetch>"
    ).execute()
    names = [row["name"] for row in rows]
    assert len(names) > 7
    assert names == sorted(names, key=str.lower)
    assert {len(row["of.cdm_companycode"]) for row in rows} == {4}


def test_metadata(client: DataverseClient) -> None:
    table = client.tables.get("account")
    assert table is not None
    assert (table.entity_set_name, table.primary_id_attribute) == ("accounts", "accountid")
    assert {"account", "msdyn_project"} <= {entry["LogicalName"] for entry in client.tables.list()}
    columns = client.tables.list_columns(
        "account", select=["LogicalName"], filter="AttributeType eq 'Picklist'"
    )
    assert "accountcategorycode" in {column["LogicalName"] for column in columns}
    keys = client.tables.get_alternate_keys("msdyn_project")
    assert ["msdyn_projectnumber", "msdyn_owningcompany"] in [key.key_attributes for key in keys]
    assert client.query.odata_expand("msdyn_projecttask", "msdyn_project") == "msdyn_project"
    assert client.tables.list_table_relationships("account")


def test_batch_with_a_change_set(client: DataverseClient) -> None:
    batch = client.batch.new()
    batch.records.create("account", {"name": "MS batch parent"})
    batch.records.list("account", select=["name"], top=2)
    with batch.changeset() as changes:
        parent = changes.records.create("account", {"name": "MS batch parent 2"})
        changes.records.create("account", {"name": "MS batch child", "parentaccountid@odata.bind": parent})
        changes.records.update("account", parent, {"description": "has a child"})
    batch.records.retrieve("account", "00000000-0000-0000-0000-000000000009")
    batch.records.create("account", [{"name": "MS batch bulk"}])
    answers = batch.execute(continue_on_error=True).responses
    assert [answer.status_code for answer in answers] == [204, 200, 204, 204, 204, 404, 200]
    rows = client.records.list(
        "account", select=["_parentaccountid_value"], filter="parentaccountid/name eq 'MS batch parent 2'"
    )
    assert len(list(rows)) == 1


def test_refusal_is_an_error_of_the_sdk(client: DataverseClient) -> None:
    with pytest.raises(HttpError) as refused:
        client.records.create("account", {"no_such_column": 1})
    assert refused.value.status_code == 400
    assert "no_such_column" in str(refused.value)


class _FixedToken:
    """A credential as the SDK wants it: whom to trust aiohttp asks before these tests can say."""

    async def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        return AccessToken(TOKEN, expires_on=int(time.time()) + 3600)

    async def close(self) -> None:
        """Nothing is open."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()


async def test_asynchronous_client(sandbox: Sandbox) -> None:
    async with AsyncDataverseClient(sandbox.dataverse, _FixedToken()) as client:
        record = await client.records.create("account", {"name": "MS async"})
        await client.records.create("account", [{"name": "MS async too"}, {"name": "MS async 3"}])
        read = await client.records.retrieve("account", record, select=["name"])
        assert read is not None
        assert read["name"] == "MS async"
        rows = await client.records.list("account", select=["name"], filter="startswith(name,'MS async')")
        assert len(list(rows)) == 3
