"""Faults on demand, as clients of both systems meet them: each part of a rule over plain HTTP."""

import ssl
from collections.abc import Callable
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from sandbox.clock import parse_instant
from tests.contract.process import Sandbox

pytestmark = pytest.mark.parametrize("server", ["sqlite"], indirect=True)

JSON = "Content-Type: application/json"
CONTINUE = {"Prefer": "odata.continue-on-error"}
Rules = Callable[..., None]


@pytest.fixture
def rules(control: httpx.Client) -> Rules:
    """Put fault rules in place."""

    def put(*rules: dict[str, Any]) -> None:
        answer = control.put("/sandbox/faults", json=list(rules))
        assert answer.is_success, answer.text

    return put


@pytest.fixture
def faults(control: httpx.Client) -> Callable[[], dict[str, int]]:
    """Count the faults that were met, by kind."""
    return lambda: control.get("/sandbox/stats?writes=false").json()["faults"]


@pytest.fixture
def accounts(dataverse: httpx.Client) -> list[str]:
    """Five accounts, their names in the order of a list."""
    for number in range(5):
        assert dataverse.post("accounts", json={"name": f"Account {number}"}).is_success
    return names(dataverse.get("accounts?$select=name"))


def names(page: httpx.Response) -> list[str]:
    return [row["name"] for row in page.json()["value"]]


def post_batch(client: httpx.Client, url: str, *parts: str, **headers: str) -> httpx.Response:
    body = "".join(f"--b\r\n{part}\r\n" for part in parts) + "--b--\r\n"
    return client.post(
        url, content=body.encode(), headers={"Content-Type": "multipart/mixed; boundary=b"} | headers
    )


def create(entity: str, body: str) -> str:
    request = f"POST {entity} HTTP/1.1\r\n{JSON}\r\n\r\n{body}"
    return f"Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n{request}"


def changeset(name: str, *parts: str) -> str:
    inside = "".join(f"--{name}\r\n{part}\r\n" for part in parts)
    return f"Content-Type: multipart/mixed; boundary={name}\r\n\r\n{inside}--{name}--\r\n"


def statuses(answer: httpx.Response) -> list[int]:
    lines = answer.text.split("\r\n")
    return [int(line.split(" ")[1]) for line in lines if line.startswith("HTTP/1.1 ")]


def test_a_rule_that_cannot_be_leaves_the_others_in_force(control: httpx.Client, rules: Rules) -> None:
    rules({"status": 503, "count": 4})
    refused = control.put("/sandbox/faults", json=[{"status": 500}, {"entity": "accounts"}])
    assert refused.status_code == 400
    assert "Fault rule 2 does nothing: give one of" in refused.json()["error"]
    left = {"status": 503, "count": 4, "skip": 0, "met": 0}
    assert control.get("/sandbox/faults").json()["rules"] == [left]


def test_the_listing_shows_what_is_left(
    control: httpx.Client, dataverse: httpx.Client, rules: Rules, faults: Callable[[], dict[str, int]]
) -> None:
    rules({"entity": "accounts", "skip": 1, "count": 2, "status": 503, "code": "0x1", "message": "Later"})
    answers = [dataverse.get("accounts") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 503, 503, 200]
    assert answers[1].json() == {"error": {"code": "0x1", "message": "Later"}}
    [rule] = control.get("/sandbox/faults").json()["rules"]
    assert (rule["count"], rule["skip"], rule["met"]) == (0, 0, 2)
    assert faults() == {"503": 2}


def test_retry_after_as_a_date_is_by_the_clock_of_the_answer(dataverse: httpx.Client, rules: Rules) -> None:
    rules({"status": 429, "retry_after": 90, "retry_after_date": True})
    headers = dataverse.get("accounts").headers
    wait = parsedate_to_datetime(headers["Retry-After"]) - parsedate_to_datetime(headers["Date"])
    assert timedelta(seconds=89) <= wait <= timedelta(seconds=91)


def test_an_operation_inside_of_a_batch_fails_alone(
    dataverse: httpx.Client, rules: Rules, faults: Callable[[], dict[str, int]]
) -> None:
    fault = {"status": 429, "retry_after": 3, "code": "0x80072322", "message": "Slow down"}
    rules({"in_batch": True, "entity": "accounts", "verb": "POST", "skip": 1, "count": 1, **fault})
    parts = [create("accounts", f'{{"name": "{name}"}}') for name in "abc"]
    assert dataverse.post("accounts", json={"name": "outside"}).is_success
    answer = post_batch(dataverse, "$batch", *parts, **CONTINUE)
    assert (answer.status_code, statuses(answer)) == (200, [204, 429, 204])
    assert "Retry-After: 3\r\n" in answer.text
    assert '{"error":{"code":"0x80072322","message":"Slow down"}}' in answer.text
    assert sorted(names(dataverse.get("accounts"))) == ["a", "c", "outside"]
    assert faults() == {"in_batch_429": 1}


