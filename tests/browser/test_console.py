"""The console at work: a failing map is seen, understood, mended and replayed; a pause is caught up; a trace.

The tests build on each other in the order in which they stand, and leave both systems in step.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from projops.mapping.model import Direction
from projops.mapping.reader import load_maps
from runner.api import FINAL, AirflowApi
from runner.comparison import compare
from runner.expected import Side, belongs
from runner.moves import Waiting, run_areas, run_until_in_step, what_waits
from runner.rows import Rows
from runner.stack import Stack
from runner.story.accounting import post_actuals
from runner.waiting import until
from runner.wire import Row, Wire
from tests.browser.accessibility import pages, violations
from tests.browser.conftest import AsRole, Pictures
from tests.browser.people import NARROW, WIDE
from tests.browser.test_signing_in import from_navigation
from tests.stack import FRAME

pytestmark = pytest.mark.parametrize("stack", ["sqlite"], indirect=True, scope="session")

AREA = "setup_and_configuration"
WRONG = "2001-01-01T00:00:00Z"
ROWS = 50
SECONDS = 120
MS = 1000 * SECONDS


@pytest.fixture(scope="module")
def project(stack: Stack, people: object) -> Iterator[Row]:
    """A project that is to end before it begins; right again at the end, whatever happened."""
    wire = Wire.sign_in(stack.sandbox)
    found = wire.dataverse_rows("msdyn_projects", "msdyn_istemplate eq false")[0]
    wire.change_dataverse("msdyn_projects", found["msdyn_projectid"], {"msdyn_scheduledend": WRONG})
    yield found
    mend(wire, found)
    wire.close()


def mend(wire: Wire, project: Row) -> None:
    right = {"msdyn_scheduledend": project["msdyn_scheduledend"]}
    wire.change_dataverse("msdyn_projects", project["msdyn_projectid"], right)


def settled(stack: Stack, api: AirflowApi, area: str = AREA) -> None:
    """Wait until no run of an area is on its way."""

    def rests() -> bool | None:
        return {state for _, state in api.runs(area)} <= FINAL or None

    until(rests, f"the runs of {area}", SECONDS, stack.processes)


def run_now(page: Page | FrameLocator, name: str) -> None:
    """Ask for a run on the page of a map."""
    page.get_by_text("Run now").first.click()
    page.get_by_role("button", name=f"Run now {name}").click()
    expect(page.get_by_role("status").first).to_contain_text(name)


def test_a_failing_map_is_seen_and_says_why(
    stack: Stack, api: AirflowApi, project: Row, admin: Page, pictures: Pictures
) -> None:
    console = from_navigation(stack, admin)
    console.get_by_role("link", name="projects", exact=True).click()
    expect(console.get_by_role("heading", level=1)).to_have_text("projects")
    run_now(console, "projects")
    settled(stack, api)
    console = from_navigation(stack, admin)
    pictures.take(admin, "maps")
    console.get_by_role("link", name="1 dead letter", exact=True).click()
    expect(console.get_by_role("heading", level=1)).to_have_text("Dead letters")
    pictures.take(admin, "letters")
    console.get_by_role("table").get_by_role("row").nth(1).get_by_role("link").first.click()
    expect(console.get_by_role("heading", level=1)).to_have_text("project_dates in projects")
    console.get_by_role("table").get_by_role("rowheader").get_by_role("link").click()
    expect(console.get_by_role("heading", level=1)).to_have_text(re.compile(r"Dead letter \d+"))
    expect(console.get_by_role("main")).to_contain_text("msdyn_scheduledend")
    expect(console.get_by_role("main")).to_contain_text(str(project["msdyn_projectnumber"]).lower())
    pictures.take(admin, "letter")


def test_every_page_is_accessible_in_light_in_dark_and_on_a_narrow_screen(
    stack: Stack, as_role: AsRole, project: Row, pictures: Pictures
) -> None:
    """Also the pages that are reached only where something is set aside."""
    session = as_role("admin")
    page, found, wrong = session.page, pages(session), list[str]()
    assert {"maps", "letters", "conflicts", "reconciliations", "trace", "alerts", "audit"} <= found.keys()
    assert {"maps/*", "maps/*/plan", "letters/rows", "letters/*", "trace/*/*"} <= found.keys()
    for name, path in found.items():
        session.goto(path)
        for scheme, viewport in (("light", WIDE), ("dark", WIDE), ("dark", NARROW)):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.set_viewport_size(viewport)  # type: ignore[arg-type]
            wrong += [f"{name} {scheme} {viewport['width']}: {each}" for each in violations(page)]
            if page.evaluate("document.scrollingElement.scrollWidth") > viewport["width"]:
                wrong.append(f"{name} is wider than {viewport['width']} px")
        pictures.take_page(page, name)
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    assert wrong == []


def test_what_was_mended_is_replayed_and_in_step(stack: Stack, wire: Wire, project: Row, admin: Page) -> None:
    mend(wire, project)
    console = from_navigation(stack, admin)
    console.get_by_role("link", name="1 dead letter", exact=True).click()
    console.get_by_role("table").get_by_role("row").nth(1).get_by_role("link").first.click()
    console.get_by_text("Replay all and run now").first.click()
    console.get_by_role("button", name="Replay all and run now").click()
    expect(console.get_by_text("all are settled")).to_be_visible(timeout=MS)
    console = from_navigation(stack, admin)
    row = console.get_by_role("row").filter(has=console.get_by_role("link", name="projects", exact=True))
    expect(row).to_contain_text("in step")
    expect(console.get_by_role("link", name=re.compile(r"^\d+ dead letter"))).to_have_count(0)
    assert what_waits(stack) == Waiting(0, 0, ())


def test_rows_that_changed_during_a_pause_are_caught_up(
    stack: Stack, api: AirflowApi, wire: Wire, as_role: AsRole
) -> None:
    """By keyboard alone: the pause, its reason, the resumption and the run."""
    page = as_role("user").goto("maps/project_tasks")
    press(page, "Pause …", "while tasks are counted")
    expect(page.get_by_text("while tasks are counted").first).to_be_visible()
    number = change_tasks(stack, wire)
    assert number == ROWS
    press(page, "Resume …", "")
    press(page, "Run now …", "")
    settled(stack, api)
    page.reload()
    expect(page.get_by_role("row").filter(has_text=re.compile(rf"\b{ROWS}\b")).first).to_be_visible()
    expect(page.get_by_role("table", name="How each leg stands")).to_contain_text("in step")
    assert [str(each) for each in compare(stack.layout.mappings, (AREA,), wire)] == []


def press(page: Page, label: str, reason: str) -> None:
    """Go to an action with the Tab key, open it, write a reason and send it, never touching the mouse."""
    tab_to(page, label)
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type(reason)
    page.keyboard.press("Tab")
    with page.expect_navigation():
        page.keyboard.press("Enter")


def tab_to(page: Page, label: str) -> None:
    """Press Tab until something of this name has the focus; each stop on the way must be seen to have it."""
    page.locator("body").focus()
    for _ in range(60):
        page.keyboard.press("Tab")
        held = page.evaluate(
            """() => { const it = document.activeElement, how = getComputedStyle(it);
            return [it.innerText ?? "", how.outlineStyle !== "none" || how.boxShadow !== "none"]; }"""
        )
        assert held[1], f"The focus on {held[0]!r} is not seen"
        if re.sub(r"\s+", " ", held[0]).startswith(label.removesuffix(" …")):
            return
    raise AssertionError(f"Tab does not lead to {label}")


def change_tasks(stack: Stack, wire: Wire) -> int:
    """Give tasks another name, of those that the map moves; give their number."""
    loaded = load_maps(stack.layout.mappings)
    side = Side(loaded.maps["project_tasks"], Direction.DATAVERSE_TO_FINANCE.source, Rows(wire), loaded)
    tasks = [row for row in side.rows.of(side.table) if belongs(side, Direction.DATAVERSE_TO_FINANCE, row)]
    for number, task in enumerate(tasks[:ROWS]):
        name = f"Counted {number} at {datetime.now(UTC):%H:%M:%S}"
        wire.change_dataverse("msdyn_projecttasks", task["msdyn_projecttaskid"], {"msdyn_subject": name})
    return len(tasks[:ROWS])


def test_a_voucher_is_traced_to_its_actual(stack: Stack, wire: Wire, admin: Page, pictures: Pictures) -> None:
    post_actuals(wire)
    run_areas(stack, ("estimates_and_actuals",), print)
    actual = wire.dataverse_rows("msdyn_actuals", "msdyn_vouchernumber ne null")[0]
    console = from_navigation(stack, admin)
    console.get_by_role("link", name="Trace", exact=True).click()
    console.get_by_role("searchbox").fill(actual["msdyn_vouchernumber"])
    console.get_by_role("link", name="a voucher").click()
    expect(console.get_by_role("main")).to_contain_text(actual["msdyn_actualimportid"], timeout=MS)
    pictures.take(admin, "trace")
    assert run_until_in_step(stack, print, FRAME)[-1] == 0


def test_maps_are_found_without_scripts(as_role: AsRole) -> None:
    session = as_role("viewer", java_script_enabled=False)
    page = session.goto("maps")
    page.get_by_role("searchbox").fill("actuals")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("link", name="actuals", exact=True).first).to_be_visible()
    expect(page.get_by_role("link", name="projects", exact=True)).to_have_count(0)


def test_the_first_tab_leads_past_the_navigation(as_role: AsRole) -> None:
    page = as_role("viewer").goto("maps")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
