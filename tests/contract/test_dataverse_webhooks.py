"""Webhooks as Dataverse registers and sends them (protocol 1.7)."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx
import pytest

from tests.contract.polling import until
from tests.contract.receiver import Receiver, pairs, receiving

BULK = "Microsoft.Dynamics.CRM."
NOBODY = "00000000-0000-0000-0000-00000000beef"
HEADER_SECRET = '<settings><setting name="x-key" value="a &amp; b"/></settings>'


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


def place_of(answer: httpx.Response) -> str:
    assert answer.status_code == 204, answer.text
    place: str = answer.headers["OData-EntityId"]
    return place


def id_in(place: str) -> str:
    return place[-37:-1]


def endpoint(dataverse: httpx.Client, receiver: Receiver, auth: int = 4, secret: str = "s3cret") -> str:
    body = {"name": "hook", "url": receiver.url, "contract": 8, "authtype": auth, "authvalue": secret}
    return place_of(dataverse.post("serviceendpoints", json=body))


def register(dataverse: httpx.Client, hook: str, message: str, table: str = "account", **columns: Any) -> str:
    """Register an asynchronous step after the write, as the registration tool does; its address."""
    names = f"sdkmessageid/name eq '{message}' and primaryobjecttypecode eq '{table}'"
    [found] = dataverse.get(f"sdkmessagefilters?$filter={names}").json()["value"]
    body = {
        "name": f"{message} of {table}",
        "mode": 1,
        "stage": 40,
        "eventhandler_serviceendpoint@odata.bind": hook,
        "sdkmessageid@odata.bind": f"sdkmessages({found['_sdkmessageid_value']})",
        "sdkmessagefilterid@odata.bind": f"sdkmessagefilters({found['sdkmessagefilterid']})",
    }
    return place_of(dataverse.post("sdkmessageprocessingsteps", json=body | columns))


def image(dataverse: httpx.Client, step: str, alias: str, kind: int, attributes: str | None) -> None:
    body = {
        "name": alias,
        "entityalias": alias,
        "imagetype": kind,
        "attributes": attributes,
        "messagepropertyname": "Target",
        "sdkmessageprocessingstepid@odata.bind": step,
    }
    place_of(dataverse.post("sdkmessageprocessingstepimages", json=body))


def jobs(dataverse: httpx.Client, step: str) -> list[dict[str, Any]]:
    query = f"asyncoperations?$filter=_owningextensionid_value eq {id_in(step)}&$orderby=createdon"
    rows: list[dict[str, Any]] = dataverse.get(query).json()["value"]
    return rows


def completed(dataverse: httpx.Client, step: str) -> list[dict[str, Any]]:
    return [row for row in jobs(dataverse, step) if row["statecode"] == 3]


@pytest.mark.protocol("flags: webhook", "D")
def test_create_update_and_delete_are_told_in_order(dataverse: httpx.Client, receiver: Receiver) -> None:
    hook = endpoint(dataverse, receiver)
    steps = {message: register(dataverse, hook, message) for message in ("Create", "Update", "Delete")}
    image(dataverse, steps["Update"], "before", 0, "name,creditlimit")
    image(dataverse, steps["Delete"], "gone", 0, None)
    place = place_of(
        dataverse.post("accounts", json={"name": "A", "creditlimit": 12.5, "creditonhold": True})
    )
    created = receiver.next()
    who = dataverse.get("WhoAmI").json()
    assert created.path == "/hook?code=s3cret"
    assert created.headers["content-type"].startswith("application/json")
    named = {name: created.headers[f"x-ms-dynamics-{name}"] for name in ("entity-name", "request-name")}
    assert named == {"entity-name": "account", "request-name": "Create"}
    assert created.headers["x-ms-dynamics-organization"] == dataverse.base_url.netloc.decode()
    assert created.headers["x-ms-correlation-request-id"] == created.body["CorrelationId"]
    body = created.body
    told = {name: body[name] for name in ("MessageName", "PrimaryEntityName", "PrimaryEntityId", "Depth")}
    assert told == {
        "MessageName": "Create",
        "PrimaryEntityName": "account",
        "PrimaryEntityId": id_in(place),
        "Depth": 1,
    }
    assert (body["Mode"], body["Stage"], body["IsInTransaction"]) == (1, 40, False)
    assert (body["UserId"], body["OrganizationId"]) == (who["UserId"], who["OrganizationId"])
    assert body["OwningExtension"]["Id"] == id_in(steps["Create"])
    assert body["OutputParameters"] == [{"key": "id", "value": id_in(place)}]
    assert pairs(body["PostEntityImages"])["AsynchronousStepPrimaryName"]["Attributes"][0]["value"] == "A"
    assert created.attributes["name"] == "A"
    assert created.attributes["creditlimit"]["Value"] == 12.5
    assert created.attributes["statecode"]["Value"] == 0
    assert created.attributes["ownerid"]["LogicalName"] == "systemuser"
    assert b'"\\/Date(' in created.raw and created.attributes["createdon"].startswith("/Date(")

    dataverse.patch(place, json={"name": "B"})
    updated = receiver.next()
    assert updated.body["MessageName"] == "Update"
    changed = {"name", "accountid", "modifiedon", "modifiedby"}
    assert set(updated.attributes) == changed and updated.attributes["name"] == "B"
    before = pairs(pairs(updated.body["PreEntityImages"])["before"]["Attributes"])
    assert (before["name"], before["creditlimit"]["Value"]) == ("A", 12.5)
    assert set(before) == {"name", "creditlimit", "accountid"}
    parent = updated.body["ParentContext"]
    assert (parent["Stage"], set(pairs(parent["InputParameters"][0]["value"]["Attributes"]))) == (
        30,
        {"name", "accountid"},
    )

    dataverse.delete(place)
    deleted = receiver.next()
    assert deleted.body["MessageName"] == "Delete"
    assert (deleted.target["Id"], deleted.target["LogicalName"]) == (id_in(place), "account")
    assert deleted.target["__type"].startswith("EntityReference:")
    assert pairs(pairs(deleted.body["PreEntityImages"])["gone"]["Attributes"])["name"] == "B"
    for message, step in steps.items():
        [job] = until(partial(completed, dataverse, step))
        assert (job["statuscode"], job["operationtype"], job["messagename"]) == (30, 1, message)
    assert receiver.is_empty()


@pytest.mark.protocol("flags: webhook", "D")
def test_what_a_step_is_registered_for(dataverse: httpx.Client, receiver: Receiver) -> None:
    """Filtering attributes, disabled steps, other tables; a deleted step is not called any more."""
    hook = endpoint(dataverse, receiver, 6, HEADER_SECRET)
    step = register(dataverse, hook, "Update", filteringattributes="creditlimit,description")
    other = register(dataverse, hook, "Update", statecode=1)
    place = place_of(dataverse.post("accounts", json={"name": "A"}))
    dataverse.patch(place, json={"name": "B"})
    dataverse.patch(place, json={"description": "x"})
    first = receiver.next()
    assert first.path == "/hook?x-key=a%20%26%20b"
    assert first.attributes["description"] == "x"
    dataverse.delete(step)
    dataverse.patch(place, json={"description": "y"})
    dataverse.patch(other, json={"statecode": 0})
    dataverse.patch(place, json={"description": "z"})
    assert receiver.next().attributes["description"] == "z"
    assert receiver.is_empty()


@pytest.mark.protocol("flags: webhook", "D")
def test_rows_of_bulk_messages_are_told_one_by_one(dataverse: httpx.Client, receiver: Receiver) -> None:
    hook = endpoint(dataverse, receiver, 5, HEADER_SECRET)
    register(dataverse, hook, "Create", "uom", asyncautodelete=True)
    register(dataverse, hook, "Update", "uom", asyncautodelete=True)
    kind = {"@odata.type": "Microsoft.Dynamics.CRM.uom"}
    rows = [kind | {"name": str(number), "msdyn_symbol": str(number)} for number in range(5)]
    ids = dataverse.post(f"uoms/{BULK}CreateMultiple", json={"Targets": rows}).json()["Ids"]
    told = [receiver.next() for _ in rows]
    assert [(each.body["PrimaryEntityId"], each.attributes["name"]) for each in told] == list(
        zip(ids, "01234", strict=True)
    )
    assert told[0].headers["x-key"] == "a & b"
    upserts = [kind | {"@odata.id": f"uoms(msdyn_symbol='{symbol}')", "name": "new"} for symbol in "04x"]
    assert dataverse.post(f"uoms/{BULK}UpsertMultiple", json={"Targets": upserts}).status_code == 204
    kinds = sorted(receiver.next().body["MessageName"] for _ in upserts)
    assert kinds == ["Create", "Update", "Update"]
    # With asyncautodelete nothing is left of jobs that have succeeded.
    until(lambda: dataverse.get("asyncoperations/$count").text == "0")


@pytest.mark.protocol("flags: tag", "D")
def test_the_tag_is_a_shared_variable_and_nothing_else(dataverse: httpx.Client, receiver: Receiver) -> None:
    register(dataverse, endpoint(dataverse, receiver), "Create")
    start = dataverse.get("accounts?$select=name", headers={"Prefer": "odata.track-changes"}).json()
    place_of(dataverse.post("accounts?tag=our%20own", json={"name": "ours"}))
    batch = (
        "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        "POST accounts?tag=batch HTTP/1.1\r\nContent-Type: application/json\r\n\r\n"
        '{"name": "b"}\r\n--b--\r\n'
    )
    dataverse.post("$batch", content=batch, headers={"Content-Type": "multipart/mixed; boundary=b"})
    place_of(dataverse.post("accounts", json={"name": "theirs"}))
    tags = [receiver.next().body["SharedVariables"] for _ in range(3)]
    assert tags == [[{"key": "tag", "value": "our own"}], [{"key": "tag", "value": "batch"}], []]
    delta = dataverse.get(start["@odata.deltaLink"])
    assert len(delta.json()["value"]) == 3 and "our own" not in delta.text


@pytest.mark.protocol("flags: webhook size", "D")
def test_a_large_message_loses_its_heavy_parts(dataverse: httpx.Client, receiver: Receiver) -> None:
    step = register(dataverse, endpoint(dataverse, receiver), "Create")
    image(dataverse, step, "all", 1, None)
    place_of(dataverse.post("accounts", json={"name": "A", "description": "x" * 2000}))
    small = receiver.next()
    assert "x-ms-dynamics-msg-size-exceeded" not in small.headers
    assert "all" in pairs(small.body["PostEntityImages"])
    for number in range(90):
        image(dataverse, step, f"copy {number}", 1, None)
    place_of(dataverse.post("accounts", json={"name": "A", "description": "x" * 2000}))
    large = receiver.next()
    assert large.headers["x-ms-dynamics-msg-size-exceeded"]
    heavy = {"InputParameters", "ParentContext", "PreEntityImages", "PostEntityImages"}
    assert heavy.isdisjoint(large.body)
    assert large.body["PrimaryEntityName"] == "account" and len(large.raw) <= 256 * 1024


@pytest.mark.protocol("flags: webhook", "D")
def test_what_a_receiver_answers(dataverse: httpx.Client, receiver: Receiver) -> None:
    """One more attempt after 502, 503 and 504; any other failure is the job's, and the row stays."""
    step = register(dataverse, endpoint(dataverse, receiver), "Create")
    receiver.statuses += [503, 200, 502, 504, 500]
    for name in ("twice", "never", "refused"):
        place_of(dataverse.post("accounts", json={"name": name}))
    done = until(partial(completed, dataverse, step), count=3)
    ends = sorted((row["statuscode"], row["retrycount"]) for row in done)
    assert ends == [(30, 1), (31, 0), (31, 1)]
    failed = [row for row in done if row["statuscode"] == 31]
    assert all("status 50" in row["message"] and row["errorcode"] for row in failed)
    assert [receiver.next().attributes["name"] for _ in range(5)] == ["twice"] * 2 + ["never"] * 2 + [
        "refused"
    ]
    assert dataverse.get("accounts/$count").text == "3"


