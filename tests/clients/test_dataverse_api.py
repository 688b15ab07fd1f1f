"""dataverse-api: entities by their metadata, rows one by one, in bulk messages and in batches."""

import pytest
import requests
from dataverse_api import DataverseClient
from dataverse_api.entity import DataverseEntity
from dataverse_api.utils.batching import BatchCommand, RequestMethod

from tests.contract.process import Sandbox


@pytest.fixture
def client(sandbox: Sandbox, session: requests.Session) -> DataverseClient:
    return DataverseClient(session, sandbox.dataverse)


@pytest.fixture
def accounts(client: DataverseClient) -> DataverseEntity:
    return client.entity("account")


def test_what_an_entity_knows_of_itself(client: DataverseClient) -> None:
    project = client.entity("msdyn_project")
    assert (project.entity_set_name, project.primary_id_attr) == ("msdyn_projects", "msdyn_projectid")
    assert ["msdyn_projectnumber", "msdyn_owningcompany"] in list(project.alternate_keys.values())
    assert project.supports_create_multiple
    assert project.supports_update_multiple
    assert project.relationships.collection_valued


def test_definitions(client: DataverseClient) -> None:
    assert client.get_language_codes() == [1033]
    definition = client.get_entity_definition("account")
    assert definition.schema_name.lower() == "account"


@pytest.mark.parametrize("mode", ["individual", "multiple", "batch"])
def test_rows_in_every_mode(accounts: DataverseEntity, mode: str) -> None:
    rows = [{"name": f"DA {mode} {n}", "description": "to go"} for n in range(4)]
    assert all(answer.ok for answer in accounts.create(rows, mode=mode))
    many = "individual" if mode == "individual" else "batch"
    found = accounts.read(select=["accountid", "name"], filter=f"startswith(name,'DA {mode}')", page_size=3)
    assert sorted(row["name"] for row in found) == [row["name"] for row in rows]
    ids = [row["accountid"] for row in found]
    changed = [{"accountid": account, "name": f"DA {mode} again"} for account in ids]
    assert all(answer.ok for answer in accounts.upsert(changed, mode=many))
    assert all(answer.ok for answer in accounts.delete_columns(["description"], ids=ids, mode=many))
    read = accounts.read(select=["name", "description"], filter=f"name eq 'DA {mode} again'")
    assert [row["description"] for row in read] == [None] * 4
    assert all(answer.ok for answer in accounts.delete(ids=ids, mode=many))
    assert not accounts.read(select=["name"], filter=f"startswith(name,'DA {mode}')")


def test_batch_of_commands(client: DataverseClient) -> None:
    commands = [
        BatchCommand(url="accounts?$top=1&$select=name", method=RequestMethod.GET),
        BatchCommand(url="accounts", method=RequestMethod.POST, data={"name": "DA command"}),
    ]
    (answer,) = client.submit_batch(commands)
    assert answer.status_code == 200
    assert "HTTP/1.1 204 No Content" in answer.text
