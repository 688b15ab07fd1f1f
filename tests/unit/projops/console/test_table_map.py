"""The page of one map: each part, as each role, with what the state and the mapping files say."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from sqlalchemy import Engine, event, insert

from projops.mapping.fingerprint import fingerprint
from projops.mapping.model import Direction
from projops.mapping.reader import load_maps
from projops.mapping.wording import leg_words
from projops.settings import PROJECT_ROOT
from projops.staging import Staging
from projops.state import StateStore, meanings
from projops.state.batches import Counts
from projops.state.tables import batch, quality
from tests.unit.projops.console.clients import Client

VIEWS = ("runs", "quality", "fields", "versions", "needs")
BACK, FORTH = "finance_to_dataverse", "dataverse_to_finance"
LOADED = load_maps(PROJECT_ROOT / "include" / "mappings")
FIELD = re.compile(r'<tr>\s*<th scope="row">(\w+)</th>')
HTML = {"Accept": "text/html"}


def keep(state: StateStore, *numbers: int, **facts: Any) -> None:
    """Put batches of customers into the state: of odd numbers to Finance, of even ones to Dataverse."""
    rows = [
        {
            "id": number,
            "dag_id": "reference_data",
            "run_id": f"run/{number}",
            "map": "customers",
            "leg": FORTH if number % 2 else BACK,
            "status": "committed",
            "mode": "incremental",
            "mapping_version": "1.0",
            "fingerprint": "f",
            "advances": True,
            "started_at": datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=number),
            "finished_at": datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=number, seconds=2),
            **dict.fromkeys(Counts.__slots__, 0),
            "loaded": number,
            "rejected": number % 3,
            **facts,
        }
        for number in numbers
    ]
    with state.begin() as connection:
        connection.execute(insert(batch), rows)


def page(client_of: Client, address: str, role: str = "viewer") -> str:
    answer = client_of(role).get(address, headers=HTML)
    assert answer.status_code == 200, answer.text
    return answer.text


def drawing(html: str, place: int = 0) -> ElementTree.Element:
    """A picture of the page, read as XML."""
    return ElementTree.fromstring(re.findall(r"<svg.*?</svg>", html, re.DOTALL)[place])


def shown(html: str) -> str:
    """The text of a page as people read it."""
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


@contextmanager
def statements(state: StateStore) -> Iterator[list[str]]:
    """Note the statements that reach the state's database."""
    seen: list[str] = []

    def note(connection: Any, _cursor: object, statement: str, *_: object) -> None:
        if connection.engine.url == state.url and not statement.startswith(("PRAGMA", "BEGIN")):
            seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.parametrize("role", ["viewer", "user", "op", "admin"])
def test_each_role_sees_each_part_and_acts_as_far_as_it_may(client_of: Client, role: str) -> None:
    for view in VIEWS:
        html = page(client_of, f"/maps/customers?view={view}", role)
        assert "<h1>customers</h1>" in html
        assert ('action="/maps/customers/pause"' in html) is (role != "viewer")
        assert "style=" not in html


def test_nobody_sees_a_map_without_signing_in(client_of: Client) -> None:
    for path in (*(f"/maps/customers?view={view}" for view in VIEWS), "/maps/customers/plan"):
        assert client_of(None).get(path).status_code == 401


def test_a_map_that_is_not_there_is_refused_without_repeating_its_name(client_of: Client) -> None:
    for name in ("nothing", "%3Cscript%3E", "a'b%22c", "..%2fcustomers", "customers%00", "a" * 5_000):
        answer = client_of("admin").get(f"/maps/{name}", headers=HTML)
        assert answer.status_code == 404
        assert "<script>" not in answer.text


def test_what_an_address_may_not_ask_is_refused(client_of: Client) -> None:
    for query in ("view=secrets", "before=x", "before=0", "leg=sideways", f"q={'a' * 300}"):
        assert client_of("admin").get(f"/maps/customers?{query}", headers=HTML).status_code == 422


