"""The way in: Airflow's login form and navigation, the console in Airflow's frame, who may do what."""

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from projops.state import StateStore
from runner.stack import Stack
from tests.browser.conftest import AsRole
from tests.browser.people import People

pytestmark = pytest.mark.parametrize("stack", ["sqlite"], indirect=True, scope="session")

ACTS = {"viewer": False, "user": True, "op": True, "admin": True}
SEES_VALUES = {"viewer": False, "user": False, "op": True, "admin": True}


def test_table_maps_is_an_entry_of_airflows_navigation(stack: Stack, admin: Page) -> None:
    console = from_navigation(stack, admin)
    expect(console.get_by_role("navigation", name="Console").get_by_role("link")).not_to_have_count(0)


def from_navigation(stack: Stack, page: Page) -> FrameLocator:
    """Go from Airflow's first page to the console, as people do; give its frame."""
    page.goto(stack.airflow.address)
    page.get_by_role("link", name="Table maps").click()
    console = page.frame_locator("iframe")
    expect(console.get_by_role("heading", level=1)).to_have_text("Maps")
    return console


def test_nobody_gets_in_without_signing_in(stack: Stack, people: People) -> None:
    stranger = people.window({})
    answer = stranger.context.request.get(f"{stack.airflow.address}/projops/maps")
    stranger.close()
    assert answer.status == 401


@pytest.mark.parametrize("role", ACTS)
def test_each_role_is_offered_what_it_may_do(as_role: AsRole, role: str) -> None:
    session = as_role(role)
    page = session.goto("maps/projects")
    expect(page.get_by_role("heading", level=1)).to_have_text("projects")
    expect(page.get_by_text(f"Signed in as {role}")).to_be_visible()
    assert (page.get_by_text("Pause").count() > 0) is ACTS[role]
    values = session.context.request.get(f"{session.address}/projops/trace/projects/any?values=1")
    assert values.status == (200 if SEES_VALUES[role] else 403)


def test_a_viewers_forged_action_is_refused_and_changes_nothing(stack: Stack, as_role: AsRole) -> None:
    """The form of another user is none of theirs; without a token none is, whoever sends it."""
    token = as_role("op").goto("maps/projects").locator("input[name=form_token]").first.input_value()
    for role, sent in (("viewer", token), ("viewer", ""), ("admin", "")):
        answer = as_role(role).context.request.post(
            f"{stack.airflow.address}/projops/maps/projects/pause",
            form={"form_token": sent, "reason": "because I can"},
        )
        assert answer.status == 403
    store = StateStore(stack.layout.state_url)
    with store.begin() as connection:
        held = connection.exec_driver_sql("SELECT map FROM pause WHERE resumed_at IS NULL").all()
    store.close()
    assert held == []


def test_links_out_of_the_frame_lead_to_airflow_and_back(stack: Stack, admin: Page) -> None:
    console = from_navigation(stack, admin)
    console.get_by_role("link", name="DAG reference_data").click()
    admin.wait_for_url("**/dags/reference_data")
    admin.get_by_role("link", name="Table maps").last.click()
    framed = admin.frame_locator("iframe")
    expect(framed.get_by_role("heading", name="Reference data")).to_be_visible()
    expect(framed.get_by_role("heading", name="Setup and configuration")).to_have_count(0)
