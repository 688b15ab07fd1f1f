"""A bad answer to a batch: no row is taken from it, and no write is taken for done or not done."""

import pyarrow as pa
import pytest

from projops.errors import ProtocolError, StopError, SystemUnavailableError
from projops.mapping.model import System
from projops.systems.finance import Finance, RowWrite, Verb
from projops.systems.outcomes import Status
from projops.systems.properties import Property
from projops.systems.retries import RetryPolicy
from tests.bad_input.batches import GOOD, WHOLE, batch_cases, part
from tests.bad_input.kinds import Case, Ending, ids
from tests.unit.projops.systems.wire import OpenSession, Wire

CASES = list(batch_cases())
NAME = Property("name", pa.string())
ROWS = [RowWrite(Verb.CREATE, body=b'{"name":"a"}'), RowWrite(Verb.CREATE, body=b'{"name":"b"}')]
POLICY = RetryPolicy(attempts=2)
ERRORS = {Ending.STOP: StopError, Ending.AGAIN_LATER: SystemUnavailableError}
# Enough keys for two operations in one batch.
KEYS = [[f"k{number}"] for number in range(40)]


def answer(wire: Wire, content_type: str, body: bytes, times: int = 4) -> None:
    for _ in range(times):
        wire.reply(200, body=body, headers={"Content-Type": content_type})


async def test_the_good_batch_is_good(wire: Wire, open_session: OpenSession) -> None:
    answer(wire, WHOLE, GOOD.encode())
    async with open_session(System.FINANCE) as session:
        found = await Finance(session).by_keys("CustomersV3", [NAME], [NAME], KEYS)
    assert found["name"].to_pylist() == ["Ada", "Ada"]


@pytest.mark.parametrize("case", ids(CASES))
async def test_nothing_is_read_from_a_bad_batch(case: Case, wire: Wire, open_session: OpenSession) -> None:
    answer(wire, *case.content)
    async with open_session(System.FINANCE, policy=POLICY) as session:
        with pytest.raises(ERRORS[case.ending], match=case.named) as caught:
            await Finance(session).by_keys("CustomersV3", [NAME], [NAME], KEYS)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "case", ids([case for case in CASES if case.named in ("not whole", "do not belong", "belong")])
)
async def test_writes_with_a_bad_answer_are_of_unknown_outcome_or_stop(
    case: Case, wire: Wire, open_session: OpenSession
) -> None:
    answer(wire, *case.content)
    async with open_session(System.FINANCE, policy=POLICY) as session:
        if case.ending is Ending.STOP:
            with pytest.raises(ProtocolError, match=case.named):
                await Finance(session).write_each("CustomersV3", ROWS)
        else:
            outcomes = await Finance(session).write_each("CustomersV3", ROWS)
            assert {outcome.status for outcome in outcomes} == {Status.UNKNOWN}
    assert len(wire.seen) == 1  # nothing is sent twice


@pytest.mark.parametrize("status", ["199 Odd", "600 Odd", "000 Odd", "304 Not Modified"])
async def test_a_status_that_no_write_has_is_no_success(
    wire: Wire, open_session: OpenSession, status: str
) -> None:
    answer(wire, WHOLE, (part("1", status) + part("2", "204 No Content", "") + "--b--\r\n").encode())
    async with open_session(System.FINANCE, policy=POLICY) as session:
        with pytest.raises(StopError, match="HTTP"):
            await Finance(session).write_each("CustomersV3", ROWS)