def test_an_operation_of_a_changeset_takes_the_changeset_with_it(
    dataverse: httpx.Client, rules: Rules
) -> None:
    rules({"in_batch": True, "skip": 1, "count": 1, "status": 503})
    pair = changeset("one", create("accounts", '{"name": "a"}'), create("accounts", '{"name": "b"}'))
    answer = post_batch(dataverse, "$batch", pair, create("accounts", '{"name": "c"}'), **CONTINUE)
    assert statuses(answer) == [503, 204]
    assert names(dataverse.get("accounts")) == ["c"]


def test_a_changeset_of_finance_meets_faults_alike(finance: httpx.Client, rules: Rules) -> None:
    row = '{{"CurrencyCode": "{0}", "Name": "{0}"}}'
    entity = "Currencies"
    rules({"system": "finance", "in_batch": True, "entity": entity, "count": 1, "status": 503})
    parts = [changeset(code, create(entity, row.format(code))) for code in ("AAA", "BBB")]
    answer = post_batch(finance, "/data/$batch", *parts)
    assert (answer.status_code, statuses(answer)) == (200, [503, 201])
    assert [found["CurrencyCode"] for found in finance.get(f"/data/{entity}").json()["value"]] == ["BBB"]


def test_a_connection_cut_during_the_answer(
    dataverse: httpx.Client, rules: Rules, accounts: list[str], faults: Callable[[], dict[str, int]]
) -> None:
    rules({"drop": "during", "count": 1})
    with (
        dataverse.stream("GET", "accounts") as answer,
        pytest.raises(httpx.RemoteProtocolError, match="incomplete|without sending complete"),
    ):
        assert answer.status_code == 200
        answer.read()
    assert names(dataverse.get("accounts?$select=name")) == accounts
    assert faults() == {"drop_during": 1}


def test_a_write_whose_answer_was_cut_took_effect(dataverse: httpx.Client, rules: Rules) -> None:
    rules({"drop": "during", "count": 1})
    with pytest.raises(httpx.RemoteProtocolError):
        dataverse.post("accounts", json={"name": "there"})
    assert names(dataverse.get("accounts")) == ["there"]


def test_a_connection_cut_during_the_answer_over_tls(sandbox: Sandbox, rules: Rules) -> None:
    rules({"drop": "during", "count": 1})
    headers = {"Authorization": "Bearer sandbox-token"}
    address = f"{sandbox.dataverse_tls}/api/data/v9.2/$metadata"
    with (
        httpx.Client(verify=ssl.create_default_context(cafile=sandbox.ca_file), headers=headers) as client,
        client.stream("GET", address) as answer,
        pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)),
    ):
        answer.read()


@pytest.mark.usefixtures("accounts")
@pytest.mark.parametrize(("share", "part"), [(True, 0.5), (0.9, 0.9)])
def test_a_truncated_answer_is_whole_as_http_and_broken_as_json(
    dataverse: httpx.Client, rules: Rules, share: object, part: float
) -> None:
    whole = dataverse.get("accounts").content
    rules({"truncate": share, "count": 1})
    cut = dataverse.get("accounts")
    assert cut.status_code == 200
    assert int(cut.headers["Content-Length"]) == len(cut.content) == int(len(whole) * part)
    assert whole.startswith(cut.content)


def test_a_page_comes_twice_and_then_the_next_one(
    dataverse: httpx.Client, rules: Rules, accounts: list[str], faults: Callable[[], dict[str, int]]
) -> None:
    rules({"repeat_page": True, "count": 1})
    page = dataverse.get("accounts?$select=name", headers={"Prefer": "odata.maxpagesize=3"})
    again = dataverse.get(page.json()["@odata.nextLink"])
    rest = dataverse.get(again.json()["@odata.nextLink"], headers={"Prefer": "odata.maxpagesize=3"})
    assert [names(each) for each in (page, again, rest)] == [accounts[:3], accounts[:3], accounts[3:]]
    assert faults() == {"repeat_page": 1}


