import io

import orjson
import pytest

from projops.errors import (
    ProtocolError,
    SystemUnavailableError,
    UnknownOutcomeError,
    WatermarkExpiredError,
)
from projops.mapping.model import System
from projops.systems.definition_groups import DefinitionGroup, Refresh, ensure_group
from projops.systems.packages import ExecutionStatus, Export, Packages
from tests.unit.projops.systems.wire import OpenSession, Time, Wire

ACTION = "/data/DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities."
EARLY = {
    "error": {
        "code": "",
        "message": "An error has occurred.",
        "innererror": {"message": "The execution details for the execution ID 'e1' were not found."},
    }
}
EXISTS = {"error": {"code": "", "message": "x", "innererror": {"message": "The record already exists"}}}
GROUP = DefinitionGroup("projops d'or", "Customers V3", Refresh.INCREMENTAL)


def value(of: object) -> dict[str, object]:
    return {"@odata.context": "http://x/data/$metadata#Edm.String", "value": of}


async def test_a_group_that_is_there_stays_as_it_is(wire: Wire, open_session: OpenSession) -> None:
    wire.reply(200, {"value": [{"Name": "x"}]})
    wire.reply(200, {"value": [{"DefinitionGroupId": "x"}]})
    async with open_session(System.FINANCE) as session:
        await ensure_group(session, GROUP)
    assert [seen.method for seen in wire.seen] == ["GET", "GET"]
    assert "Name%20eq%20'projops%20d''or'" in wire.seen[0].path


async def test_a_group_is_made_with_its_entity(wire: Wire, open_session: OpenSession) -> None:
    wire.reply(200, {"value": []})
    wire.reply(500, EXISTS)  # somebody else was faster
    wire.reply(200, {"value": []})
    wire.reply(201, {})
    async with open_session(System.FINANCE) as session:
        await ensure_group(session, GROUP)
    assert orjson.loads(wire.seen[1].body) == {"Name": "projops d'or", "OperationType": "Export"}
    assert orjson.loads(wire.seen[3].body) == {
        "DefinitionGroupId": "projops d'or",
        "EntityName": "Customers V3",
        "SourceFormat": "CSV-Unicode",
        "DefaultRefreshType": "IncrementalPushOnly",
        "AutoGenerateMapping": "Yes",
    }


async def test_export_carries_our_execution_id(wire: Wire, open_session: OpenSession) -> None:
    wire.reply(200, value("e1"))
    async with open_session(System.FINANCE) as session:
        await Packages(session).export(Export("g", "e1", "uspm"), re_execute=True)
    assert wire.seen[0].path == f"{ACTION}ExportToPackage"
    assert orjson.loads(wire.seen[0].body) == {
        "definitionGroupId": "g",
        "packageName": "e1",
        "executionId": "e1",
        "reExecute": True,
        "legalEntityId": "uspm",
    }


async def test_an_export_whose_answer_is_lost_is_not_asked_for_twice(
    wire: Wire, open_session: OpenSession
) -> None:
    wire.hang_up()
    async with open_session(System.FINANCE) as session:
        with pytest.raises(UnknownOutcomeError):
            await Packages(session).export(Export("g", "e1"))
    assert len(wire.seen) == 1


async def test_an_export_that_is_refused_is_no_bad_row(wire: Wire, open_session: OpenSession) -> None:
    wire.reply(400, {"error": {"code": "", "message": "The definition group 'g' does not exist."}})
    async with open_session(System.FINANCE) as session:
        with pytest.raises(ProtocolError, match="'g' does not exist"):
            await Packages(session).export(Export("g", "e1"))


async def test_waiting_asks_less_and_less_often(wire: Wire, open_session: OpenSession, time: Time) -> None:
    wire.reply(400, EARLY)
    for status in ("NotRun", "Unknown", "Executing", "Succeeded"):
        wire.reply(200, value(status))
    async with open_session(System.FINANCE) as session:
        await Packages(session).wait("e1")
    assert len(time.pauses) == 4
    assert time.pauses == sorted(time.pauses)
    assert session.counts["poll"] == 5


