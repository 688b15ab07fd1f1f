"""Forms are taken from our own pages alone: what a page elsewhere in the same browser can send is refused."""

from collections.abc import Iterator, Mapping

import pytest
from fastapi import APIRouter, Request, Response
from fastapi.testclient import TestClient
from itsdangerous import URLSafeTimedSerializer

from projops.console import forgery
from projops.console.access import SignedIn
from projops.console.actions import OwnForm, back_to
from projops.console.app import app
from tests.unit.projops.console.clients import Client, form_of, name_of

ACTION = "/an-action-of-this-test"
HERE = "http://testserver"


@pytest.fixture(autouse=True)
def taken() -> Iterator[list[Mapping[str, str]]]:
    """An action below the console that keeps the forms which it takes."""
    forms: list[Mapping[str, str]] = []
    router = APIRouter()

    @router.post(ACTION)
    def act(request: Request, viewer: SignedIn, fields: OwnForm) -> Response:
        rows = ",".join(fields.each("row"))
        forms.append({"reason": fields.get("reason", ""), "by": viewer.name, "rows": rows})
        return back_to(request, "maps?area=a", "Done: <all>.")

    before = list(app.router.routes)
    app.include_router(router)
    yield forms
    app.router.routes[:] = before


@pytest.fixture
def browser(client_of: Client) -> TestClient:
    """Somebody whom Airflow knows by its cookie."""
    signed_in = client_of("user")
    token = signed_in.headers.pop("Authorization").removeprefix("Bearer ")
    signed_in.cookies.set("_token", token)
    return signed_in


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://behind.a.proxy"},
        {"Origin": HERE},
        {},
    ],
)
def test_a_form_of_our_page_is_taken(
    browser: TestClient, taken: list[Mapping[str, str]], headers: dict[str, str]
) -> None:
    answer = browser.post(ACTION, data=form_of("user", reason="weil ß"), headers=headers)
    assert answer.status_code == 303
    assert taken[0]["reason"] == "weil ß"
    assert taken[0]["by"] == name_of("user")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Origin": HERE},
        {"Origin": "http://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://testserver.elsewhere.example"},
    ],
)
def test_a_form_from_elsewhere_is_refused_though_it_holds_a_token(
    browser: TestClient, taken: list[Mapping[str, str]], headers: dict[str, str]
) -> None:
    answer = browser.post(ACTION, data=form_of("user"), headers=headers)
    assert (answer.status_code, taken) == (403, [])
    assert "another page" in answer.text


def test_a_token_is_good_for_its_user_for_a_day_and_for_forms_alone(
    browser: TestClient, taken: list[Mapping[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    good = form_of("user")[forgery.FIELD]
    stranger = str(
        URLSafeTimedSerializer("another secret", salt="projops.console.form").dumps(name_of("user"))
    )
    wrong = [form_of("admin")[forgery.FIELD], forgery.sealed(name_of("user")), stranger, good[:-1], "", "ä"]
    for token in wrong:
        assert browser.post(ACTION, data={forgery.FIELD: token}).status_code == 403
    assert browser.post(ACTION, data={}).status_code == 403
    monkeypatch.setattr(forgery, "_SECONDS", -1)
    assert browser.post(ACTION, data={forgery.FIELD: good}).status_code == 403
    assert taken == []


def test_a_program_shows_airflows_token_and_needs_no_other(
    client_of: Client, taken: list[Mapping[str, str]]
) -> None:
    assert client_of("user").post(ACTION, data={"reason": "r"}).status_code == 303
    assert taken[0]["by"] == name_of("user")


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "bearerx y"])
def test_a_header_that_proves_nothing_does_not_stand_for_the_token(
    browser: TestClient, taken: list[Mapping[str, str]], header: str
) -> None:
    answer = browser.post(ACTION, data={"reason": "r"}, headers={"Authorization": header})
    assert (answer.status_code, taken) == (403, [])


def test_nobody_acts_without_signing_in(client_of: Client, taken: list[Mapping[str, str]]) -> None:
    assert client_of(None).post(ACTION, data=form_of("user")).status_code == 401
    assert taken == []


@pytest.mark.parametrize(
    ("code", "body", "content_type"),
    [
        (413, b"reason=" + b"a" * (1 << 18), "application/x-www-form-urlencoded"),
        (415, b'{"reason": "r"}', "application/json"),
        (415, b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x"),
        (422, b"reason=%00", "application/x-www-form-urlencoded"),
        (422, b"reason=%ff%fe", "application/x-www-form-urlencoded"),
        (422, b"reason=\xff", "application/x-www-form-urlencoded"),
        (422, b"&".join([b"a=1"] * 1_001), "application/x-www-form-urlencoded"),
        (422, b"form_token=a&form_token=b", "application/x-www-form-urlencoded"),
    ],
)
def test_what_is_no_form_of_texts_is_refused(
    browser: TestClient, taken: list[Mapping[str, str]], code: int, body: bytes, content_type: str
) -> None:
    answer = browser.post(ACTION, content=body, headers={"Content-Type": content_type})
    assert (answer.status_code, taken) == (code, [])
    assert len(answer.text) < 200


def test_a_field_that_may_come_often_is_read_whole(
    browser: TestClient, taken: list[Mapping[str, str]]
) -> None:
    assert browser.post(ACTION, data=form_of("user", row=["1", "2"])).status_code == 303
    assert taken[0]["rows"] == "1,2"
    assert browser.post(ACTION, data=form_of("user", reason=["1", "2"])).status_code == 422


def test_what_an_action_did_is_said_once_sealed(browser: TestClient) -> None:
    answer = browser.post(ACTION, data=form_of("user"))
    path, _, query = answer.headers["location"].partition("?")
    assert (path, query.partition("&")[0]) == ("/maps", "area=a")
    said = browser.get(f"/audit?{query}", headers={"Accept": "text/html"}).text
    assert "Done: &lt;all&gt;." in said
    forged = browser.get("/audit?said=Call this number", headers={"Accept": "text/html"}).text
    assert "Call this number" not in forged


def test_a_sentence_fades(monkeypatch: pytest.MonkeyPatch) -> None:
    text = forgery.sealed("Done.")
    assert forgery.unsealed(text) == "Done."
    monkeypatch.setattr(forgery, "_SAID_SECONDS", -1)
    assert forgery.unsealed(text) == ""
