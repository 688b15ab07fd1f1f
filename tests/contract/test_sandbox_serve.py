"""The process and its control plane: ready line, tokens on both systems, clean stop, reset, seeds."""

import subprocess
import sys
from pathlib import Path

import httpx

from tests.contract.process import PROJECT, Sandbox, serve

UNKNOWN = "99999999-0000-0000-0000-000000000000"


def test_ready_line_names_every_address(sandbox: Sandbox) -> None:
    for address in (sandbox.dataverse, sandbox.finance, sandbox.control):
        assert address.startswith("http://127.0.0.1:")
    for address in (sandbox.dataverse_tls, sandbox.finance_tls):
        assert address.startswith("https://127.0.0.1:")
    assert Path(sandbox.ca_file).read_text().startswith("-----BEGIN CERTIFICATE-----")


def test_a_seeded_database_is_left_as_it_is_and_another_seed_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'kept.db'}"
    with serve("sqlite", url, tmp_path):
        pass
    command = [sys.executable, "-m", "sandbox", "serve", "--database", url, "--seed", "demo"]
    ports = [part for name in ("dataverse", "finance") for part in (f"--{name}-port", "0")]
    refused = subprocess.run(
        [*command, *ports], capture_output=True, text=True, timeout=60, cwd=PROJECT, check=False
    )
    assert refused.returncode == 1
    assert "filled with the seed empty, not demo" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_unknown_job_and_unknown_seed_name_the_known_ones(control: httpx.Client) -> None:
    job = control.post("/sandbox/jobs/make-coffee")
    assert job.status_code == 404
    assert "make-coffee" in job.json()["error"]
    seed = control.post("/sandbox/reset", json={"seed": "huge"})
    assert seed.status_code == 400
    assert "demo, empty" in seed.json()["error"]


def test_jobs_are_listed_and_say_what_they_do(control: httpx.Client) -> None:
    jobs = control.get("/sandbox/jobs").json()["jobs"]
    assert "(R601)" in jobs["import-from-staging"]
    assert all(jobs.values())
    assert set(jobs) >= {
        "auto-approve",
        "post-expense-reports",
        "post-integration-journal",
        "post-invoice-proposals",
        "post-vendor-invoices",
    }


def test_a_job_that_refuses_says_why_and_what_it_needs(control: httpx.Client) -> None:
    missing = control.post("/sandbox/jobs/create-invoice")
    assert missing.status_code == 400
    assert "'contract'" in missing.json()["error"]
    unknown = control.post("/sandbox/jobs/create-invoice", json={"contract": UNKNOWN})
    assert unknown.status_code == 400
    assert UNKNOWN in unknown.json()["error"]
