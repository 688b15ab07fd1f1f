"""dynamics365crm-python: an older client, that asks `v9.0` and sends no header of OData."""

import pytest
from dynamics365crm.client import Client

from tests.clients.conftest import TOKEN
from tests.contract.process import Sandbox


@pytest.fixture
def client(sandbox: Sandbox) -> Client:
    return Client(sandbox.dataverse, access_token=TOKEN)


def test_one_row_from_its_creation_to_its_end(client: Client) -> None:
    account = client.create_account(name="CRM & Söner")
    assert client.update_account(account, description="changed") == account
    (row,) = client.get_accounts(filter="name eq 'CRM & Söner'", select="name,description")["value"]
    assert (row["accountid"], row["description"]) == (account, "changed")
    client.delete_account(account)
    assert client.get_accounts(filter="name eq 'CRM & Söner'")["value"] == []


def test_query(client: Client) -> None:
    rows = client.get_data(
        "msdyn_projecttasks", select="msdyn_subject", orderby="msdyn_subject desc", top="3"
    )["value"]
    subjects = [row["msdyn_subject"] for row in rows]
    assert len(subjects) == 3
    assert subjects == sorted(subjects, key=str.casefold, reverse=True)


def test_refusal(client: Client) -> None:
    with pytest.raises(Exception, match="no_such_column"):
        client.create_account(no_such_column=1)
