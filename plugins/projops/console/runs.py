"""Runs of Airflow's DAGs: how each DAG stands, and runs that people ask for on our pages."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagDetails
from airflow.exceptions import ParamValidationError
from airflow.models import DagModel, DagRun, Log
from airflow.models.dagbag import DBDagBag
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState
from airflow.utils.types import DagRunTriggeredByType, DagRunType
from fastapi import HTTPException, Request, status
from sqlalchemy import func, select, update  # noqa: TID253  no DAG file leads here
from sqlalchemy.orm import Session  # noqa: TID253

from projops.console.access import Viewer
from projops.console.kept_engine import kept_engine
from projops.console.rendering import airflow_root
from projops.lineage.trace.addresses import run_path
from projops.state.audit import record_action

_LONGEST_NOTE = 1000  # Airflow's own limit
_QUEUED_SEEN = 50


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a DAG that somebody asked for.

    Attributes:
        dag_id: DAG.
        run_id: Run.
        link: Its page in Airflow, below the same server.
        was_queued: Whether a run of just the same was waiting already: then none was added.
    """

    dag_id: str
    run_id: str
    link: str
    was_queued: bool = False

    @property
    def said(self) -> str:
        """What to tell whoever asked: one sentence."""
        if self.was_queued:
            return f"A run of just this is queued already: {self.run_id} of {self.dag_id}."
        return f"Queued as run {self.run_id} of {self.dag_id}."


@dataclass(frozen=True, slots=True)
class DagState:
    """How a DAG stands in Airflow.

    Attributes:
        dag_id: DAG.
        paused: Whether its schedule rests, and runs that people ask for wait.
        link: Its page in Airflow.
        run_id: Its latest run, or None.
        state: What became of that run: queued, running, success or failed; None without one.
        began_at: When it began, in UTC; None while it waits.
        run_link: Its page in Airflow, or "".
    """

    dag_id: str
    paused: bool
    link: str
    run_id: str | None = None
    state: str | None = None
    began_at: datetime | None = None
    run_link: str = ""


def dag_link(request: Request, dag_id: str) -> str:
    """Give the path of a DAG's page in Airflow, on the server that answers the request."""
    return f"{airflow_root(request)}/dags/{quote(dag_id, safe='')}"


def run_link(request: Request, dag_id: str, run_id: str) -> str:
    """Give the path of a run's page on the Airflow that answers the request; "" where no DAG ran."""
    path = run_path(dag_id, run_id)
    return f"{airflow_root(request)}{path}" if path else ""


def dag_states(request: Request, dag_ids: Iterable[str]) -> dict[str, DagState]:
    """Say how DAGs stand; one that Airflow does not know (yet) is left out."""
    with create_session(scoped=False) as session:
        known = session.execute(
            select(DagModel.dag_id, DagModel.is_paused).where(
                DagModel.dag_id.in_(list(dag_ids)), ~DagModel.is_stale
            )
        ).all()
        newest = select(func.max(DagRun.id)).where(DagRun.dag_id.in_([row.dag_id for row in known]))
        latest = session.execute(
            select(DagRun.dag_id, DagRun.run_id, DagRun.state, DagRun.start_date).where(
                DagRun.id.in_(newest.group_by(DagRun.dag_id))
            )
        )
        facts = {
            row.dag_id: (row.run_id, row.state, row.start_date, run_link(request, row.dag_id, row.run_id))
            for row in latest
        }
    return {
        row.dag_id: DagState(
            row.dag_id, bool(row.is_paused), dag_link(request, row.dag_id), *facts.get(row.dag_id, ())
        )
        for row in known
    }


