from urllib.parse import unquote

import pyarrow as pa
import pytest

from projops.errors import ProtocolError, SystemUnavailableError, WatermarkExpiredError
from projops.systems.dataverse import Dataverse, EntitySet
from projops.systems.properties import Form, Property
from projops.systems.retries import RetryPolicy
from tests.unit.projops.systems.wire import OpenSession, Part, Time, Wire

ACCOUNTS = EntitySet("accounts", "account", "accountid")
NAME = Property("name", pa.string())
COMPANY = Property("msdyn_company", pa.string(), Form.LOOKUP)
A, B, C = (f"0b5e1b5c-0000-4000-8000-00000000000{letter}" for letter in "abc")
DELTA = "/api/data/v9.2/accounts?$deltatoken=919042%2108%2f22%2f2017%2008%3a10%3a44"


def row(entity_id: str, **columns: object) -> dict[str, object]:
    return {"@odata.etag": 'W/"1"', "accountid": entity_id, **columns}


async def test_environment_id(wire: Wire, open_session: OpenSession) -> None:
    wire.reply(200, {"OrganizationId": A.upper(), "UserId": B})
    wire.reply(200, {"UserId": B})
    async with open_session() as session:
        assert await Dataverse(session).environment_id() == A
        with pytest.raises(ProtocolError, match="organization"):
            await Dataverse(session).environment_id()
    assert wire.seen[0].path == "/api/data/v9.2/WhoAmI"


async def test_changes_from_the_beginning(wire: Wire, open_session: OpenSession) -> None:
    cookie = "%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22%253ccookie%22%20/%3E"
    next_link = f"{wire.base_url}/api/data/v9.2/accounts?$select=name&$skiptoken={cookie}"
    wire.reply(200, {"value": [row(A, name="a", _msdyn_company_value=None)], "@odata.nextLink": next_link})
    wire.reply(
        200,
        {"value": [row(B, name="b", _msdyn_company_value=None)], "@odata.deltaLink": wire.base_url + DELTA},
    )
    async with open_session() as session:
        pages = [page async for page in Dataverse(session).changes(ACCOUNTS, [NAME, COMPANY], page_size=7)]
    assert [page.batch.column("_id").to_pylist() for page in pages] == [[A], [B]]
    assert (pages[0].delta_link, pages[1].delta_link) == (None, DELTA)
    assert wire.seen[0].path == "/api/data/v9.2/accounts?$select=accountid,name,_msdyn_company_value"
    assert wire.seen[0].headers["Prefer"] == "odata.track-changes,odata.maxpagesize=7"
    assert wire.base_url + wire.seen[1].path == next_link  # opaque: byte for byte


async def test_changes_since_a_delta_link(wire: Wire, open_session: OpenSession) -> None:
    gone = {"@odata.context": "x/$metadata#accounts/$deletedEntity", "id": B, "reason": "deleted"}
    wire.reply(200, {"value": [row(A, name="a"), gone], "@odata.deltaLink": wire.base_url + DELTA})
    async with open_session() as session:
        [page] = [page async for page in Dataverse(session).changes(ACCOUNTS, [NAME], DELTA)]
    assert wire.seen[0].path == DELTA
    assert (page.batch.num_rows, page.deleted, page.delta_link) == (1, (B,), DELTA)


async def test_an_expired_token_is_told(wire: Wire, open_session: OpenSession) -> None:
    wire.reply(400, {"error": {"code": "0x80044352", "message": "Version stamp ... has expired."}})
    async with open_session() as session:
        with pytest.raises(WatermarkExpiredError):
            [page async for page in Dataverse(session).changes(ACCOUNTS, [NAME], DELTA)]


@pytest.mark.parametrize(
    ("answers", "named"),
    [
        ([{"value": []}], "no delta link"),
        ([{"value": [], "@odata.nextLink": "/api/data/v9.2/accounts?$select=accountid,name"}], "repeats"),
        ([{"value": [], "@odata.nextLink": "https://evil.example/x"}], "elsewhere"),
        ([{"value": [], "@odata.deltaLink": "https://evil.example/x"}], "elsewhere"),
        ([{"value": [], "@odata.nextLink": "/n"}, {"value": [], "@odata.nextLink": "/n"}], "repeats"),
    ],
)
async def test_links_that_lead_nowhere(
    wire: Wire, open_session: OpenSession, answers: list[dict[str, object]], named: str
) -> None:
    for answer in answers:
        wire.reply(200, answer)
    async with open_session() as session:
        with pytest.raises(ProtocolError, match=named):
            [page async for page in Dataverse(session).changes(ACCOUNTS, [NAME])]


