"""What clients send is a parameter of statements and never a part of them: read in the database's own log."""

import asyncio
from pathlib import Path

import httpx
import sqlalchemy as sa

from tests.contract.process import postgres, serve
from tests.fuzz.hostile import MARKER
from tests.fuzz.run import NO_LIMITS, fuzz

_REQUESTS, _SEED = 1500, 5
# The statements with their placeholders; values would stand in lines of their own, which are left out.
_LOGGED = {"log_statement": "all", "log_parameter_max_length": "0", "log_parameter_max_length_on_error": "0"}


def test_no_injection_becomes_sql(tmp_path: Path) -> None:
    with postgres() as url:
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            folder = Path(connection.exec_driver_sql("SHOW data_directory").scalar_one())
            for name, value in _LOGGED.items():
                connection.exec_driver_sql(f"ALTER SYSTEM SET {name} = '{value}'")
            connection.exec_driver_sql("SELECT pg_reload_conf()")
        with serve("postgres", url, tmp_path) as sandbox:
            with httpx.Client(base_url=sandbox.control, timeout=60) as control:
                control.post("/sandbox/reset", json={"seed": "demo"}).raise_for_status()
                control.put("/sandbox/limits", json=NO_LIMITS).raise_for_status()
            findings = asyncio.run(fuzz(sandbox, _SEED, _REQUESTS))
        with engine.connect() as connection:
            # The canary: a statement that does hold the marker is seen.
            connection.exec_driver_sql(f"SELECT 'canary {MARKER}'")
        engine.dispose()
        log = (folder / "log").read_text(errors="replace")
    assert not findings.wrong, str(findings)
    statements = [line for line in log.splitlines() if "ERROR:" not in line and "DETAIL:" not in line]
    assert sum("SELECT" in line for line in statements) > _REQUESTS / 10, "the log shows no statements"
    assert [line for line in statements if MARKER in line and "canary" not in line] == []
    assert any("canary" in line for line in statements)
