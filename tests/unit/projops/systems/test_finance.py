from urllib.parse import unquote

import pyarrow as pa
import pytest

from projops.errors import ConfigurationError, ProtocolError
from projops.mapping.model import System
from projops.systems.finance import Finance, RowWrite, Verb
from projops.systems.outcomes import Status
from projops.systems.properties import Property
from projops.systems.quoting import any_of
from tests.unit.projops.systems.wire import OpenSession, Part, Wire

AREA, NUMBER, NAME = (Property(name, pa.string()) for name in ("dataAreaId", "ProjectId", "ProjectName"))
COLUMNS = (AREA, NUMBER, NAME)
AX = "Microsoft.Dynamics.Platform.Integration.Services.OData.AxODataWriteException"


def row(area: str, number: str, name: str = "") -> dict[str, object]:
    return {"@odata.etag": 'W/"JzEsMSc="', "dataAreaId": area, "ProjectId": number, "ProjectName": name}


def infolog(text: str) -> dict[str, object]:
    message = f"Write failed for table row of type 'ProjectsV2'. Infolog: Error: {text}."
    return {
        "error": {
            "code": "",
            "message": "An error has occurred.",
            "innererror": {"message": message, "type": AX},
        }
    }


async def test_the_host_tells_which_environment_it_is(open_session: OpenSession) -> None:
    async with open_session(System.FINANCE) as session:
        assert Finance(session).environment_id() == "127.0.0.1"


async def test_lists_cross_company_and_follow_links(wire: Wire, open_session: OpenSession) -> None:
    link = f"{wire.base_url}/data/ProjectsV2?cross-company=true&$skip=10000&$top=10000"
    wire.reply(200, {"value": [row("uspm", "P1")], "@odata.nextLink": link})
    wire.reply(200, {"value": [row("gbpm", "P2", "x")]})
    async with open_session(System.FINANCE) as session:
        where = any_of("dataAreaId", ["uspm", "gbpm"])
        pages = Finance(session).pages("ProjectsV2", COLUMNS, where, ["dataAreaId", "ProjectId"])
        batches = [page.batch async for page in pages]
    assert [batch.column("ProjectId").to_pylist() for batch in batches] == [["P1"], ["P2"]]
    assert batches[0].column("ProjectName").to_pylist() == [None]
    assert unquote(wire.seen[0].path) == (
        "/data/ProjectsV2?$select=dataAreaId,ProjectId,ProjectName"
        "&$filter=dataAreaId eq 'uspm' or dataAreaId eq 'gbpm'&$orderby=dataAreaId,ProjectId"
        "&cross-company=true"
    )
    assert wire.seen[1].path == "/data/ProjectsV2?cross-company=true&$skip=10000&$top=10000"


async def test_a_repeating_link_ends_the_read(wire: Wire, open_session: OpenSession) -> None:
    for _ in range(2):
        wire.reply(200, {"value": [], "@odata.nextLink": "/data/ProjectsV2?$skip=10000"})
    async with open_session(System.FINANCE) as session:
        with pytest.raises(ProtocolError, match="repeats"):
            [page async for page in Finance(session).pages("ProjectsV2", COLUMNS)]


async def test_by_keys(wire: Wire, open_session: OpenSession) -> None:
    wire.reply_batch(
        Part(200, {"value": [row("uspm", "P1")]}),
        Part(200, {"value": []}),
    )
    wire.reply_batch(
        Part(200, row("uspm", "A*B", "star")),
        Part(404, {"error": {"code": "", "message": "No."}}),
    )
    keys = [("uspm", f"P{number}") for number in range(40)] + [("uspm", "A*B"), ("uspm", "C*")]
    async with open_session(System.FINANCE) as session:
        found = await Finance(session).by_keys("ProjectsV2", COLUMNS, (AREA, NUMBER), keys)
    assert found.column("ProjectId").to_pylist() == ["P1", "A*B"]
    assert found.schema.names == ["_id", "_version", "dataAreaId", "ProjectId", "ProjectName"]
    lists, single = (unquote(each.body.decode()) for each in wire.seen)
    assert "(dataAreaId eq 'uspm' and ProjectId eq 'P0') or (" in lists
    assert "/data/ProjectsV2(dataAreaId='uspm',ProjectId='C*')?cross-company=true" in single
    assert [body.count("cross-company=true") for body in (lists, single)] == [2, 2]


async def test_rows_by_their_whole_keys_go_many_at_a_time_and_only_a_404_says_that_one_is_gone(
    wire: Wire, open_session: OpenSession
) -> None:
    gone = Part(404, {"error": {"code": "", "message": "No."}})
    wire.reply_batch(*[gone] * 99, Part(200, row("uspm", "P99")))
    wire.reply_batch(gone)
    keys = [("uspm", f"P{number}") for number in range(101)]
    async with open_session(System.FINANCE) as session:
        finance = Finance(session)
        found = await finance.by_whole_keys("ProjectsV2", COLUMNS, (AREA, NUMBER), keys)
        assert found.column("ProjectId").to_pylist() == ["P99"]
        assert len(wire.seen) == 2
        wire.reply_batch(
            gone, Part(404, {"Message": "No HTTP resource was found that matches the request URI 'x'."})
        )
        with pytest.raises(ProtocolError, match="No HTTP resource"):
            await finance.by_whole_keys("ProjectsV3", COLUMNS, (AREA, NUMBER), keys[:2])