async def test_by_ids_reports_what_is_not_there(wire: Wire, open_session: OpenSession) -> None:
    wire.reply_batch(Part(200, {"value": [row(A, name="a")]}))
    async with open_session() as session:
        found, missing = await Dataverse(session).by_ids(ACCOUNTS, [NAME], [A.upper(), B, B])
    assert found.column("name").to_pylist() == ["a"]
    assert missing == (B,)
    asked = f'$filter=Microsoft.Dynamics.CRM.In(PropertyName=\'accountid\',PropertyValues=["{A}","{B}"]) '
    assert asked in unquote(wire.seen[0].body.decode())


async def test_by_ids_in_chunks_and_for_none(wire: Wire, open_session: OpenSession) -> None:
    ids = [f"0b5e1b5c-0000-4000-8000-{number:012d}" for number in range(450)]
    wire.reply_batch(*[Part(200, {"value": []})] * 3)
    async with open_session() as session:
        found, missing = await Dataverse(session).by_ids(ACCOUNTS, [NAME], ids)
        assert (found.num_rows, len(missing)) == (0, 450)
        found, missing = await Dataverse(session).by_ids(ACCOUNTS, [NAME], [])
        assert (found.schema.names, missing) == (["_id", "_version", "name"], ())
    [asked] = wire.seen
    requests = asked.body.split(b"GET ")[1:]
    assert [request.count(b"0b5e1b5c") for request in requests] == [200, 200, 50]
    assert max(map(len, requests)) < 64 * 1024


async def test_by_keys_asks_in_a_batch_and_follows_pages(wire: Wire, open_session: OpenSession) -> None:
    keys = [(f"n{number}", A) for number in range(60)]
    wire.reply_batch(
        Part(200, {"value": [row(A, name="n1")], "@odata.nextLink": wire.base_url + "/n"}),
        Part(200, {"value": [row(B, name="n51")]}),
    )
    wire.reply(200, {"value": [row(C, name="n2")]})
    async with open_session() as session:
        found = await Dataverse(session).by_keys(ACCOUNTS, [NAME], [NAME, COMPANY], keys)
    assert found.column("_id").to_pylist() == [A, C, B]
    body = unquote(wire.seen[0].body.decode())
    assert f"(name eq 'n0' and _msdyn_company_value eq {A}) or (name eq 'n1'" in body
    assert body.count("\r\nGET ") == 2
    assert wire.seen[0].path == "/api/data/v9.2/$batch"


async def test_a_batch_that_stays_throttled_is_an_error_not_an_empty_read(
    wire: Wire, open_session: OpenSession, time: Time
) -> None:
    busy = {"error": {"code": "0x80072322", "message": "Number of requests exceeded."}}
    for _ in range(6):
        wire.reply_batch(Part(429, busy, {"Retry-After": "9"}))
    async with open_session() as session:
        with pytest.raises(Exception, match="exceeded"):
            await Dataverse(session).by_keys(ACCOUNTS, [NAME], [NAME], [("a",)])
    assert time.pauses[0] == 9.0


async def test_a_batch_cut_short_is_read_again(wire: Wire, open_session: OpenSession) -> None:
    wire.reply_batch(Part(200, {"value": [row(A, name="a")]}), Part(200, {"value": []}), end=False)
    wire.reply_batch(Part(200, {"value": [row(B, name="b")]}))
    keys = [(f"n{number}",) for number in range(60)]
    async with open_session() as session:
        found = await Dataverse(session).by_keys(ACCOUNTS, [NAME], [NAME], keys)
    assert sorted(found.column("_id").to_pylist()) == [A, B]


async def test_a_batch_that_answers_nothing(wire: Wire, open_session: OpenSession) -> None:
    for _ in range(2):
        wire.reply_batch()
    async with open_session(policy=RetryPolicy(attempts=2)) as session:
        with pytest.raises(SystemUnavailableError, match="not whole"):
            await Dataverse(session).by_keys(ACCOUNTS, [NAME], [NAME], [("a",)])


async def test_a_part_that_lacks_its_end_is_asked_for_again(wire: Wire, open_session: OpenSession) -> None:
    part = b"--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 200 OK\r\n"
    cut = part + b'Content-Type: application/json\r\n\r\n{"value":[\r\n--b--\r\n'
    wire.reply(200, body=cut, headers={"Content-Type": "multipart/mixed; boundary=b"})
    wire.reply_batch(Part(200, {"value": [{"accountid": A, "name": "a"}]}))
    async with open_session() as session:
        found = await Dataverse(session).by_keys(ACCOUNTS, [NAME], [NAME], [("a",)])
    assert found["name"].to_pylist() == ["a"]


async def test_answers_that_belong_to_something_else(wire: Wire, open_session: OpenSession) -> None:
    wire.reply_batch(Part(200, {"value": []}, content_id="2"))
    async with open_session() as session:
        with pytest.raises(ProtocolError, match="do not belong"):
            await Dataverse(session).by_keys(ACCOUNTS, [NAME], [NAME], [("a",)])
