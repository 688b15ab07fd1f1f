"""Error bodies, their headers and details, and for whom a request acts (protocol 1.7)."""

import uuid
from typing import Any

import httpx
import pytest

NOBODY = "00000000-0000-0000-0000-00000000beef"
ERRORS = "@Microsoft.PowerApps.CDS."


def place_of(answer: httpx.Response) -> str:
    assert answer.status_code == 204, answer.text
    place: str = answer.headers["OData-EntityId"]
    return place


def error(answer: httpx.Response) -> dict[str, Any]:
    found: dict[str, Any] = answer.json()["error"]
    return found


@pytest.mark.protocol("errors: body", "D")
@pytest.mark.protocol("errors: headers", "D")
@pytest.mark.protocol("errors: annotations", "D")
def test_what_an_error_says(dataverse: httpx.Client) -> None:
    """More than code and message only where the client asks for it, and only what it asks for."""
    plain = dataverse.get(f"accounts({NOBODY})")
    assert set(error(plain)) == {"code", "message"}
    assert plain.headers["Content-Type"] == "application/json; odata.metadata=minimal"
    assert uuid.UUID(plain.headers["x-ms-service-request-id"]) and plain.headers["REQ_ID"]
    assert plain.headers["OData-Version"] == "4.0"

    def asked(pattern: str) -> dict[str, Any]:
        prefer = {"Prefer": f'odata.include-annotations="{pattern}"'}
        return error(dataverse.get(f"accounts({NOBODY})", headers=prefer))

    full = asked("*")
    assert {"code", "message", f"{ERRORS}HelpLink", f"{ERRORS}TraceText"} <= set(full)
    assert full[f"{ERRORS}InnerError.Message"] == full["message"]
    assert "80040217" in full[f"{ERRORS}HelpLink"]
    assert set(asked("Microsoft.PowerApps.CDS.HelpLink")) == {"code", "message", f"{ERRORS}HelpLink"}
    assert set(asked("OData.Community.Display.V1.FormattedValue")) == {"code", "message"}


@pytest.mark.protocol("errors: annotations", "D")
def test_what_a_business_rule_s_error_says(dataverse: httpx.Client) -> None:
    prefer = {"Prefer": 'odata.include-annotations="Microsoft.PowerApps.CDS.ErrorDetails*"'}
    refused = error(dataverse.post("msdyn_actuals", json={"msdyn_description": "x"}, headers=prefer))
    assert refused["code"] == "0x80040265"
    assert set(refused) == {
        "code",
        "message",
        f"{ERRORS}ErrorDetails.OperationStatus",
        f"{ERRORS}ErrorDetails.SubErrorCode",
    }


@pytest.mark.protocol("errors: 405", "D")
@pytest.mark.protocol("errors: 415", "?")
@pytest.mark.protocol("errors: length", "L")
@pytest.mark.protocol("errors: missing alternate key", "L")
def test_codes(dataverse: httpx.Client) -> None:
    xml = {"Content-Type": "application/xml"}
    for answer, status, code in (
        (dataverse.delete("accounts"), 405, "0x80060888"),
        (dataverse.patch("accounts", json={}), 405, "0x80060888"),
        (dataverse.post("accounts", content=b"<a/>", headers=xml), 415, "0x80060888"),
        (dataverse.post("accounts", json={"name": "x" * 161}), 400, "0x80044331"),
        (dataverse.get("cdm_companies(cdm_companycode='none')"), 404, "0x80060891"),
    ):
        assert (answer.status_code, error(answer)["code"]) == (status, code), answer.text


@pytest.mark.protocol("errors: duplicate detection", "D")
def test_duplicates_are_looked_for_where_it_is_asked(dataverse: httpx.Client) -> None:
    ask = {"MSCRM.SuppressDuplicateDetection": "false"}
    place = place_of(dataverse.post("accounts", json={"name": "Same"}, headers=ask))
    other = place_of(dataverse.post("accounts", json={"name": "other"}, headers=ask))
    for answer in (
        dataverse.post("accounts", json={"name": "same"}, headers=ask),
        dataverse.patch(other, json={"name": "SAME"}, headers=ask),
    ):
        assert answer.status_code == 412
        assert error(answer)["code"] == "0x80040333"
        assert "a duplicate of the current record already exists" in error(answer)["message"]
    assert dataverse.patch(place, json={"name": "Same"}, headers=ask).status_code == 204
    place_of(dataverse.post("accounts", json={"name": "Same"}))
    no = {"MSCRM.SuppressDuplicateDetection": "true"}
    place_of(dataverse.post("accounts", json={"name": "Same"}, headers=no))


def user(dataverse: httpx.Client, **columns: Any) -> tuple[str, str]:
    """Create a user; its id and its id in the directory."""
    directory = str(uuid.uuid4())
    body = {"fullname": "Ann", "azureactivedirectoryobjectid": directory}
    return place_of(dataverse.post("systemusers", json=body | columns))[-37:-1], directory


@pytest.mark.protocol("flags: caller", "D")
def test_a_request_acts_for_the_user_that_it_names(dataverse: httpx.Client) -> None:
    ann, directory = user(dataverse)
    own = dataverse.get("WhoAmI").json()["UserId"]
    by_directory, by_id = {"CallerObjectId": directory}, {"MSCRMCallerID": ann}
    for header in (by_directory, by_id):
        assert dataverse.get("WhoAmI", headers=header).json()["UserId"] == ann
    place = place_of(dataverse.post("accounts", json={"name": "A"}, headers=by_directory))
    row = dataverse.get(place).json()
    assert {row[f"_{name}_value"] for name in ("createdby", "modifiedby", "ownerid")} == {ann}
    dataverse.patch(place, json={"name": "B"})
    row = dataverse.get(place).json()
    assert (row["_createdby_value"], row["_modifiedby_value"]) == (ann, own)
    batch = (
        "--b\r\nContent-Type: application/http\r\n\r\n"
        f"PATCH {place} HTTP/1.1\r\nContent-Type: application/json\r\n\r\n"
        '{"name": "C"}\r\n--b--\r\n'
    )
    headers = {"Content-Type": "multipart/mixed; boundary=b"} | by_id
    assert " 204 " in dataverse.post("$batch", content=batch, headers=headers).text
    assert dataverse.get(place).json()["_modifiedby_value"] == ann


@pytest.mark.protocol("flags: caller", "?")
@pytest.mark.protocol("errors: privilege", "D")
def test_users_for_whom_nobody_can_act(dataverse: httpx.Client) -> None:
    reader, disabled = user(dataverse, accessmode=2)[0], user(dataverse, isdisabled=True)[0]
    place = place_of(dataverse.post("accounts", json={"name": "A"}))
    assert dataverse.get(place, headers={"MSCRMCallerID": reader}).status_code == 200
    for answer in (
        dataverse.post("accounts", json={"name": "B"}, headers={"MSCRMCallerID": reader}),
        dataverse.delete(place, headers={"MSCRMCallerID": reader}),
    ):
        assert (answer.status_code, error(answer)["code"]) == (403, "0x80040220")
    refused = dataverse.get(place, headers={"MSCRMCallerID": disabled})
    assert (refused.status_code, error(refused)["code"]) == (403, "0x80040225")
    unknown = dataverse.get(place, headers={"CallerObjectId": NOBODY})
    assert (unknown.status_code, error(unknown)["code"]) == (404, "0x80040217")
    assert dataverse.get(place, headers={"CallerObjectId": "nonsense"}).status_code == 400
    assert dataverse.get("accounts/$count").text == "1"