@pytest.mark.protocol("flags: webhook", "D")
def test_synchronous_steps_are_part_of_the_write(dataverse: httpx.Client, receiver: Receiver) -> None:
    hook = endpoint(dataverse, receiver)
    register(dataverse, hook, "Create", mode=0, stage=20)
    register(dataverse, hook, "Create", mode=0, stage=40)
    place_of(dataverse.post("accounts", json={"name": "kept"}))
    before, after = receiver.next(), receiver.next()
    assert [each.body["Stage"] for each in (before, after)] == [20, 40]
    assert after.body["IsInTransaction"] and after.body["Mode"] == 0
    assert "createdon" in after.attributes
    assert before.attributes["name"] == "kept" and "createdon" not in before.attributes
    receiver.statuses += [200, 400]
    lost = dataverse.post("accounts", json={"name": "lost"})
    assert (lost.status_code, lost.json()["error"]["code"]) == (400, "0x80040265")
    assert "webhook call failed" in lost.json()["error"]["message"]
    assert [row["name"] for row in dataverse.get("accounts").json()["value"]] == ["kept"]


@pytest.mark.protocol("flags: bypass", "D")
def test_steps_can_be_left_out(dataverse: httpx.Client, receiver: Receiver) -> None:
    hook = endpoint(dataverse, receiver)
    waiting = register(dataverse, hook, "Create", mode=0)
    register(dataverse, hook, "Create", mode=1)

    def told(**headers: str) -> list[int]:
        names = {name.replace("_", "."): value for name, value in headers.items()}
        place_of(dataverse.post("accounts", json={"name": "A"}, headers=names))
        place_of(dataverse.post("accounts", json={"name": "end"}))
        modes: list[int] = []
        while True:
            message = receiver.next()
            if message.attributes["name"] == "end" and message.body["Mode"] == 1:
                return modes
            if message.attributes["name"] == "A":
                modes.append(message.body["Mode"])

    assert sorted(told()) == [0, 1]
    assert told(MSCRM_BypassCustomPluginExecution="true") == [1]
    assert told(MSCRM_BypassBusinessLogicExecution="CustomSync") == [1]
    assert told(MSCRM_BypassBusinessLogicExecution="CustomAsync") == [0]
    assert told(MSCRM_BypassBusinessLogicExecution="CustomSync,CustomAsync") == []
    assert told(MSCRM_BypassBusinessLogicExecutionStepIds=id_in(waiting)) == [1]
    assert sorted(told(MSCRM_SuppressCallbackRegistrationExpanderJob="true", Consistency="Strong")) == [0, 1]
    for name, value in (
        ("MSCRM.BypassBusinessLogicExecution", "Everything"),
        ("MSCRM.BypassBusinessLogicExecutionStepIds", ",".join([NOBODY[:-1] + str(n) for n in range(4)])),
    ):
        assert dataverse.post("accounts", json={"name": "A"}, headers={name: value}).status_code == 400


