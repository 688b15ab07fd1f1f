"""A bad answer is asked for again where that may help, else it ends the reading with one sentence."""

import gzip
import io

import pyarrow as pa
import pytest

from projops.errors import ProjOpsError, ProtocolError, StopError, TryAgainError, WatermarkExpiredError
from projops.mapping.model import System
from projops.systems.dataverse import Dataverse, EntitySet
from projops.systems.decoding import Page
from projops.systems.finance import Finance
from projops.systems.properties import Property
from projops.systems.retries import RetryPolicy
from projops.systems.session import ODataSession
from tests.bad_input.answers import Reply, answer_cases, good
from tests.bad_input.kinds import Case, Ending, ids
from tests.unit.projops.systems.wire import OpenSession, Wire

CASES = list(answer_cases())
ACCOUNTS = EntitySet("accounts", "account", "accountid")
NAME = Property("name", pa.string())
ERRORS = {
    Ending.STOP: StopError,
    Ending.AGAIN_LATER: TryAgainError,
    Ending.FULL_READ: WatermarkExpiredError,
}
ATTEMPTS = 4


async def read(session: ODataSession) -> list[Page]:
    """Read the list of the session's system to its end."""
    if session.connection.system is System.DATAVERSE:
        return [page async for page in Dataverse(session).changes(ACCOUNTS, [NAME])]
    return [page async for page in Finance(session).pages("CustomersV3", [NAME])]


@pytest.mark.parametrize("case", ids([case for case in CASES if case.ending is Ending.RETRIED]))
async def test_what_may_pass_is_asked_again(case: Case, wire: Wire, open_session: OpenSession) -> None:
    system = System(case.shape)
    for reply in (case.content, good(system)):
        wire.answers.append(reply.handler(wire.base_url))
    async with open_session(system) as session:
        [page] = await read(session)
    assert page.batch["name"].to_pylist() == ["Ada"]
    assert len(wire.seen) == 2


@pytest.mark.parametrize("case", ids([case for case in CASES if case.ending in ERRORS]))
async def test_what_stays_ends_with_a_sentence(case: Case, wire: Wire, open_session: OpenSession) -> None:
    for _ in range(2 * ATTEMPTS):
        wire.answers.append(case.content.handler(wire.base_url))
    async with open_session(System(case.shape), policy=RetryPolicy(attempts=ATTEMPTS)) as session:
        with pytest.raises(ERRORS[case.ending], match=case.named) as caught:
            await read(session)
    assert isinstance(caught.value, ProjOpsError)
    assert caught.value.remedy
    assert "let-me-in" not in str(caught.value)
    assert len(wire.seen) <= ATTEMPTS


async def test_an_answer_that_unpacks_to_a_flood_is_left(wire: Wire, open_session: OpenSession) -> None:
    bomb = Reply(body=gzip.compress(bytes(50_000_000)), headers={"Content-Encoding": "gzip"})
    wire.answers.append(bomb.handler(wire.base_url))
    async with open_session(System.FINANCE) as session:
        with pytest.raises(ProtocolError, match="larger than 1000000 bytes"):
            await session.download(f"{wire.base_url}/x", io.BytesIO(), what="downloading", limit=1_000_000)
