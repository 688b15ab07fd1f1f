"""DAGs that Airflow's metadata database knows, for tests of runs."""

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.models import DagModel, DagRun, Log
from airflow.models.dagbundle import DagBundleModel
from airflow.models.serialized_dag import SerializedDagModel
from airflow.models.tasklog import LogTemplate
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import LazyDeserializedDAG
from airflow.utils.session import create_session
from sqlalchemy import delete

_BUNDLE = "of-this-test"


@contextmanager
def known_to_airflow(*dags: DAG) -> Iterator[None]:
    """Let Airflow know DAGs, unpaused and without runs, until the block ends."""
    with create_session(scoped=False) as session:
        session.merge(DagBundleModel(name=_BUNDLE))
        session.merge(LogTemplate(id=1, filename="log", elasticsearch_id="log"))
        session.flush()
        for dag in dags:
            facts = {"dag_id": dag.dag_id, "bundle_name": _BUNDLE, "is_paused": False, "is_stale": False}
            session.merge(DagModel(**facts))  # type: ignore[no-untyped-call]
            session.flush()
            lazy = LazyDeserializedDAG.from_dag(dag)
            SerializedDagModel.write_dag(lazy, bundle_name=_BUNDLE, session=session)
    try:
        yield
    finally:
        with create_session(scoped=False) as session:
            for table in (DagRun, Log, DagModel):
                session.execute(delete(table).where(table.dag_id.in_([dag.dag_id for dag in dags])))