@pytest.mark.protocol("flags: webhook", "D")
def test_registrations_that_do_not_hold(dataverse: httpx.Client, receiver: Receiver) -> None:
    body = {"name": "hook", "contract": 8, "authtype": 4}
    for url in (None, "", "ftp://somewhere"):
        assert dataverse.post("serviceendpoints", json=body | {"url": url}).status_code == 400
    step = register(dataverse, endpoint(dataverse, receiver), "Create")
    for wrong in ({"stage": 20}, {"stage": 30, "mode": 0}, {"stage": 50}):
        assert dataverse.patch(step, json=wrong).status_code == 400
    assert dataverse.patch(step, json={"stage": 20, "mode": 0}).status_code == 204


@pytest.mark.protocol("flags: webhook", "D")
def test_the_secret_of_an_endpoint_is_never_shown(dataverse: httpx.Client, receiver: Receiver) -> None:
    place = endpoint(dataverse, receiver)
    row = dataverse.get(place).json()
    assert "authvalue" not in row and row["isauthvalueset"]
    assert "s3cret" not in dataverse.get("serviceendpoints").text
    assert dataverse.get(f"{place}?$select=authvalue").status_code == 400
    assert dataverse.get("serviceendpoints?$filter=authvalue eq 's3cret'").status_code == 400


@pytest.mark.protocol("flags: webhook", "?")
def test_what_a_failed_changeset_wrote_is_not_told(dataverse: httpx.Client, receiver: Receiver) -> None:
    register(dataverse, endpoint(dataverse, receiver), "Create")
    kind = {"@odata.type": "Microsoft.Dynamics.CRM.account"}
    rows = [kind | {"name": "lost"}, kind | {"name": "x" * 200}]
    assert dataverse.post(f"accounts/{BULK}CreateMultiple", json={"Targets": rows}).status_code == 400
    place_of(dataverse.post("accounts", json={"name": "kept"}))
    assert receiver.next().attributes["name"] == "kept"
    assert dataverse.get("asyncoperations/$count").text == "1"
