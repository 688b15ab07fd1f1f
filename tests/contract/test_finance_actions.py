"""Actions of Finance over HTTP: bound to a set, and bound to a row (protocol 2.1)."""

import httpx
import pytest

from tests.contract.test_finance_batch import changeset, operation, send, statuses

NS = "Microsoft.Dynamics.DataEntities"
GROUPS = "/data/DataManagementDefinitionGroups"
ORDER = "/data/PurchaseOrderHeadersV2(dataAreaId='uspm',PurchaseOrderNumber='PO-1')"


@pytest.fixture
def order(finance: httpx.Client) -> None:
    for entity_set, body in (
        ("LegalEntities", {"LegalEntityId": "USPM"}),
        ("PurchaseOrderHeadersV2", {"dataAreaId": "USPM", "PurchaseOrderNumber": "PO-1"}),
    ):
        assert finance.post(f"/data/{entity_set}", json=body).status_code == 201


def reason(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    return str(answer.json()["error"]["innererror"]["message"])


@pytest.mark.protocol("finance: action", "L")
@pytest.mark.usefixtures("order")
def test_set_bound_actions_return_a_scalar_with_its_type(finance: httpx.Client) -> None:
    """[L]: `{"@odata.context": "…$metadata#Edm.String", "value": "…"}`."""
    assert finance.post(GROUPS, json={"Name": "G", "OperationType": "Export"}).status_code == 201
    asked = {"definitionGroupId": "G", "packageName": "p", "executionId": "E", "legalEntityId": "USPM"}
    answer = finance.post(f"{GROUPS}/{NS}.ExportToPackage", json=asked | {"reExecute": False})
    assert answer.status_code == 200, answer.text
    assert answer.json()["@odata.context"].endswith("/data/$metadata#Edm.String")
    assert answer.json()["value"] == "E"


@pytest.mark.protocol("finance: action", "?")
def test_what_is_no_action(finance: httpx.Client) -> None:
    name = f"{NS}.GetExecutionSummaryStatus"
    for address in (
        f"{GROUPS}/{NS}.Nope",
        f"{GROUPS}/GetExecutionSummaryStatus",
        f"/data/CustomersV3/{name}",
        f"/data/{name}",
        f"{GROUPS}/{name}/x",
    ):
        answer = finance.post(address, json={})
        assert (answer.status_code, list(answer.json())) == (404, ["Message"]), address
    for verb in ("GET", "PATCH", "DELETE"):
        assert finance.request(verb, f"{GROUPS}/{name}").status_code == 405
    unknown = finance.post(f"{GROUPS}/{name}", json={"executionID": "E"})
    assert "'executionID' in the request payload is not a valid parameter" in reason(unknown, 400)
    for body in (b"[]", b"1", b"{"):
        assert finance.post(f"{GROUPS}/{name}", content=body).status_code == 400


@pytest.mark.protocol("finance: action", "D?")
@pytest.mark.usefixtures("order")
def test_row_bound_actions(finance: httpx.Client) -> None:
    """Name and effect of `confirm` are ours [?]; that a refusal is 500 is documented for another one [D]."""
    confirm = f"{ORDER}/{NS}.confirm"
    done = finance.post(confirm)
    assert (done.status_code, done.content) == (204, b"")
    assert finance.get(ORDER).json()["DocumentApprovalStatus"] == "Confirmed"
    again = finance.post(confirm, json={})
    message = "Exception occurred while executing action confirm on Entity PurchaseOrderHeaderV2: "
    assert reason(again, 500).startswith(message)
    assert again.json()["error"]["innererror"]["type"] == "System.InvalidOperationException"
    assert "'nope' in the request payload" in reason(finance.post(confirm, json={"nope": 1}), 400)
    assert finance.get(confirm).status_code == 404
    assert finance.patch(confirm, json={}).status_code == 405
    assert finance.post(confirm.replace("PO-1", "PO-2")).status_code == 404
    assert finance.post(f"/data/PurchaseOrderHeadersV2/{NS}.confirm").status_code == 404


@pytest.mark.protocol("finance: action", "?")
@pytest.mark.usefixtures("order")
def test_a_changeset_may_hold_actions_of_rows(finance: httpx.Client) -> None:
    """A failed one takes the changeset with it."""
    address = f"{ORDER}/{NS}.confirm"
    named = operation("PATCH", ORDER, {"PurchaseOrderName": "x"})
    twice = send(finance, changeset(named, operation("POST", address, {}), operation("POST", address, {})))
    assert statuses(twice) == [500]
    assert finance.get(ORDER).json()["PurchaseOrderName"] == ""
    once = send(finance, changeset(named, operation("POST", address, {})))
    assert statuses(once) == [204, 204]
    assert finance.get(ORDER).json()["DocumentApprovalStatus"] == "Confirmed"
