"""Runs that people ask for: queued as Airflow's own button does, noted, and refused where they would wait."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.models import DagModel, DagRun, Log
from airflow.sdk import DAG, Param
from airflow.utils.session import create_session
from fastapi import HTTPException, Request
from sqlalchemy import select, update
from sqlalchemy.orm import joinedload

from projops.console import runs
from projops.console.access import Viewer
from projops.state import StateStore, audit
from tests.unit.projops.console.clients import Client, name_of
from tests.unit.projops.console.dags import known_to_airflow

AREA = "expense_management"


@pytest.fixture
def dag(client_of: Client) -> Iterator[str]:
    """A DAG that Airflow knows, with a form as an area's, and no runs."""
    with DAG(
        AREA,
        schedule=None,
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        params={
            "maps": Param(None, type=["null", "array"]),
            "mode": Param("incremental", enum=["incremental", "full"]),
        },
    ) as made:
        pass
    with known_to_airflow(made):
        yield AREA


def request() -> Request:
    return Request(
        {"type": "http", "root_path": "/projops", "headers": [], "query_string": b"", "path": "/maps"}
    )


def viewer(role: str) -> Viewer:
    return Viewer(SimpleAuthManagerUser(username=name_of(role), role=role))


def ask(role: str, **conf: Any) -> runs.Run:
    return runs.trigger(request(), viewer(role), AREA, conf, "Because")


def of_airflow() -> list[DagRun]:
    with create_session(scoped=False) as session:
        known = select(DagRun).where(DagRun.dag_id == AREA).options(joinedload(DagRun.dag_run_note))
        return list(session.scalars(known.order_by(DagRun.id)))


def lines(state: StateStore) -> list[tuple[object, ...]]:
    with state.reading() as connection:
        return [
            (each["actor"], each["action"], each["subject"], each["reason"])
            for each in audit.actions(connection)
        ]


def test_a_run_is_queued_in_the_users_name_and_noted_here_and_in_airflow(dag: str, state: StateStore) -> None:
    run = ask("user", maps=["expenses"], mode="full")
    [found] = of_airflow()
    assert (found.run_id, found.state, found.triggering_user_name) == (run.run_id, "queued", "an user")
    assert (found.conf, found.note) == ({"maps": ["expenses"], "mode": "full"}, "Because")
    assert run.link == f"/dags/{AREA}/runs/{run.run_id.replace(':', '%3A').replace('+', '%2B')}"
    assert lines(state) == [("an user", "run", "expenses", "Because")]


def test_a_run_that_names_no_map_is_noted_under_its_dag(dag: str, state: StateStore) -> None:
    ask("op", mode="full")
    assert lines(state) == [("an op", "run", f"DAG {AREA}", "Because")]


def test_airflows_own_log_tells_of_it(dag: str, state: StateStore) -> None:
    run = ask("user", maps=["expenses"])
    with create_session(scoped=False) as session:
        noted = session.execute(select(Log.event, Log.owner, Log.run_id).where(Log.dag_id == AREA)).all()
    assert [tuple(each) for each in noted] == [("trigger_dag_run", "an user", run.run_id)]


def test_what_is_queued_already_is_not_queued_twice(dag: str, state: StateStore) -> None:
    first, again = ask("user", maps=["expenses"]), ask("op", maps=["expenses"])
    assert (again.run_id, again.was_queued, first.was_queued) == (first.run_id, True, False)
    assert again.said.startswith("A run of just this is queued already")
    other = ask("user", maps=["expenses"], mode="full")
    assert [each.run_id for each in of_airflow()] == [first.run_id, other.run_id]
    assert len(lines(state)) == 2


def test_a_run_that_has_begun_is_no_reason_not_to_queue_another(dag: str, state: StateStore) -> None:
    first = ask("user", maps=["expenses"])
    with create_session(scoped=False) as session:
        session.execute(update(DagRun).where(DagRun.run_id == first.run_id).values(state="running"))
    assert not ask("user", maps=["expenses"]).was_queued


@pytest.mark.parametrize(
    ("role", "change", "conf", "code", "sentence"),
    [
        ("viewer", {}, {}, 403, "may not do this"),
        ("user", {"is_paused": True}, {}, 409, "is paused in Airflow: a run would wait"),
        ("user", {"has_import_errors": True}, {}, 409, "cannot read"),
        ("user", {"is_stale": True}, {}, 404, f"no DAG {AREA}"),
        ("user", {}, {"mode": "sideways"}, 422, "refuses this"),
    ],
)
def test_a_run_that_cannot_go_leaves_nothing_behind(
    dag: str,
    state: StateStore,
    role: str,
    change: dict[str, bool],
    conf: dict[str, str],
    code: int,
    sentence: str,
) -> None:
    if change:
        with create_session(scoped=False) as session:
            session.execute(update(DagModel).where(DagModel.dag_id == AREA).values(**change))
    with pytest.raises(HTTPException, match=sentence) as refused:
        ask(role, **conf)
    assert refused.value.status_code == code
    assert (of_airflow(), lines(state)) == ([], [])


def test_a_run_without_its_line_in_the_audit_trail_is_not_queued(
    dag: str, state: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_of: object) -> None:
        raise RuntimeError("the trail is full")

    monkeypatch.setattr(runs, "record_action", away)
    with pytest.raises(RuntimeError):
        ask("user")
    assert of_airflow() == []


def test_how_a_dag_stands(dag: str, state: StateStore) -> None:
    assert runs.dag_states(request(), [AREA, "nothing"]) == {
        AREA: runs.DagState(AREA, False, f"/dags/{AREA}")
    }
    ask("user", mode="full")
    run = ask("user")
    found = runs.dag_states(request(), [AREA])[AREA]
    assert (found.run_id, found.state, found.began_at, found.run_link) == (
        run.run_id,
        "queued",
        None,
        run.link,
    )
    assert runs.live_runs([(AREA, run.run_id), ("cli", run.run_id)]) == {(AREA, run.run_id)}


def test_who_may_edit_a_dag_unpauses_it_and_nobody_else(dag: str, state: StateStore) -> None:
    with create_session(scoped=False) as session:
        session.execute(update(DagModel).where(DagModel.dag_id == AREA).values(is_paused=True))
    with pytest.raises(HTTPException, match="may not unpause"):
        runs.unpause(viewer("viewer"), AREA, "Why not")
    assert runs.dag_states(request(), [AREA])[AREA].paused
    runs.unpause(viewer("user"), AREA, "Month end is over")
    assert not runs.dag_states(request(), [AREA])[AREA].paused
    assert lines(state) == [("an user", "unpause", f"DAG {AREA}", "Month end is over")]
