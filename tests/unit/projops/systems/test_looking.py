"""All delta links of an environment in one request; what is wrong with one holds up no other."""

import pytest

from projops.errors import ProtocolError, ThrottledError
from projops.systems.dataverse import Dataverse, EntitySet
from projops.systems.looking import EXPIRED, Look, Pending, look
from projops.systems.retries import RetryPolicy
from tests.unit.projops.systems.wire import OpenSession, Part, Wire

ACCOUNTS = EntitySet("accounts", "account", "accountid")
CONTACTS = EntitySet("contacts", "contact", "contactid")
DELTA = "/api/data/v9.2/accounts?$select=name&$deltatoken=9%2108%2f22%2f2026%2008%3a10%3a44"
ROW = {"accountid": "0b5e1b5c-0000-4000-8000-00000000000a"}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"value": [ROW], "@odata.deltaLink": DELTA}, Pending(1, False, None)),
        ({"value": [ROW], "@odata.nextLink": DELTA}, Pending(1, True, None)),
        ({"value": [], "@odata.nextLink": DELTA}, Pending(0, True, None)),
        ({"value": [], "@odata.deltaLink": DELTA}, Pending(0, False, DELTA)),
    ],
)
async def test_what_a_first_page_says(
    wire: Wire, open_session: OpenSession, answer: dict[str, object], expected: Pending
) -> None:
    wire.reply_batch(Part(200, answer))
    async with open_session() as session:
        assert await look(Dataverse(session), [Look(ACCOUNTS, DELTA)]) == [expected]
    body = wire.seen[0].body.decode()
    assert f"GET {wire.base_url}{DELTA} HTTP/1.1" in body  # the link as it was given, not encoded anew
    assert "Prefer: odata.track-changes,odata.maxpagesize=100" in body


async def test_a_hundred_links_are_one_request_and_each_has_its_answer(
    wire: Wire, open_session: OpenSession
) -> None:
    """An expired token, a table that may not be read and a foreign link among tables that answer."""
    expired = {"error": {"code": "0x80044352", "message": "Version stamp has expired."}}
    refused = {"error": {"code": "0x80040220", "message": "Principal lacks prvReadContact."}}
    rest: dict[str, object] = {"value": [], "@odata.deltaLink": DELTA}
    astray: dict[str, object] = {"value": [], "@odata.deltaLink": "https://elsewhere.example/x"}
    answers = [Part(400, expired), Part(403, refused), Part(200, astray), *[Part(200, rest)] * 97]
    wire.reply_batch(*answers)
    async with open_session() as session:
        found = await look(Dataverse(session), [Look(CONTACTS, DELTA)] * 100)
    assert len(wire.seen) == 1
    assert found[0] is EXPIRED and EXPIRED.changed
    assert "prvReadContact" in str(found[1])
    assert isinstance(found[2], ProtocolError)
    assert found[3:] == [Pending(0, False, DELTA)] * 97


async def test_no_answer_is_nobodys_news(wire: Wire, open_session: OpenSession) -> None:
    for _ in range(2):
        wire.reply(503)
    async with open_session(policy=RetryPolicy(attempts=2)) as session:
        with pytest.raises(ThrottledError):
            await look(Dataverse(session), [Look(ACCOUNTS, DELTA)])