def live_runs(runs: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Of some runs, pairs (DAG, run), give those that are queued or running."""
    with create_session(scoped=False) as session:
        alive = session.execute(
            select(DagRun.dag_id, DagRun.run_id).where(
                DagRun.run_id.in_([run_id for _, run_id in runs]),
                DagRun.state.in_([DagRunState.QUEUED, DagRunState.RUNNING]),
            )
        )
        return {(row.dag_id, row.run_id) for row in alive} & set(runs)


def may_unpause(viewer: Viewer, dag_id: str) -> bool:
    """Say whether a user may let a DAG's schedule go on, as Airflow's own switch asks."""
    details = DagDetails(id=dag_id, team_name=DagModel.get_team_name(dag_id))
    return get_auth_manager().is_authorized_dag(method="PUT", details=details, user=viewer.user)


def unpause(viewer: Viewer, dag_id: str, reason: str) -> None:
    """Let a DAG's schedule go on in Airflow; the audit trail notes it.

    Raises:
        HTTPException: 403 without the right to edit the DAG; 404 where there is none.
    """
    if not may_unpause(viewer, dag_id):
        raise HTTPException(
            status.HTTP_403_FORBIDDEN,
            f"Your Airflow user may not unpause the DAG {dag_id}: that takes the right to edit it.",
        )
    with create_session(scoped=False) as session, kept_engine().state.begin() as connection:
        _found(session, dag_id)
        session.execute(update(DagModel).where(DagModel.dag_id == dag_id).values(is_paused=False))
        record_action(connection, viewer.name, "unpause", f"DAG {dag_id}", reason)


def trigger(
    request: Request,
    viewer: Viewer,
    dag_id: str,
    conf: Mapping[str, Any],
    note: str,
    verb: str = "run",
) -> Run:
    """Queue a run of a DAG as Airflow's own trigger form does; the audit trail notes it.

    Each map that `conf` names has its line in the audit trail, or the DAG where it names none. A run of just
    the same that waits already is not queued twice.

    Args:
        request: The request.
        viewer: Who asks.
        dag_id: DAG.
        conf: Values of its trigger form (its params), as the form would send them.
        note: Why, in the user's words: stands with the run in Airflow, and in the audit trail.
        verb: What the audit trail calls it: run, initial sync, replay, reconcile, repair.

    Raises:
        HTTPException: 403 without the right to trigger; 404 where Airflow has no such DAG; 409 where it is
            paused in Airflow, so that the run would wait, or cannot be read; 422 where the form refuses
            the values.
    """
    viewer.require_acts(dag_id)
    with create_session(scoped=False) as session:
        _require_running(_found(session, dag_id))
        queued = _queued(session, dag_id, conf)
        if queued is not None:
            return Run(dag_id, queued, run_link(request, dag_id, queued), was_queued=True)
        with kept_engine().state.begin() as connection:  # committed first: no run without its line
            run_id = _create(session, viewer, dag_id, conf, note)
            for subject in conf.get("maps") or [f"DAG {dag_id}"]:
                record_action(connection, viewer.name, verb, subject, note)
    return Run(dag_id, run_id, run_link(request, dag_id, run_id))


def _found(session: Session, dag_id: str) -> DagModel:
    known = select(DagModel).where(DagModel.dag_id == dag_id, ~DagModel.is_stale)
    found: DagModel | None = session.scalar(known)
    if found is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, f"Airflow has no DAG {dag_id} (yet).")
    return found


def _require_running(dag: DagModel) -> None:
    if dag.has_import_errors:
        raise HTTPException(
            status.HTTP_409_CONFLICT, f"Airflow cannot read the DAG {dag.dag_id}: see its import errors."
        )
    if dag.is_paused:
        raise HTTPException(
            status.HTTP_409_CONFLICT,
            f"The DAG {dag.dag_id} is paused in Airflow: a run would wait. Unpause it first, there or on the "
            "page of the maps.",
        )


def _queued(session: Session, dag_id: str, conf: Mapping[str, Any]) -> str | None:
    """Give a manual run that waits and was asked just the same, or None."""
    waiting = session.execute(
        select(DagRun.run_id, DagRun.conf)
        .where(
            DagRun.dag_id == dag_id,
            DagRun.state == DagRunState.QUEUED,
            DagRun.run_type == DagRunType.MANUAL,
        )
        .limit(_QUEUED_SEEN)
    )
    return next((row.run_id for row in waiting if dict(row.conf or {}) == dict(conf)), None)


def _create(session: Session, viewer: Viewer, dag_id: str, conf: Mapping[str, Any], note: str) -> str:
    dag = DBDagBag().get_latest_version_of_dag(dag_id, session=session)
    if dag is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, f"Airflow has not read the DAG {dag_id} yet.")
    now = datetime.now(UTC)
    try:
        run = dag.create_dagrun(
            run_id=DagRunType.MANUAL.generate_run_id(suffix=now.isoformat()),
            run_after=now,
            conf=dict(conf),
            run_type=DagRunType.MANUAL,
            triggered_by=DagRunTriggeredByType.UI,
            triggering_user_name=viewer.name,
            state=DagRunState.QUEUED,
            session=session,
        )
    except (ParamValidationError, ValueError) as error:
        sentence = f"The DAG {dag_id} refuses this: {error}"
        raise HTTPException(status.HTTP_422_UNPROCESSABLE_CONTENT, sentence) from error
    if note:
        run.note = (note[:_LONGEST_NOTE], viewer.user.get_id())
    extra = json.dumps(dict(conf), default=str)
    session.add(
        Log(event="trigger_dag_run", dag_id=dag_id, run_id=run.run_id, owner=viewer.name, extra=extra)
    )
    return str(run.run_id)