def test_who_may_not_read_the_area_sees_nothing(client_of: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projops.console.access._may", lambda user, method, dag: dag != "reference_data")
    for path in (*(f"/maps/customers?view={view}" for view in VIEWS), "/maps/customers/plan"):
        assert client_of("admin").get(path).status_code == 403
    html = page(client_of, "/maps/projects?view=needs", "admin")
    assert ">customers<" not in html
    assert ">contract_headers<" in html


def test_runs_are_listed_newest_first_with_what_they_moved(client_of: Client, state: StateStore) -> None:
    keep(state, 11, read=9, unchanged=4, loaded=1, parked=2, rejected=1, failed=1, deleted=1)
    keep(state, 12, status="running", finished_at=None, stopped_because="Too `many` rows <b>are</b> bad.")
    keep(state, 13, dag_id="cli")
    html = page(client_of, "/maps/customers")
    assert [int(number) for number in re.findall(r'<th scope="row">(?:<a[^>]*>)?(\d+)', html)] == [13, 12, 11]
    assert "Too <code>many</code> rows &lt;b&gt;are&lt;/b&gt; bad." in html
    [row] = re.findall(r"<tr>\s*<th scope=\"row\">(?:<a[^>]*>)?11.*?</tr>", html, re.DOTALL)
    assert re.findall(r'class="number">([^<]*)<', row) == ["9", "4", "1", "2", "1", "1", "1", "2.0", "4"]
    assert 'href="/dags/reference_data/runs/run%2F11" data-out' in row
    assert "command line" in html
    assert "/dags/cli" not in html


def test_a_batch_leads_to_its_data_docs_where_they_are_kept(
    client_of: Client, state: StateStore, staging: Staging
) -> None:
    keep(state, 12, 14)
    html = page(client_of, "/maps/customers")
    assert 'href="/docs/customers/finance_to_dataverse/12/index.html"' in html
    assert "finance_to_dataverse/14/" not in html
    assert staging.names("docs/customers/finance_to_dataverse") == ["12"]


def test_long_histories_come_in_pages_of_fifty(client_of: Client, state: StateStore) -> None:
    keep(state, *range(1, 121))
    numbers, address = [], "/maps/customers"
    while address:
        html = page(client_of, address)
        numbers += [int(each) for each in re.findall(r'<th scope="row">(?:<a[^>]*>)?(\d+)', html)]
        [address] = re.findall(r'rel="next" href="([^"]*)"', html) or [""]
        address = address.replace("&amp;", "&")
    assert numbers == list(range(120, 0, -1))
    assert page(client_of, "/maps/customers?leg=finance_to_dataverse").count('<th scope="row"') >= 50


def test_the_chart_draws_the_numbers_of_the_last_sixty_batches(client_of: Client, state: StateStore) -> None:
    keep(state, *range(1, 101))
    svg = drawing(page(client_of, "/maps/customers"))
    assert svg.get("role") == "img"
    groups = svg.findall("g")
    titles = [group.findtext("title", "") for group in groups]
    assert [int(re.findall(r"Batch (\d+)", title)[0]) for title in titles] == list(range(41, 101))
    tallest = float(groups[-1].findall("rect")[0].get("height", ""))
    for number, group, title in zip(range(41, 101), groups, titles, strict=True):
        assert title.endswith(f"{number} loaded, {number % 3} set aside")
        heights = [float(bar.get("height", "")) for bar in group.findall("rect")]
        assert heights[0] == pytest.approx(number * tallest / 100, abs=0.02)
        assert len(heights) == (2 if number % 3 else 1)


def test_without_runs_the_page_says_so(client_of: Client) -> None:
    html = page(client_of, "/maps/customers")
    assert "No run has moved anything of it yet." in html
    assert "<svg" not in html


def test_quality_counts_rows_by_rule_and_day(client_of: Client, state: StateStore) -> None:
    today = datetime.now(UTC).replace(hour=0, minute=5)
    facts = {"stage": "validate", "field": "", "map": "customers", "leg": BACK, "severity": "error"}
    rows = [
        {"batch": 1, "rule": "required", "rows": 30, "at": today, **facts},
        {"batch": 2, "rule": "required", "rows": 10, "at": today - timedelta(days=3), **facts},
        {"batch": 3, "rule": "required", "rows": 500, "at": today - timedelta(days=40), **facts},
        {"batch": 2, "rule": "a<b>", "rows": 2, "at": today, **facts, "severity": "warning"},
        {"batch": 2, "rule": "other", "rows": 7, "at": today, **facts, "map": "vendors"},
    ]
    with state.begin() as connection:
        connection.execute(insert(quality), rows)
    html = page(client_of, "/maps/customers?view=quality")
    assert re.findall(r'data-label="Rows" class="number">([^<]*)<', html) == ["40", "2"]
    assert "a&lt;b&gt;" in html
    assert "A field that the target must have is empty." in html
    assert 'href="/letters?map=customers&amp;rule=required"' in html
    heights = {
        group.findtext("title", ""): [float(bar.get("height", "")) for bar in group.findall("rect")]
        for group in drawing(html).findall("g")
    }
    assert len(heights) == 30
    drawn = {title: bars[0] for title, bars in heights.items() if bars}
    assert set(drawn) == {f"{today:%Y-%m-%d}: 30 rows", f"{today - timedelta(days=3):%Y-%m-%d}: 10 rows"}
    assert max(drawn.values()) / min(drawn.values()) == pytest.approx(3, rel=0.01)


def test_fields_say_what_the_mapping_does_and_are_found_by_any_word(client_of: Client) -> None:
    html = page(client_of, "/maps/actuals?view=fields&leg=dataverse_to_finance")
    rules = LOADED.maps["actuals"].legs[Direction.DATAVERSE_TO_FINANCE].fields
    assert FIELD.findall(html) == [rule.target for rule in rules]
    assert "192350006 becomes BilledSales" in html
    assert "msdyn_skipsync eq false" in html
    assert "by the value map transaction_type; only where msdyn_transactionclassification ne 69" in html
    found = page(client_of, "/maps/actuals?view=fields&q=VOUCHER")
    assert FIELD.findall(found) == ["msdyn_vouchernumber"]
    assert "No field of this leg speaks of that." in found
    hostile = page(client_of, "/maps/actuals?view=fields&q=%22%3E%3Cscript%3E")
    assert "<script>" not in hostile


def test_an_htmx_request_gets_the_part_that_changes(client_of: Client, state: StateStore) -> None:
    keep(state, 1, 2)
    for path, block in (("", "batches"), ("?view=fields&q=name", "fields")):
        headers = {"HX-Request": "true", "HX-Target": block}
        part = client_of("viewer").get(f"/maps/customers{path}", headers=headers).text.strip()
        assert part.startswith(f'<div id="{block}">')
        assert "<html" not in part


def test_versions_say_what_changed_in_words(client_of: Client, state: StateStore) -> None:
    table_map = LOADED.maps["units"]
    leg = table_map.legs[Direction.FINANCE_TO_DATAVERSE]
    now, words = fingerprint(table_map, leg, LOADED.value_maps), leg_words(table_map, leg, LOADED.value_maps)
    [first, *others] = [entry for entry in words if entry.startswith("column ")]
    before = {**{each: words[each] for each in others}, first: "from elsewhere", "column gone": "from <old>"}
    with state.begin() as connection:
        meanings.remember(connection, "old", {}, before)
        meanings.remember(connection, now, {}, words)
    facts = {"map": "units", "leg": BACK}
    keep(state, 2, **facts, mapping_version="0.8", fingerprint="unknown")
    keep(state, 4, **facts, mapping_version="0.9", fingerprint="old")
    keep(state, 6, **facts, mapping_version=table_map.version, fingerprint=now)
    html = page(client_of, "/maps/units?view=versions")
    text = shown(html)
    assert text.index(f"Version {table_map.version}") < text.index("Version 0.9") < text.index("Version 0.8")
    assert "not run yet" not in text
    assert "What it changed against version 0.8 is not known" in text
    assert f"{first} changed from elsewhere {words[first]}" in text
    assert "column gone removed from &lt;old&gt;" in text
    assert "where added all rows" in text


def test_a_file_that_no_run_has_read_is_compared_with_what_runs(client_of: Client, state: StateStore) -> None:
    table_map = LOADED.maps["units"]
    leg = table_map.legs[Direction.FINANCE_TO_DATAVERSE]
    with state.begin() as connection:
        words = leg_words(table_map, leg, LOADED.value_maps)
        meanings.remember(connection, "ran", {}, {**words, "where": "only some"})
    keep(state, 2, map="units", mapping_version="0.9", fingerprint="ran")
    text = shown(page(client_of, "/maps/units?view=versions"))
    assert "not run yet" in text
    assert "where changed only some all rows" in text


def test_prerequisites_are_links_with_their_state_in_words(client_of: Client, state: StateStore) -> None:
    html = page(client_of, "/maps/projects?view=needs")
    svg = drawing(html)
    boxes = {link.get("href"): [text.text for text in link.findall("text")] for link in svg.findall("a")}
    needs = LOADED.maps["projects"].needs
    assert {f"/maps/{name}?view=needs" for name in ("projects", "actuals", *needs)} <= boxes.keys()
    assert all(len(texts) == 2 and texts[1] for texts in boxes.values())
    assert boxes["/maps/companies?view=needs"][0] == "companies"
    [current] = [link.get("href") for link in svg.findall("a") if link.get("aria-current")]
    assert current == "/maps/projects?view=needs"
    assert all(f'<li><a href="/maps/{name}">' in html for name in needs)


def test_a_page_takes_few_statements_however_long_the_history(client_of: Client, state: StateStore) -> None:
    page(client_of, "/maps/customers")
    with statements(state) as before:
        for view in VIEWS:
            page(client_of, f"/maps/customers?view={view}")
    keep(state, *range(1, 101))
    with statements(state) as after:
        for view in VIEWS:
            page(client_of, f"/maps/customers?view={view}")
    assert len(after) == len(before)
    assert len(after) <= 12 * len(VIEWS)


def test_a_broken_map_says_what_is_wrong(
    client_of: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mappings" / "reference_data"
    folder.mkdir(parents=True)
    text = (PROJECT_ROOT / "include/mappings/reference_data/units.yaml").read_text()
    (folder / "units.yaml").write_text(text.replace("map: units", "map: units\nneeds: [<b>]"))
    monkeypatch.setenv("PROJOPS_MAPPINGS", str(folder.parent))
    for view in VIEWS:
        html = page(client_of, f"/maps/units?view={view}", "admin")
        assert "The mapping file is broken" in html
        assert "units.yaml:" in html
        assert "<b>]" not in html
        assert 'action="/maps/units/pause"' not in html
    assert "does not run" in page(client_of, "/maps/units/plan", "admin")
