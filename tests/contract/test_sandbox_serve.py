"""The process and its control plane: ready line, tokens on both systems, clean stop, reset, seeds."""

import subprocess
import sys
from pathlib import Path

import httpx

from tests.contract.process import PROJECT, Sandbox, serve


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
