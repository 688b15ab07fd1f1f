"""Settings of the engine, from the environment, with safe defaults."""

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from projops.errors import ConfigurationError

PROJECT_ROOT = Path(__file__).resolve().parents[2]
_LEAST = {"chunk_rows": 1, "request_budget": 1, "lease_seconds": 1}  # without any of them nothing can move


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be set without touching code.

    Attributes:
        mappings: Folder of the mapping files (`PROJOPS_MAPPINGS`).
        expectations: Folder of hand-written expectations (`PROJOPS_EXPECTATIONS`).
        alerts: File of the rules about alerts (`PROJOPS_ALERTS`).
        staging: Root of the staging area, a path or URL (`PROJOPS_STAGING`).
        state_url: State database (`PROJOPS_STATE_URL`, or the connection `projops_state`).
        chunk_rows: Rows a chunk between the stages (`PROJOPS_CHUNK_ROWS`).
        package_rows: Rows of one company, within a chunk, from which Finance gets a data package instead of
            single writes; 0 for never (`PROJOPS_PACKAGE_ROWS`).
        request_budget: Requests a day that all legs together may cost (`PROJOPS_REQUEST_BUDGET`).
        breaker_share: Share of bad rows above which a leg stops (`PROJOPS_BREAKER_SHARE`).
        breaker_rows: Bad rows that are always tolerated (`PROJOPS_BREAKER_ROWS`).
        delete_share: Share of deletes above which they wait for approval (`PROJOPS_DELETE_SHARE`).
        delete_rows: Deletes above which they wait for approval (`PROJOPS_DELETE_ROWS`).
        lease_seconds: How long a writer that fell silent keeps its map (`PROJOPS_LEASE_SECONDS`).
        in_flight_hours: How long a writer that fell silent may still come back and send its last request
            (`PROJOPS_IN_FLIGHT_HOURS`): by then its token and its connection are long dead.
        keep_letters_days: Days for which closed dead letters and conflicts are kept, with their payload
            (`PROJOPS_KEEP_LETTERS_DAYS`).
        keep_staging_days: Days for which staged files are kept (`PROJOPS_KEEP_STAGING_DAYS`).
        keep_audit_days: Days for which the audit trail and the counts of requests are kept
            (`PROJOPS_KEEP_AUDIT_DAYS`).
        keep_reports_days: Days for which reconciliations, their reports and differences are kept
            (`PROJOPS_KEEP_REPORTS_DAYS`). Each of these periods is for ever if it is 0.
        keep_docs: Batches of each leg whose Data Docs are kept (`PROJOPS_KEEP_DOCS`).
        drift_rows: Rows of drift that a nightly reconciliation tolerates (`PROJOPS_DRIFT_ROWS`).
    """

    mappings: Path = PROJECT_ROOT / "include" / "mappings"
    expectations: Path = PROJECT_ROOT / "include" / "expectations"
    alerts: Path = PROJECT_ROOT / "include" / "alerts.yaml"
    staging: str = str(PROJECT_ROOT / "build" / "staging")
    state_url: str = f"sqlite:///{PROJECT_ROOT / 'build' / 'projops_state.db'}"
    chunk_rows: int = 5000
    package_rows: int = 1000
    request_budget: int = 50_000
    breaker_share: float = 0.20
    breaker_rows: int = 50
    delete_share: float = 0.05
    delete_rows: int = 100
    lease_seconds: float = 120.0
    in_flight_hours: float = 24.0
    keep_letters_days: int = 90
    keep_staging_days: int = 7
    keep_audit_days: int = 365
    keep_reports_days: int = 31
    keep_docs: int = 30
    drift_rows: int = 0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings.

        Raises:
            ConfigurationError: A number is none, or too low.
        """
        env = os.environ if environment is None else environment
        default = cls()
        numbers = {
            each.name: type(getattr(default, each.name))(_number(env, each.name, getattr(default, each.name)))
            for each in fields(cls)
            if isinstance(getattr(default, each.name), int | float)
        }
        return cls(
            mappings=Path(env.get("PROJOPS_MAPPINGS", default.mappings)),
            expectations=Path(env.get("PROJOPS_EXPECTATIONS", default.expectations)),
            alerts=Path(env.get("PROJOPS_ALERTS", default.alerts)),
            staging=env.get("PROJOPS_STAGING", default.staging),
            state_url=env.get("PROJOPS_STATE_URL") or _state_connection(env) or default.state_url,
            **numbers,
        )


def _state_connection(env: Mapping[str, str]) -> str | None:
    """Read the state's URL from Airflow's connection variable, in URI or JSON form."""
    text = env.get("AIRFLOW_CONN_PROJOPS_STATE")
    if not text:
        return None
    if not text.lstrip().startswith("{"):
        return text
    try:
        extra = json.loads(text).get("extra") or {}
        extra = json.loads(extra) if isinstance(extra, str) else extra
        return str(extra["url"])
    except (ValueError, KeyError, TypeError):
        raise ConfigurationError(
            "The connection projops_state has no database URL.",
            remedy='Give it as a URI, or put {"url": "postgresql+psycopg://…"} into its extra field.',
        ) from None


def _number(env: Mapping[str, str], setting: str, default: float) -> float:
    name = f"PROJOPS_{setting.upper()}"
    text = env.get(name)
    if text is None:
        return default
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    least = _LEAST.get(setting, 0)
    if not (math.isfinite(number) and number >= least):
        raise ConfigurationError(
            f"{name} is {text:.40}, which is no number from {least} up.", remedy="Set it to a number."
        )
    return number
