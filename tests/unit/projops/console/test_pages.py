"""The pages below `/projops`: who gets in, what they see, and that no path leads elsewhere."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from airflow.api_fastapi.app import create_auth_manager, get_auth_manager
from fastapi.testclient import TestClient

from projops.console.app import app
from projops.console.headers import POLICY
from projops.state import StateStore
from projops.state.audit import actions
from tests.unit.projops.console.clients import Client

PAGE = "/reports/7/report.html"
DIFFERENCES = "/reports/7/differences.parquet"
PEOPLE = {"Accept": "text/html,*/*;q=0.8"}
DOCS = "/docs/customers/finance_to_dataverse/12/index.html"


@pytest.mark.parametrize("path", ["/reports/7", PAGE, DIFFERENCES, DOCS, "/docs/index.html", "/docs/"])
def test_nobody_gets_in_without_signing_in(client_of: Client, path: str) -> None:
    assert client_of(None).get(path).status_code == 401
    forged = TestClient(app, headers={"Authorization": "Bearer forged"})
    assert forged.get(path).status_code == 403


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/redoc"])
def test_the_application_describes_itself_to_nobody(client_of: Client, path: str) -> None:
    answer = TestClient(app, follow_redirects=False).get(path)
    assert "swagger" not in answer.text.lower()
    assert answer.status_code != 200


def test_a_viewer_sees_a_report_without_what_rows_hold(client_of: Client, state: StateStore) -> None:
    viewer = client_of("viewer")
    assert viewer.get(PAGE).text == "without"
    refused = viewer.get(DIFFERENCES)
    assert (refused.status_code, "right" in refused.text) == (403, True)
    with state.begin() as connection:
        assert actions(connection) == []


def test_who_may_trigger_the_dag_sees_values_and_is_noted(client_of: Client, state: StateStore) -> None:
    user = client_of("op")
    assert user.get(PAGE).text == "with values"
    assert user.get(DIFFERENCES).content == b"rows" * 200_000
    with state.begin() as connection:
        noted = [(each["actor"], each["action"], each["subject"]) for each in actions(connection)]
    assert noted == [
        ("an op", "reveal", "differences of reconciliation 7"),
        ("an op", "reveal", "reconciliation 7"),
    ]


def test_what_cannot_be_noted_is_not_shown(client_of: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROJOPS_STATE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    answer = client_of("op").get(PAGE)
    assert answer.status_code == 503
    assert answer.text.startswith("The state database")
    assert "with values" not in answer.text


def test_the_short_address_of_a_report_leads_to_its_page(client_of: Client) -> None:
    answer = client_of("viewer").get("/reports/7")
    assert (answer.status_code, answer.headers["location"]) == (307, "7/report.html")


def test_data_docs_are_for_readers_of_the_dag_of_their_map(
    client_of: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = create_auth_manager()
    asked: list[tuple[str, str | None]] = []

    def readers_of_reference_data(*, method: str, details: object, user: object) -> bool:
        asked.append((method, getattr(details, "id", None)))
        return getattr(details, "id", None) == "reference_data"

    monkeypatch.setattr(manager, "is_authorized_dag", readers_of_reference_data)
    client = client_of("viewer")
    assert client.get(DOCS).text == "counts"
    assert client.get("/docs/index.html?dag_id=reference_data").status_code == 403
    assert client.get("/docs/long_gone/index.html").status_code == 403
    assert asked == [("GET", "reference_data"), ("GET", None), ("GET", None)]


@pytest.mark.parametrize("path", ["/docs/", "/docs/index.html"])
def test_the_index_of_data_docs_is_found_by_either_name(client_of: Client, path: str) -> None:
    assert client_of("viewer").get(path).text == "all maps"


@pytest.mark.parametrize("path", [PAGE, DOCS, DIFFERENCES])
def test_a_page_may_run_nothing_and_load_nothing_from_elsewhere(client_of: Client, path: str) -> None:
    headers = client_of("admin").get(path).headers
    policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert not policy.keys() & {"script-src", "connect-src", "object-src"}
    assert "http" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(
    "path",
    [
        "/docs/../../secret.html",
        "/docs/..%2f..%2fsecret.html",
        "/docs/%2e%2e/%2e%2e/secret.html",
        "/docs//etc/passwd",
        "/docs/customers/..%5c..%5csecret.html",
        "/docs/../reconciliations/7/report.html",
        "/docs/%2e%2e/reconciliations/7/report.html",
        "/docs/customers",
        "/docs/index.html%00",
        "/docs/long_gone/index.html",
        "/reports/8/report.html",
        "/reports/7/report-without-values.html",
        "/reports/..%2f7/report.html",
        "/reports/-7/report.html",
        f"/reports/{'7' * 5_000}/report.html",
        f"/docs/customers/{'a' * 5_000}.html",
        "/docs/customers/finance_to_dataverse/12/index.html/index.html",
        "/reports/7/manifest.json",
    ],
)
def test_what_is_not_there_is_said_in_a_sentence_and_no_path_leads_elsewhere(
    client_of: Client, path: str
) -> None:
    answer = client_of("admin").get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/plain")
    assert "{" not in answer.text
    assert not {"elsewhere", "with values", "root:"} & {answer.text}


def test_people_are_led_to_the_sign_in_and_back(client_of: Client) -> None:
    nobody = TestClient(app, root_path="/af/projops", follow_redirects=False, headers=PEOPLE)
    for headers in ({}, {"Cookie": "_token=forged"}, {"Authorization": "Bearer forged"}):
        answer = nobody.get("/af/projops/audit?actor=a&x=//elsewhere.example", headers=headers)
        assert answer.status_code == 303
        address = urlsplit(answer.headers["location"])
        assert (address.netloc, address.path) == ("", "/api/v2/auth/login")
        assert parse_qs(address.query) == {"next": ["/af/projops/audit?actor=a&x=//elsewhere.example"]}


def test_a_key_comes_back_from_the_sign_in_as_it_was(client_of: Client) -> None:
    address = "/trace/projects/a%3Fb%23c%25zz/e"
    nobody = TestClient(app, follow_redirects=False)
    answer = nobody.get(f"{address}?values=1", headers=PEOPLE)
    [back] = parse_qs(urlsplit(answer.headers["location"]).query)["next"]
    assert back == f"{address}?values=1"


@pytest.mark.parametrize(
    "path", ["/letters?q=%00", "/conflicts?map=a%00", "/letters/rows?rule=%00", "/audit?%00=1"]
)
def test_an_address_with_what_no_text_holds_is_refused(client_of: Client, path: str) -> None:
    answer = client_of("admin").get(path)
    assert (answer.status_code, answer.text) == (422, "The address holds characters that no text has.\n")


def test_values_of_all_areas_are_for_those_who_may_read_every_dag(
    client_of: Client, state: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = client_of("op")
    monkeypatch.setattr(
        get_auth_manager(), "is_authorized_dag", lambda details, **_: details.id == "nightly_reconciliation"
    )
    assert user.get(PAGE).text == "without"
    assert user.get(DIFFERENCES).status_code == 403
    with state.begin() as connection:
        assert actions(connection) == []


def test_in_a_frame_a_link_leads_to_the_sign_in(client_of: Client) -> None:
    answer = client_of(None).get("/audit", headers={**PEOPLE, "Sec-Fetch-Dest": "iframe"})
    assert answer.status_code == 401
    assert 'href="/api/v2/auth/login?next=%2Faudit" data-out="sign-in"' in answer.text


def test_a_part_of_a_page_has_the_whole_loaded_again_when_signed_out(client_of: Client) -> None:
    answer = client_of(None).get("/audit", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Refresh"], answer.text) == (401, "true", "")


def test_people_get_a_page_and_programs_a_sentence(client_of: Client) -> None:
    client = client_of("viewer")
    page = client.get("/nowhere<x>", headers=PEOPLE)
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is no such page." in page.text
    assert "<x>" not in page.text
    assert client.get("/nowhere").text == "There is no such page.\n"
    part = client.get("/nowhere", headers={"HX-Request": "true"})
    assert (part.status_code, part.text) == (404, "<p>There is no such page.</p>")
    wrong = client.get("/audit?before=x<y>", headers=PEOPLE)
    assert (wrong.status_code, "not as it must be: before." in wrong.text) == (422, True)
    assert client.post("/audit", headers=PEOPLE).status_code == 405


@pytest.mark.parametrize(
    ("referer", "back"),
    [
        ("http://testserver/audit?actor=a", "/audit?actor=a"),
        ("http://elsewhere.example/audit", "/maps"),
        ("http://testserver/nowhere", "/maps"),
        ("", "/maps"),
    ],
)
def test_the_way_back_is_one_of_our_own_pages(client_of: Client, referer: str, back: str) -> None:
    page = client_of("viewer").get("/nowhere", headers={**PEOPLE, "Referer": referer}).text
    assert f'<a class="button" href="{back}">Back</a>' in page


def test_an_error_that_nobody_foresaw_tells_nothing(
    client_of: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("projops.console.routes.audit.kept_engine", break_down)
    headers = {**PEOPLE, "Authorization": client_of("viewer").headers["Authorization"]}
    answer = TestClient(app, raise_server_exceptions=False).get("/audit", headers=headers)
    assert (answer.status_code, "secret" in answer.text) == (500, False)
    assert answer.headers["content-security-policy"] == POLICY


@pytest.mark.parametrize(
    "path", ["/audit", "/nowhere", "/", "/static/console.css", "/static/nothing.css", "/reports/7"]
)
def test_every_answer_is_guarded(client_of: Client, path: str) -> None:
    headers = client_of("admin").get(path, headers=PEOPLE).headers
    assert headers["content-security-policy"] == POLICY
    assert {"unsafe-inline", "unsafe-eval", "*", "http:", "https:"} & set(
        POLICY.replace(";", " ").split()
    ) == set()
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert "no-" in headers["cache-control"]


def test_only_a_static_file_of_a_version_is_kept(client_of: Client) -> None:
    client = client_of("viewer")
    page = client.get("/audit", headers=PEOPLE).text
    addresses = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
    assert len(addresses) == 3
    for address in addresses:
        assert "immutable" in client.get(address).headers["cache-control"]
    version = addresses[0].partition("?")[2]
    assert client.get(f"/audit?{version}").headers["cache-control"] == "private, no-store"
    assert "immutable" not in client.get(f"/static/nothing.css?{version}").headers["cache-control"]
    assert "immutable" not in client.get("/static/console.css?v=1").headers["cache-control"]


def test_the_root_leads_to_the_maps(client_of: Client) -> None:
    assert client_of("viewer").get("/").headers["location"] == "/maps"
