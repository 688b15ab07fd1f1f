"""Data events as Finance sends them to an HTTPS endpoint (protocol 2.3); endpoints by the control plane."""

from collections.abc import Iterator, Mapping

import httpx
import pytest

from tests.contract.data_packages import DataManagement, customers, package
from tests.contract.polling import until
from tests.contract.receiver import Received, Receiver, pairs, receiving

GROUP = "/data/CustomerGroups(dataAreaId='uspm',CustomerGroupId='G1')"
ALL = ["Create", "Update", "Delete"]
PLACE = "/sandbox/events/endpoints"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


@pytest.fixture(autouse=True)
def company(finance: httpx.Client) -> None:
    for code in ("USPM", "GBPM"):
        assert finance.post("/data/LegalEntities", json={"LegalEntityId": code}).status_code == 201


def activate(control: httpx.Client, receiver: Receiver, **told: object) -> None:
    endpoint = {"name": "ours", "url": f"{receiver.url}?code=secret", **told}
    answer = control.put(PLACE, json=[endpoint])
    assert answer.status_code == 200, answer.text


def create(finance: httpx.Client, group: str = "G1", company: str = "USPM", **values: object) -> None:
    body = {"dataAreaId": company, "CustomerGroupId": group, **values}
    assert finance.post("/data/CustomerGroups", json=body).status_code == 201


def parameter(event: Received, name: str) -> Mapping[str, object]:
    found: Mapping[str, object] = pairs(event.body["InputParameters"])[name]
    return found


@pytest.mark.protocol("events: data events", "L")
def test_create_update_and_delete_are_told_in_order(
    finance: httpx.Client, control: httpx.Client, receiver: Receiver
) -> None:
    activate(control, receiver, data_events={"CustomerGroups": ALL})
    create(finance, Description="one", IsSalesTaxIncludedInPrice="Yes")
    assert finance.patch(f"{GROUP}?cross-company=true", json={"Description": "two"}).status_code == 204
    assert finance.delete(f"{GROUP}?cross-company=true").status_code == 204
    created, changed, deleted = (receiver.next() for _ in range(3))
    names = [event.body["MessageName"] for event in (created, changed, deleted)]
    assert names == ["OnExternalCreated", "OnExternalUpdated", "OnExternalDeleted"]
    assert created.path == "/hook?code=secret"
    assert created.headers["x-ms-dynamics-entity-name"] == "mserp_custcustomergroupentity"
    assert created.body["PrimaryEntityName"] == "mserp_custcustomergroupentity"
    assert created.body["PrimaryEntityId"] == "00000000-0000-0000-0000-000000000000"
    assert created.body["OperationCreatedOn"].startswith("/Date(")
    assert created.attributes["mserp_dataareaid"].lower() == "uspm"
    assert created.attributes["mserp_issalestaxincludedinprice"]["Value"] == 200000001
    before = parameter(changed, "PreImage")
    assert (changed.attributes["mserp_description"], changed.target["Id"]) == ("two", created.target["Id"])
    assert pairs(before["Attributes"])["mserp_description"] == "one"  # type: ignore[arg-type]
    assert deleted.target["__type"].startswith("EntityReference")
    assert deleted.target["Id"] == created.target["Id"]
    assert until(lambda: [it for it in control.get(PLACE).json()["endpoints"] if it["waiting"] == 0])


@pytest.mark.protocol("events: data events", "D")
def test_an_import_tells_of_each_row_and_an_undone_changeset_of_none(
    finance: httpx.Client, control: httpx.Client, receiver: Receiver
) -> None:
    activate(control, receiver, data_events={"CustomersV3": ["Create"], "CustomerGroups": ["Create"]})
    twice = (
        "POST /data/CustomerGroups HTTP/1.1\r\nContent-Type: application/json\r\n\r\n"
        '{"dataAreaId": "USPM", "CustomerGroupId": "G9"}\r\n'
    )
    part = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: {0}\r\n\r\n{1}"
    changes = "".join(f"--c\r\n{part.format(number, twice)}" for number in (1, 2)) + "--c--\r\n"
    body = f"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n{changes}--b--\r\n"
    batch = finance.post(
        "/data/$batch", content=body, headers={"Content-Type": "multipart/mixed; boundary=b"}
    )
    assert "already exists" in batch.text
    management = DataManagement(finance)
    content = package(customers(("C1", "x"), ("C2", "y")))
    execution = management.act("ImportFromPackage", **management.parameters(content))
    assert management.wait(execution) == "Succeeded"
    told = [receiver.next().attributes["mserp_customeraccount"] for _ in range(2)]
    assert told == ["C1", "C2"]
    assert until(lambda: [it for it in control.get(PLACE).json()["endpoints"] if it["waiting"] == 0])
    assert receiver.is_empty()


@pytest.mark.protocol("events: endpoints", "D")
def test_one_legal_entity_is_told_alone(
    finance: httpx.Client, control: httpx.Client, receiver: Receiver
) -> None:
    activate(control, receiver, legal_entity="GBPM", data_events={"CustomerGroups": ["Create"]})
    create(finance, "G1", "USPM")
    create(finance, "G2", "GBPM")
    assert receiver.next().attributes["mserp_customergroupid"] == "G2"
    assert receiver.is_empty()


@pytest.mark.protocol("events: attempts", "D")
def test_an_event_that_was_not_taken_is_sent_again_before_the_next(
    finance: httpx.Client, control: httpx.Client, receiver: Receiver
) -> None:
    activate(control, receiver, data_events={"CustomerGroups": ["Create"]})
    receiver.statuses += [503]
    create(finance, "G1")
    create(finance, "G2")
    told = [receiver.next().attributes["mserp_customergroupid"] for _ in range(3)]
    assert told == ["G1", "G1", "G2"]
    assert control.get("/sandbox/events/errors").json() == {"errors": []}
    assert control.post("/sandbox/events/resend").json() == {"resent": 0}


@pytest.mark.protocol("events: endpoints", "?")
@pytest.mark.parametrize(
    ("endpoints", "reason"),
    [
        ([{"name": "a", "url": "ftp://x"}], "url"),
        ([{"name": "a", "url": "http://x", "data_events": {"Nothing": ALL}}], "Nothing"),
        ([{"name": "a", "url": "http://x", "data_events": {"CustomerGroups": ["Read"]}}], "Read"),
        ([{"name": "a", "url": "http://x", "business_events": ["Lunch"]}], "Lunch"),
        ([{"name": "a", "url": "http://x"}, {"name": "A", "url": "http://y"}], "name of its own"),
    ],
)
def test_endpoints_that_cannot_be_are_refused_in_a_sentence(
    control: httpx.Client, endpoints: list[object], reason: str
) -> None:
    answer = control.put(PLACE, json=endpoints)
    assert (answer.status_code, reason in answer.json()["error"]) == (400, True), answer.text
    assert control.get(PLACE).json() == {"endpoints": []}


@pytest.mark.protocol("events: endpoints", "?")
@pytest.mark.parametrize(("method", "place"), [("DELETE", PLACE), ("POST", "/sandbox/reset")])
def test_endpoints_go_by_delete_and_with_a_reset(
    control: httpx.Client, receiver: Receiver, method: str, place: str
) -> None:
    activate(control, receiver, data_events={"CustomerGroups": ALL})
    assert [it["name"] for it in control.get(PLACE).json()["endpoints"]] == ["ours"]
    assert control.request(method, place).is_success
    assert control.get(PLACE).json() == {"endpoints": []}