def test_the_last_page_of_changes_comes_twice_before_its_delta_link(
    dataverse: httpx.Client, rules: Rules, accounts: list[str]
) -> None:
    rules({"repeat_page": True})
    first = dataverse.get("accounts?$select=name", headers={"Prefer": "odata.track-changes"})
    assert "@odata.deltaLink" not in first.json()
    second = dataverse.get(first.json()["@odata.nextLink"])
    assert names(first) == names(second) == accounts
    assert "@odata.nextLink" not in second.json()
    rules()
    assert dataverse.get(second.json()["@odata.deltaLink"]).json()["value"] == []


def test_an_expired_token_is_gone_for_good(
    sandbox: Sandbox, dataverse: httpx.Client, rules: Rules, faults: Callable[[], dict[str, int]]
) -> None:
    form = {"grant_type": "client_credentials", "client_id": "sandbox-client"}
    secret = {"client_secret": "sandbox-secret", "scope": f"{sandbox.dataverse}/.default"}
    issued = httpx.post(f"{sandbox.dataverse}/tenant/oauth2/v2.0/token", data=form | secret).json()
    mine = {"Authorization": f"Bearer {issued['access_token']}"}
    assert dataverse.get("WhoAmI", headers=mine).status_code == 200
    rules({"expire": "token", "count": 1})
    refused = dataverse.get("WhoAmI", headers=mine)
    assert (refused.status_code, "WWW-Authenticate" in refused.headers) == (401, True)
    assert dataverse.get("WhoAmI", headers=mine).status_code == 401
    assert dataverse.get("WhoAmI").status_code == 200
    assert faults() == {"expire_token": 1}


def test_an_expired_delta_token(dataverse: httpx.Client, rules: Rules, accounts: list[str]) -> None:
    rules({"expire": "delta", "count": 1})
    first = dataverse.get("accounts?$select=name", headers={"Prefer": "odata.track-changes"})
    assert names(first) == accounts
    expired = dataverse.get(first.json()["@odata.deltaLink"])
    assert (expired.status_code, expired.json()["error"]["code"]) == (400, "0x80044352")
    assert dataverse.get(first.json()["@odata.deltaLink"]).status_code == 200


def test_a_partial_batch_does_and_answers_its_first_parts(
    dataverse: httpx.Client, rules: Rules, faults: Callable[[], dict[str, int]]
) -> None:
    rules({"partial": 2, "count": 1})
    pair = changeset("b_inside", create("accounts", '{"name": "a"}'), create("accounts", '{"name": "b"}'))
    singles = [create("accounts", f'{{"name": "{name}"}}') for name in "cde"]
    answer = post_batch(dataverse, "$batch", pair, *singles)
    assert (answer.status_code, statuses(answer)) == (200, [204, 204, 204])
    boundary = answer.headers["Content-Type"].partition("boundary=")[2]
    assert f"--{boundary}\r\n" in answer.text
    assert f"--{boundary}--" not in answer.text
    assert sorted(names(dataverse.get("accounts"))) == ["a", "b", "c"]
    assert faults() == {"partial": 1}


def test_a_proxy_that_answers_itself(dataverse: httpx.Client, rules: Rules) -> None:
    rules({"garbage": True, "count": 1})
    answer = dataverse.post("accounts", json={"name": "a"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert answer.text.startswith("<!DOCTYPE html>")
    assert dataverse.get("accounts").json()["value"] == []


def test_a_skewed_clock_is_that_of_its_system_alone(
    dataverse: httpx.Client, finance: httpx.Client, rules: Rules
) -> None:
    rules({"system": "dataverse", "skew_seconds": -7200})
    whole = {"Prefer": "return=representation"}
    answer = dataverse.post("accounts", json={"name": "a"}, headers=whole)
    right = parsedate_to_datetime(finance.get("/data/Currencies").headers["Date"])
    assert_near(right - parsedate_to_datetime(answer.headers["Date"]), 7200)
    assert_near(right - parse_instant(answer.json()["createdon"]), 7200)


def test_a_skewed_clock_judges_tokens(sandbox: Sandbox, dataverse: httpx.Client, rules: Rules) -> None:
    form = {"grant_type": "client_credentials", "client_id": "sandbox-client"}
    secret = {"client_secret": "sandbox-secret", "scope": f"{sandbox.dataverse}/.default"}
    issued = httpx.post(f"{sandbox.dataverse}/tenant/oauth2/v2.0/token", data=form | secret).json()
    mine = {"Authorization": f"Bearer {issued['access_token']}"}
    rules({"system": "dataverse", "skew_seconds": 3700, "count": 1})
    assert dataverse.get("WhoAmI", headers=mine).status_code == 401
    assert dataverse.get("WhoAmI", headers=mine).status_code == 200


def assert_near(found: timedelta, seconds: float) -> None:
    assert abs(found.total_seconds() - seconds) < 5
