"""A share of `make fuzz`: hostile requests crash nothing, whatever the database."""

import asyncio

import httpx

from tests.contract.process import Sandbox
from tests.fuzz.run import NO_LIMITS, fuzz

_REQUESTS, _SEED = 1500, 11


def test_hostile_requests_are_refused_properly(sandbox: Sandbox, control: httpx.Client, demo: None) -> None:
    control.put("/sandbox/limits", json=NO_LIMITS).raise_for_status()
    findings = asyncio.run(fuzz(sandbox, _SEED, _REQUESTS))
    assert not findings.wrong, str(findings)
    answered = findings.statuses
    assert answered["dataverse 429"] == 0
    assert answered["dataverse 200"] > 100 and answered["finance 200"] > 50, (
        "too few got past the first check"
    )
    alive = control.get("/sandbox/stats", params={"writes": "false"})
    assert alive.is_success, "the sandbox has not survived"
