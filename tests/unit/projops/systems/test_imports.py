"""What is asked of Finance around an import, and what is made of odd answers."""

import orjson
import pytest

from projops.errors import ProtocolError, UnknownOutcomeError
from projops.mapping.model import System
from projops.systems.imports import Import, Imports
from projops.systems.packages import ExecutionStatus, Packages
from tests.unit.projops.systems.wire import OpenSession, Time, Wire

ORDER = Import("g", "e1", "Customer groups", "uspm")
REFUSED = {"error": {"code": "", "message": "x", "innererror": {"message": "Another import is under way."}}}
EARLY = {"error": {"code": "", "message": "x", "innererror": {"message": "The execution was not found."}}}


def value(of: object) -> dict[str, object]:
    return {"value": of}


def counts(entity: str, created: object, updated: object) -> dict[str, object]:
    row = {
        "EntityName": entity,
        "TargetRecordsCreatedCount": created,
        "TargetRecordsUpdatedCount": updated,
    }
    return value(orjson.dumps([row]).decode())


async def test_a_package_goes_to_its_own_address_without_our_token(
    wire: Wire, open_session: OpenSession
) -> None:
    address = f"{wire.base_url}/blobs/1?sig=s%2Fx"
    wire.reply(200, value(orjson.dumps({"BlobId": "{1}", "BlobUrl": address}).decode()))
    wire.reply(201)
    async with open_session(System.FINANCE) as session:
        assert await Imports(Packages(session)).upload("e1.zip", b"zip") == address
    assert orjson.loads(wire.seen[0].body) == {"uniqueFileName": "e1.zip"}
    put = wire.seen[1]
    assert (put.method, put.path, put.body) == ("PUT", "/blobs/1?sig=s%2Fx", b"zip")
    assert put.headers["x-ms-blob-type"] == "BlockBlob"
    assert "Authorization" not in put.headers


@pytest.mark.parametrize(
    "blob", ['{"BlobUrl": "https://elsewhere.example/x"}', '{"BlobId": "1"}', "no json", "[]"]
)
async def test_a_package_goes_nowhere_else(wire: Wire, open_session: OpenSession, blob: str) -> None:
    wire.reply(200, value(blob))
    async with open_session(System.FINANCE) as session:
        with pytest.raises(ProtocolError):
            await Imports(Packages(session)).upload("e1.zip", b"zip")
    assert len(wire.seen) == 1


async def test_an_import_carries_our_execution_id_and_runs_to_its_end(
    wire: Wire, open_session: OpenSession
) -> None:
    wire.reply(200, value("e1"))
    wire.reply(400, REFUSED)
    async with open_session(System.FINANCE) as session:
        imports = Imports(Packages(session))
        assert await imports.start(ORDER, "https://x") == ""
        assert "Another import is under way" in await imports.start(ORDER, "https://x")
    assert orjson.loads(wire.seen[0].body) == {
        "packageUrl": "https://x",
        "definitionGroupId": "g",
        "executionId": "e1",
        "execute": True,
        "overwrite": True,
        "legalEntityId": "uspm",
    }


async def test_an_import_whose_answer_is_lost_is_not_asked_for_twice(
    wire: Wire, open_session: OpenSession, time: Time
) -> None:
    wire.hang_up()
    wire.reply(400, EARLY)
    wire.reply(200, value("Executing"))
    for _ in range(10):
        wire.reply(400, EARLY)
    async with open_session(System.FINANCE) as session:
        imports = Imports(Packages(session))
        with pytest.raises(UnknownOutcomeError):
            await imports.start(ORDER, "https://x")
        assert await imports.is_known("e1")
        assert not await imports.is_known("e1")
    assert len(time.pauses) == 1 + 9  # none before the first look, and none after the last
    assert [seen.path.rpartition(".")[2] for seen in wire.seen].count("ImportFromPackage") == 1


@pytest.mark.parametrize(
    ("answer", "written"),
    [
        (counts("CUSTOMER GROUPS", 7, 2), 9),
        (counts("Other", 7, 2), -1),
        (counts("Customer groups", None, 2), -1),
        (value("no json"), -1),
        (value("[1]"), -1),
        (value(None), -1),
    ],
)
async def test_counts_are_believed_only_in_a_known_form(
    wire: Wire, open_session: OpenSession, answer: dict[str, object], written: int
) -> None:
    wire.reply(200, answer)
    async with open_session(System.FINANCE) as session:
        assert await Imports(Packages(session)).written(ORDER) == written


async def test_rows_refused_on_either_way_are_found_once_their_files_are_written(
    wire: Wire, open_session: OpenSession
) -> None:
    wire.reply(200, value(f"{wire.base_url}/blobs/staging"))
    wire.reply(200, body="CODE,NAME\r\nA,x\r\n".encode("utf-16"))
    wire.reply(200, value(True))
    wire.reply(200, value(""))
    wire.reply(200, value(f"{wire.base_url}/blobs/keys"))
    wire.reply(200, body="CODE\r\nB\r\nB\r\n".encode("utf-16"))
    async with open_session(System.FINANCE) as session:
        found = await Imports(Packages(session)).refused(ORDER, ["Code"], 5)
    assert found == {("A",), ("B",)}
    assert not wire.answers


async def test_a_file_of_keys_that_never_comes_is_awaited_for_a_bounded_time(
    wire: Wire, open_session: OpenSession
) -> None:
    wire.reply(200, value(""))
    wire.reply(200, value(True))
    for _ in range(10):
        wire.reply(200, value(""))
    async with open_session(System.FINANCE) as session:
        with pytest.raises(ProtocolError, match="writes no file"):
            await Imports(Packages(session)).refused(ORDER, ["Code"], 5)
    assert not wire.answers


async def test_an_execution_is_awaited_whichever_way_it_ends(wire: Wire, open_session: OpenSession) -> None:
    for status in ("NotRun", "Executing", "PartiallySucceeded"):
        wire.reply(200, value(status))
    async with open_session(System.FINANCE) as session:
        assert await Packages(session).ended("e1") is ExecutionStatus.PARTIALLY_SUCCEEDED
