"""Who may see and do what, and how often Airflow is asked."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from airflow.api_fastapi.app import create_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from fastapi import HTTPException
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import Mount

from projops.console import access
from projops.console.access import ROW_VALUES, Viewer
from projops.console.actions import own_form
from projops.console.app import app

OPEN = {("GET", "/"), ("GET", "/docs")}  # they lead to others, and tell nothing

ROLES = {
    # role: reads, acts, sees values
    "viewer": (True, False, False),
    "user": (True, True, False),
    "op": (True, True, True),
    "admin": (True, True, True),
}


def viewer_with(role: str) -> Viewer:
    return Viewer(SimpleAuthManagerUser(username=f"an {role}", role=role))


@pytest.mark.parametrize(("role", "rights"), ROLES.items())
def test_each_role_has_its_rights(airflow_tables: None, role: str, rights: tuple[bool, bool, bool]) -> None:
    create_auth_manager()
    viewer = viewer_with(role)
    assert (viewer.reads("reference_data"), viewer.acts("reference_data"), viewer.sees_values) == rights
    assert viewer.reads(None) is rights[0]


@pytest.mark.parametrize("role", ["viewer", "user"])
def test_a_right_that_is_missing_is_named(airflow_tables: None, role: str) -> None:
    create_auth_manager()
    with pytest.raises(HTTPException, match=f"403.*{ROW_VALUES}"):
        viewer_with(role).require_values()
    if role == "viewer":
        with pytest.raises(HTTPException, match="403.*trigger the DAG reference_data"):
            viewer_with(role).require_acts("reference_data")


def test_airflow_is_asked_once_a_right_and_request(
    airflow_tables: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = create_auth_manager()
    asked: list[Any] = []

    def note(**question: Any) -> bool:
        asked.append((question["method"], question["details"].id))
        return True

    monkeypatch.setattr(manager, "is_authorized_dag", note)
    viewer = viewer_with("viewer")
    for _ in range(3):
        viewer.require_reads("reference_data")
        assert viewer.acts("reference_data")
    assert asked == [("GET", "reference_data"), ("POST", "reference_data")]
    assert viewer_with("viewer").reads("reference_data"), "another request asks again"
    assert len(asked) == 3


def test_other_auth_managers_have_a_right_of_its_own_for_values(monkeypatch: pytest.MonkeyPatch) -> None:
    class Elsewhere:
        def is_authorized_custom_view(self, *, method: str, resource_name: str, user: object) -> bool:
            return (method, resource_name) == ("GET", "Row Values")

    monkeypatch.setattr(access, "get_auth_manager", Elsewhere)
    assert viewer_with("viewer").sees_values


def test_every_route_asks_who_it_is_and_every_action_where_its_form_comes_from() -> None:
    asks = {
        (method, route.path): {each.call for each in _all(route.dependant)}
        for route in _routes(app.routes)
        for method in route.methods
    }
    assert {route for route, calls in asks.items() if access.viewer_of not in calls} == OPEN
    acting = {route for route in asks if route[0] != "GET"}
    assert {("POST", "/letters/replay"), ("POST", "/maps/{map_id}/{verb:verb}")} <= acting
    assert {route for route in acting if own_form not in asks[route]} == set()


def _routes(found: Iterable[Any]) -> Iterator[APIRoute]:
    for each in found:
        if isinstance(each, APIRoute):
            yield each
        elif not isinstance(each, Mount):
            yield from _routes(each.routes)


def _all(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for each in dependant.dependencies:
        yield from _all(each)
