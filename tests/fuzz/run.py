"""Sends hostile requests to a running sandbox and collects what it does wrong."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

import aiohttp
from yarl import URL

from tests.contract.process import Sandbox
from tests.fuzz.judge import faults_of
from tests.fuzz.requests import Request, hostile_requests

# Service protection would answer most requests instead of what they are meant for. A reset forgets it.
NO_LIMITS = {"requests": 10**9, "execution_seconds": 10**9}
_AT_ONCE = 8
_SECONDS = 30.0
_USUAL = {"Authorization": "Bearer sandbox-token", "Accept": "application/json", "OData-Version": "4.0"}
_MOST_FINDINGS = 20


@dataclass
class Findings:
    """What came back.

    Attributes:
        statuses: Answers by system and status.
        wrong: What is wrong, with the request that shows it.
    """

    statuses: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        told = ", ".join(f"{status} {count}" for status, count in sorted(self.statuses.items()))
        return "\n".join([f"{self.statuses.total()} requests: {told}; {len(self.wrong)} wrong", *self.wrong])


async def fuzz(sandbox: Sandbox, seed: int, count: int) -> Findings:
    """Send so many hostile requests, some at once.

    Args:
        sandbox: Where to.
        seed: Which requests.
        count: How many.
    """
    findings, requests = Findings(), islice(hostile_requests(seed), count)
    roots = {"dataverse": sandbox.dataverse, "finance": sandbox.finance}
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout, auto_decompress=True) as session:
        await asyncio.gather(*(_send_all(session, roots, requests, findings) for _ in range(_AT_ONCE)))
    return findings


async def _send_all(
    session: aiohttp.ClientSession, roots: dict[str, str], requests: Iterator[Request], findings: Findings
) -> None:
    for request in requests:
        if len(findings.wrong) >= _MOST_FINDINGS:
            return
        try:
            async with session.request(
                request.method,
                URL(roots[request.system] + request.url, encoded=True),
                data=request.body,
                headers=_USUAL | dict(request.headers),
                allow_redirects=False,
            ) as answer:
                body = await answer.read()
                headers = {name.lower(): value for name, value in answer.headers.items()}
                findings.statuses[f"{request.system} {answer.status}"] += 1
                found = [*faults_of(request, answer.status, headers, body)]
        except (TimeoutError, aiohttp.ClientError) as broken:
            found = [f"broke the connection ({broken!r})"]
            body = b""
        findings.wrong += [f"{request}\n  {what}: {body[:300]!r}" for what in found]