async def test_whether_rows_are_there_tells_absent_from_unknown(
    wire: Wire, open_session: OpenSession
) -> None:
    absent = Part(404, {"error": {"code": "", "message": "No."}})
    wire.reply_batch(Part(200, row("uspm", "P1", "x")), absent, Part(200, row("uspm", "P3", "x")))
    wire.reply_batch(
        absent, Part(404, {"Message": "No HTTP resource was found that matches the request URI 'x'."})
    )
    wire.reply_batch(absent, Part(403, {"error": {"code": "", "message": "Not for you."}}))
    keys = [("uspm", f"P{number}") for number in (1, 2, 3)]
    async with open_session(System.FINANCE) as session:
        finance = Finance(session)
        assert await finance.are_there("ProjectsV2", (AREA, NUMBER), keys) == [True, False, True]
        with pytest.raises(ProtocolError, match="No HTTP resource"):
            await finance.are_there("ProjectsV3", (AREA, NUMBER), keys[:2])
        with pytest.raises(ConfigurationError, match="Not for you"):
            await finance.are_there("ProjectsV2", (AREA, NUMBER), keys[:2])
    assert len(wire.seen) == 3


async def test_each_row_has_its_own_changeset_and_outcome(wire: Wire, open_session: OpenSession) -> None:
    wire.reply_batch(
        Part(201, row("uspm", "P1"), {"ETag": 'W/"x"'}, "1"),
        Part(204, content_id="2"),
        Part(500, infolog("The record already exists")),  # a failed changeset names no Content-ID
        Part(500, infolog("Project contract 'C9' does not exist")),
        Part(500, infolog("Field 'Project name' must be filled in")),
        Part(404, {"error": {"code": "", "message": "Gone."}}),
    )
    key = "(dataAreaId='uspm',ProjectId='P1')"
    rows = [
        RowWrite(Verb.CREATE, body=b'{"a":1}'),
        RowWrite(Verb.UPDATE, key, b'{"a":2}'),
        RowWrite(Verb.CREATE, body=b'{"a":3}'),
        RowWrite(Verb.CREATE, body=b'{"a":4}'),
        RowWrite(Verb.UPDATE, key, b'{"a":5}'),
        RowWrite(Verb.DELETE, key),
    ]
    async with open_session(System.FINANCE) as session:
        written = await Finance(session).write_each("ProjectsV2", rows)
    assert [outcome.status for outcome in written] == [
        Status.OK,
        Status.OK,
        Status.DUPLICATE,
        Status.PARENT_MISSING,
        Status.REJECTED,
        Status.NOT_FOUND,
    ]
    assert written[0].etag == 'W/"x"'
    assert written[4].message == "Field 'Project name' must be filled in."
    body = wire.seen[0].body
    assert body.count(b"Content-Type: multipart/mixed; boundary=") == 6
    base = wire.base_url.encode()
    assert b"POST " + base + b"/data/ProjectsV2?cross-company=true HTTP/1.1" in body
    assert (
        b"DELETE " + base + b"/data/ProjectsV2(dataAreaId='uspm',ProjectId='P1')?cross-company=true " in body
    )


async def test_a_lost_create_is_unknown_and_a_lost_update_repeated(
    wire: Wire, open_session: OpenSession
) -> None:
    wire.hang_up()
    async with open_session(System.FINANCE) as session:
        [lost] = await Finance(session).write_each("ProjectsV2", [RowWrite(Verb.CREATE, body=b"{}")])
        assert lost.status is Status.UNKNOWN
        assert len(wire.seen) == 1
        wire.hang_up()
        wire.reply_batch(Part(204))
        [done] = await Finance(session).write_each("ProjectsV2", [RowWrite(Verb.UPDATE, "(a='1')", b"{}")])
    assert done.status is Status.OK


async def test_creates_beyond_the_cut_are_unknown(wire: Wire, open_session: OpenSession) -> None:
    wire.reply_batch(Part(201, row("uspm", "P1")), Part(201, row("uspm", "P2")), end=False)
    rows = [RowWrite(Verb.CREATE, body=b"{}")] * 3
    async with open_session(System.FINANCE) as session:
        written = await Finance(session).write_each("ProjectsV2", rows)
    assert [outcome.status for outcome in written] == [Status.OK, Status.UNKNOWN, Status.UNKNOWN]


async def test_an_unknown_set_stops_everything(wire: Wire, open_session: OpenSession) -> None:
    wire.reply_batch(Part(404, {"Message": "No HTTP resource was found that matches the request URI 'x'."}))
    async with open_session(System.FINANCE) as session:
        with pytest.raises(ProtocolError):
            await Finance(session).write_each("Projects", [RowWrite(Verb.CREATE, body=b"{}")])
