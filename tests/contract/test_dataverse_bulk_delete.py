"""`BulkDelete` and the system job that does it (protocol 1.5)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.contract.polling import until

QUERY = "Microsoft.Dynamics.CRM.QueryExpression"


def submit(client: httpx.Client, *queries: dict[str, Any], **parameters: Any) -> httpx.Response:
    body = {
        "JobName": "sweep",
        "QuerySet": [{"@odata.type": QUERY, **query} for query in queries],
        "StartDateTime": "2020-01-01T00:00:00Z",
        "RecurrencePattern": "",
        "SendEmailNotification": False,
        "ToRecipients": [],
        "CCRecipients": [],
    }
    return client.post("BulkDelete", json=body | parameters)


def condition(name: str, operator: str, *values: object, kind: str = "System.String") -> dict[str, Any]:
    given = [{"Value": value, "Type": kind} for value in values]
    return {"AttributeName": name, "Operator": operator, "Values": given}


def accounts(*conditions: dict[str, Any], joint: str = "And", **more: Any) -> dict[str, Any]:
    return {
        "EntityName": "account",
        "Criteria": {"FilterOperator": joint, "Conditions": list(conditions), **more},
    }


def finished(client: httpx.Client, answer: httpx.Response) -> dict[str, Any]:
    """Wait as clients do: poll the job until its state is completed."""
    assert answer.status_code == 200, answer.text
    place = f"asyncoperations({answer.json()['JobId']})"
    job: dict[str, Any] = until(lambda: (row := client.get(place).json())["statecode"] == 3 and row)
    return job


def names(client: httpx.Client) -> list[str]:
    return sorted(row["name"] for row in client.get("accounts?$select=name").json()["value"])


def fill(client: httpx.Client, *rows: dict[str, Any]) -> list[str]:
    kind = {"@odata.type": "Microsoft.Dynamics.CRM.account"}
    body = {"Targets": [kind | row for row in rows]}
    ids: list[str] = client.post("accounts/Microsoft.Dynamics.CRM.CreateMultiple", json=body).json()["Ids"]
    return ids


@pytest.mark.protocol("bulk: BulkDelete", "D")
def test_rows_that_are_named_by_id(dataverse: httpx.Client) -> None:
    ids = fill(dataverse, *({"name": f"n{number:03}"} for number in range(250)))
    start = dataverse.get("accounts?$select=name", headers={"Prefer": "odata.track-changes"}).json()
    answer = submit(dataverse, accounts(condition("accountid", "In", *ids[:220], kind="System.Guid")))
    assert answer.json()["@odata.context"].endswith("#Microsoft.Dynamics.CRM.BulkDeleteResponse")
    job = finished(dataverse, answer)
    assert (job["name"], job["operationtype"], job["statuscode"]) == ("sweep", 13, 30)
    assert job["startedon"] <= job["completedon"]
    assert names(dataverse) == [f"n{number}" for number in range(220, 250)]
    [operation] = dataverse.get(
        f"bulkdeleteoperations?$filter=_asyncoperationid_value eq {job['asyncoperationid']}"
    ).json()["value"]
    counts = {name: operation[name] for name in ("successcount", "failurecount", "statecode", "statuscode")}
    assert counts == {"successcount": 220, "failurecount": 0, "statecode": 3, "statuscode": 30}
    delta = dataverse.get(start["@odata.deltaLink"]).json()["value"]
    assert sorted(row["id"] for row in delta) == sorted(ids[:220])


def number(name: str, operator: str, *values: object) -> dict[str, Any]:
    return condition(name, operator, *values, kind="System.Decimal")


AND_C = accounts(condition("name", "Contains", "c"))["Criteria"]
LEFT_BY = [
    (accounts(condition("name", "Equal", "A")), "b C d"),
    (accounts(condition("name", "NotEqual", "A"), condition("name", "Like", "C%")), "a b d"),
    (accounts(condition("name", "BeginsWith", "b"), condition("name", "EndsWith", "d"), joint="Or"), "a C"),
    (accounts(number("creditlimit", "GreaterEqual", 2)), "a d"),
    (accounts(number("creditlimit", "Between", 1, 2)), "C d"),
    (accounts(condition("creditlimit", "Null")), "a b C"),
    (accounts(condition("name", "NotIn", "a", "b")), "a b"),
    (accounts(condition("name", "NotNull"), Filters=[AND_C]), "a b d"),
    (accounts(condition("name", "NotLike", "%c%"), condition("createdon", "Today")), "C"),
    ({"EntityName": "account", "TopCount": 3}, "d"),
    ({"EntityName": "account"}, ""),
]


@pytest.mark.protocol("bulk: BulkDelete", "D")
def test_conditions(dataverse: httpx.Client) -> None:
    limits = zip("abCd", (1, 2, 3, None), strict=True)
    rows = [
        {"name": name, "creditlimit": limit, "accountid": f"00000000-0000-0000-0000-00000000000{place}"}
        for place, (name, limit) in enumerate(limits)
    ]
    for query, left in LEFT_BY:
        finished(dataverse, submit(dataverse, {"EntityName": "account"}))
        fill(dataverse, *rows)
        finished(dataverse, submit(dataverse, query))
        assert names(dataverse) == sorted(left.split()), query


@pytest.mark.protocol("bulk: BulkDelete", "D")
def test_refused_jobs(dataverse: httpx.Client) -> None:
    good = accounts(condition("name", "Equal", "x"))
    for answer, text in (
        (submit(dataverse), "QuerySet"),
        (submit(dataverse, good, JobName=""), "JobName"),
        (submit(dataverse, {"EntityName": "nonsense"}), "nonsense"),
        (submit(dataverse, accounts(condition("nonsense", "Equal", "x"))), "doesn't contain attribute"),
        (submit(dataverse, accounts(condition("name", "Nonsense", "x"))), "Nonsense"),
        (submit(dataverse, accounts(condition("name", "Equal"))), "one value"),
        (submit(dataverse, accounts(condition("creditlimit", "Equal", "x"))), ""),
        (submit(dataverse, good | {"LinkEntities": [{}]}), "LinkEntities"),
        (submit(dataverse, good, RecurrencePattern="FREQ=DAILY"), "recur"),
        (submit(dataverse, good, StartDateTime="soon"), "StartDateTime"),
        (submit(dataverse, good, StartDateTime="9999-12-31T23:59:59-23:00"), "StartDateTime"),
        (submit(dataverse, good, JobName="a\0b"), "JobName"),
        (submit(dataverse, good | {"TopCount": -1}), "TopCount"),
        (submit(dataverse, good | {"TopCount": True}), "TopCount"),
    ):
        assert answer.status_code == 400, answer.text
        assert text in answer.json()["error"]["message"]
    assert dataverse.get("BulkDelete").status_code == 405
    assert dataverse.get("asyncoperations/$count").text == "0"


@pytest.mark.protocol("bulk: BulkDelete", "D")
def test_a_job_waits_for_its_time(dataverse: httpx.Client, control: httpx.Client) -> None:
    fill(dataverse, {"name": "a"})
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    answer = submit(dataverse, {"EntityName": "account"}, StartDateTime=later)
    place = f"asyncoperations({answer.json()['JobId']})"
    waiting = dataverse.get(place).json()
    assert (waiting["statecode"], waiting["statuscode"]) == (1, 10)
    # Another job is done meanwhile: the one that waits has been looked at, and left.
    finished(dataverse, submit(dataverse, accounts(condition("name", "Equal", "none"))))
    assert names(dataverse) == ["a"]
    control.put("/sandbox/clock", json={"advance_seconds": 3700})
    finished(dataverse, answer)
    assert names(dataverse) == []


@pytest.mark.protocol("bulk: BulkDelete", "D")
def test_rows_that_cannot_be_deleted_leave_the_others(dataverse: httpx.Client, demo: None) -> None:
    """Confirmed contracts, actuals and the like are refused by rules: each is a failure, with its reason."""
    before = int(dataverse.get("msdyn_actuals/$count").text)
    assert before
    job = finished(dataverse, submit(dataverse, {"EntityName": "msdyn_actual"}))
    [operation] = dataverse.get(
        f"bulkdeleteoperations?$filter=_asyncoperationid_value eq {job['asyncoperationid']}"
    ).json()["value"]
    assert (operation["successcount"], operation["failurecount"]) == (0, before)
    failures = dataverse.get("bulkdeletefailures").json()["value"]
    assert len(failures) == before
    assert all(row["errordescription"] and row["errornumber"] < 0 for row in failures)
    assert int(dataverse.get("msdyn_actuals/$count").text) == before


def test_what_a_job_needs_is_written_by_the_system_alone(dataverse: httpx.Client) -> None:
    """A job that a client has made up is never done, and keeps no other from being done."""
    forged = {"name": "forged", "operationtype": 1, "data": "no JSON"}
    assert dataverse.post("asyncoperations", json=forged).status_code == 204
    finished(dataverse, submit(dataverse, {"EntityName": "account"}))
    rows = dataverse.get("asyncoperations?$filter=name eq 'forged'&$select=statecode").json()["value"]
    assert [row["statecode"] for row in rows] == [0]
