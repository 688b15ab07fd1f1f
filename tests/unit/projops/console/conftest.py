"""Users with each role of Airflow's simple auth manager, before an empty state of their own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from airflow.api_fastapi.app import create_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.models.dag import DagModel
from fastapi.testclient import TestClient

from projops.console import kept_engine
from projops.console.app import app
from projops.staging import Staging
from projops.state import StateStore
from tests.unit.projops.console.clients import Client, name_of


@pytest.fixture
def staging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Staging:
    """A staging area with a report and some Data Docs, which the settings point at."""
    monkeypatch.setenv("PROJOPS_STAGING", str(tmp_path / "staging"))
    staging = Staging(str(tmp_path / "staging"))
    staging.publish("reconciliations/7/report.html", b"with values")
    staging.publish("reconciliations/7/report-without-values.html", b"without")
    staging.publish("reconciliations/7/differences.parquet", b"rows" * 200_000)
    staging.publish("docs/index.html", b"all maps")
    staging.publish("docs/customers/finance_to_dataverse/12/index.html", b"counts")
    (tmp_path / "secret.html").write_text("elsewhere")
    return staging


@pytest.fixture(scope="session")
def empty_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty state, of which each test has a copy: migrating takes longer than most of the tests."""
    path = tmp_path_factory.mktemp("state") / "empty.db"
    store = StateStore(f"sqlite:///{path}")
    store.prepare()
    store.close()
    return path


@pytest.fixture
def state(empty_state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StateStore]:
    url = f"sqlite:///{shutil.copy(empty_state, tmp_path / 'state.db')}"
    monkeypatch.setenv("PROJOPS_STATE_URL", url)
    store = StateStore(url)
    yield store
    store.close()
    kept_engine.forget()


@pytest.fixture(scope="session")
def airflow_tables() -> None:
    """What Airflow itself looks into when it is asked who somebody is and what they may do."""
    from airflow import models
    from airflow.settings import engine

    models.import_all_models()  # type: ignore[no-untyped-call]
    DagModel.metadata.create_all(engine)


@pytest.fixture
def client_of(
    airflow_tables: None, staging: Staging, state: StateStore, monkeypatch: pytest.MonkeyPatch
) -> Client:
    """Give a client of a user with a role of Airflow's simple auth manager; None has not signed in."""
    monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", "of this test " * 6)
    manager = create_auth_manager()

    def client(role: str | None) -> TestClient:
        if role is None:
            return TestClient(app)
        token = manager.generate_jwt(SimpleAuthManagerUser(username=name_of(role), role=role))
        return TestClient(app, headers={"Authorization": f"Bearer {token}"}, follow_redirects=False)

    return client