async def test_waiting_ends(wire: Wire, open_session: OpenSession, time: Time) -> None:
    for _ in range(20):
        wire.reply(200, value("Executing"))
    async with open_session(System.FINANCE) as session:
        with pytest.raises(SystemUnavailableError, match="within 30 s"):
            await Packages(session).wait("e1", seconds=30)
    assert sum(time.pauses) <= 30


async def test_a_failed_export_tells_its_reason(wire: Wire, open_session: OpenSession) -> None:
    wire.reply(200, value("Failed"))
    wire.reply(200, value('[{"RecordId":"","Field":"","ErrorMessage":"No such entity."}]'))
    async with open_session(System.FINANCE) as session:
        with pytest.raises(SystemUnavailableError, match="ended as Failed: No such entity"):
            await Packages(session).wait("e1")


@pytest.mark.parametrize(
    ("answer", "errors"),
    [
        ("", []),
        ("no json", ["no json"]),
        ('["a","b"]', ["a", "b"]),
        ('{"ErrorMessage":"a"}', ["a"]),
        ([{"ErrorMessage": "a"}], ["a"]),
    ],
)
async def test_errors_in_any_form(
    wire: Wire, open_session: OpenSession, answer: object, errors: list[str]
) -> None:
    wire.reply(200, value(answer))
    async with open_session(System.FINANCE) as session:
        assert await Packages(session).errors("e1") == errors


async def test_status(wire: Wire, open_session: OpenSession) -> None:
    wire.reply(400, EARLY)
    wire.reply(200, value("PartiallySucceeded"))
    wire.reply(200, value("Dreaming"))
    wire.reply(400, {"error": {"code": "", "message": "Another matter."}})
    async with open_session(System.FINANCE) as session:
        packages = Packages(session)
        assert await packages.status("e1") is None
        assert await packages.status("e1") is ExecutionStatus.PARTIALLY_SUCCEEDED
        with pytest.raises(ProtocolError, match="Dreaming"):
            await packages.status("e1")
        with pytest.raises(Exception, match="Another matter"):
            await packages.status("e1")


@pytest.mark.parametrize("nested", [False, True])
async def test_download_from_a_plain_or_nested_address(
    wire: Wire, open_session: OpenSession, nested: bool
) -> None:
    address = f"{wire.base_url}/blobs/1/e1.zip?se=2026&sig=a%2Bb"
    wire.reply(200, value({"value": address} if nested else address))
    wire.reply(200, body=b"PK")
    into = io.BytesIO()
    async with open_session(System.FINANCE) as session:
        await Packages(session).download("e1", into)
    assert into.getvalue() == b"PK"
    assert wire.seen[1].path == "/blobs/1/e1.zip?se=2026&sig=a%2Bb"


@pytest.mark.parametrize("status", [403, 404, 410])
async def test_a_package_that_is_gone(wire: Wire, open_session: OpenSession, status: int) -> None:
    wire.reply(200, value(f"{wire.base_url}/blobs/1"))
    wire.reply(status, body=b"<Error><Code>BlobNotFound</Code></Error>")
    wire.reply(200, value(""))
    async with open_session(System.FINANCE) as session:
        for _ in range(2):
            with pytest.raises(WatermarkExpiredError, match="no longer there"):
                await Packages(session).download("e1", io.BytesIO())


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/x.zip",
        "https://blob.core.windows.net.evil.example/x",
        "http://store.blob.core.windows.net/x",
        "http://127.0.0.1:1/x",
        "file:///etc/passwd",
        "/relative",
    ],
)
async def test_packages_come_from_their_hosts_only(
    wire: Wire, open_session: OpenSession, address: str
) -> None:
    wire.reply(200, value(address))
    async with open_session(System.FINANCE) as session:
        with pytest.raises(ProtocolError, match="keeps no files"):
            await Packages(session).download("e1", io.BytesIO())
    assert len(wire.seen) == 1
