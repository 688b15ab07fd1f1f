import orjson
import pytest

from projops.errors import ConfigurationError, ProjOpsError, ProtocolError, ThrottledError
from projops.systems.dataverse import EntitySet
from projops.systems.dataverse_writer import DataverseWriter, RowWrite, Verb
from projops.systems.limits import Limits
from projops.systems.outcomes import RowOutcome, Status
from projops.systems.retries import RetryPolicy
from tests.unit.projops.systems.wire import OpenSession, Part, Time, Wire

ACCOUNTS = EntitySet("accounts", "account", "accountid")
A, B, C = (f"0b5e1b5c-0000-4000-8000-00000000000{letter}" for letter in "abc")
TWO = [RowWrite(b'{"name":"a"}', entity_id=A), RowWrite(b'{"name":"b"}', key="(accountnumber='B')")]


def fault(code: str, message: str) -> dict[str, object]:
    return {"error": {"code": code, "message": message}}


async def test_upsert_in_one_message(wire: Wire, open_session: OpenSession) -> None:
    wire.reply(204)
    async with open_session() as session:
        written = await DataverseWriter(session).write_many(Verb.UPSERT, ACCOUNTS, TWO)
    assert written == [RowOutcome(0, Status.OK, entity_id=A), RowOutcome(1, Status.OK)]
    [asked] = wire.seen
    assert (
        asked.path
        == "/api/data/v9.2/accounts/Microsoft.Dynamics.CRM.UpsertMultiple?tag=project-operations-sync"
    )
    kind = "Microsoft.Dynamics.CRM.account"
    assert orjson.loads(asked.body) == {
        "Targets": [
            {"@odata.type": kind, "accountid": A, "name": "a"},
            {"@odata.type": kind, "@odata.id": "accounts(accountnumber='B')", "name": "b"},
        ]
    }


async def test_created_rows_tell_their_ids(wire: Wire, open_session: OpenSession) -> None:
    wire.reply(200, {"Ids": [B, C]})
    rows = [RowWrite(b'{"name":"b"}'), RowWrite(b'{"name":"c"}')]
    async with open_session() as session:
        written = await DataverseWriter(session).write_many(Verb.CREATE, ACCOUNTS, rows)
    assert [outcome.entity_id for outcome in written] == [B, C]


async def test_a_refused_message_becomes_single_requests(wire: Wire, open_session: OpenSession) -> None:
    wire.reply(400, fault("0x80040216", "An unexpected error occurred."))
    wire.reply_batch(
        Part(
            204,
            headers={"OData-EntityId": f"https://x/accounts({A.upper()})", "ETag": 'W/"9"'},
            content_id="1",
        ),
        Part(400, fault("0x80044331", "The length of 'name' exceeded."), content_id="2"),
    )
    async with open_session() as session:
        written = await DataverseWriter(session).write_many(Verb.UPSERT, ACCOUNTS, TWO)
    assert written == [
        RowOutcome(0, Status.OK, entity_id=A, etag='W/"9"'),
        RowOutcome(1, Status.REJECTED, "0x80044331", "The length of 'name' exceeded."),
    ]
    assert wire.seen[1].headers["Prefer"] == "odata.continue-on-error"
    address = f"{wire.base_url}/api/data/v9.2/accounts({A})?tag=project-operations-sync "
    assert f"PATCH {address}".encode() in wire.seen[1].body


@pytest.mark.parametrize(
    ("verb", "condition", "line"),
    [
        (Verb.UPDATE, b"If-Match: *", b"PATCH"),
        (Verb.CREATE, b"If-None-Match: *", b"PATCH"),
        (Verb.UPSERT, None, b"PATCH"),
    ],
)
async def test_conditions_of_single_requests(
    wire: Wire, open_session: OpenSession, verb: Verb, condition: bytes | None, line: bytes
) -> None:
    wire.reply_batch(Part(204))
    async with open_session() as session:
        await DataverseWriter(session).write_each(verb, ACCOUNTS, TWO[:1])
    body = wire.seen[0].body
    assert line in body
    assert condition in body if condition else b"If-" not in body


async def test_a_row_without_key_can_only_be_created(wire: Wire, open_session: OpenSession) -> None:
    wire.reply_batch(Part(204, headers={"OData-EntityId": f"https://x/accounts({B})"}))
    rows = [RowWrite(b'{"name":"b"}')]
    async with open_session() as session:
        [written] = await DataverseWriter(session).write_many(Verb.CREATE, ACCOUNTS, rows)
        assert written.entity_id == B
        assert b"POST " in wire.seen[0].body
        with pytest.raises(ValueError, match="only be created"):
            await DataverseWriter(session).write_many(Verb.UPSERT, ACCOUNTS, rows * 2)


@pytest.mark.parametrize(
    ("verb", "status", "code", "message", "expected"),
    [
        (
            Verb.CREATE,
            412,
            "0x80040237",
            "A record with matching key values already exists.",
            Status.DUPLICATE,
        ),
        (Verb.UPDATE, 404, "0x80040217", f"account With Id = {A} Does Not Exist", Status.NOT_FOUND),
        (Verb.UPDATE, 404, "0x80040217", f"account With Id = {B} Does Not Exist", Status.PARENT_MISSING),
        (Verb.UPDATE, 404, "0x80040217", f"contact With Id = {A} Does Not Exist", Status.PARENT_MISSING),
        (Verb.UPSERT, 404, "0x80040217", f"cdm_company With Id = {B} Does Not Exist", Status.PARENT_MISSING),
        (
            Verb.UPSERT,
            404,
            "0x80060891",
            "A record with the specified key values does not exist in cdm_company entity",
            Status.PARENT_MISSING,
        ),
        (
            Verb.UPDATE,
            412,
            "0x80060882",
            "The version of the existing record doesn't match.",
            Status.CONFLICT,
        ),
        (Verb.UPSERT, 500, "0x80044150", "deadlock", Status.UNKNOWN),
    ],
)
async def test_outcomes(
    wire: Wire, open_session: OpenSession, verb: Verb, status: int, code: str, message: str, expected: Status
) -> None:
    wire.reply_batch(Part(status, fault(code, message)))
    async with open_session(policy=RetryPolicy(attempts=1)) as session:
        [written] = await DataverseWriter(session).write_each(verb, ACCOUNTS, TWO[:1])
    assert (written.status, written.code, written.message) == (expected, code, message)


async def test_by_key_the_own_row_may_be_missing(wire: Wire, open_session: OpenSession) -> None:
    message = "A record with the specified key values does not exist in account entity"
    wire.reply_batch(Part(404, fault("0x80060891", message)))
    async with open_session() as session:
        [written] = await DataverseWriter(session).write_each(Verb.UPDATE, ACCOUNTS, TWO[1:])
    assert written.status is Status.NOT_FOUND


async def test_throttled_rows_are_sent_again_and_no_others(
    wire: Wire, open_session: OpenSession, time: Time
) -> None:
    wire.reply_batch(Part(204), Part(429, fault("0x80072322", "exceeded"), {"Retry-After": "4"}))
    wire.reply_batch(Part(204, headers={"OData-EntityId": f"https://x/accounts({B})"}))
    async with open_session() as session:
        written = await DataverseWriter(session).write_each(Verb.UPSERT, ACCOUNTS, TWO)
    assert [outcome.status for outcome in written] == [Status.OK, Status.OK]
    assert written[1].entity_id == B
    assert time.pauses == [4.0]
    assert wire.seen[1].body.count(b"PATCH ") == 1


async def test_rows_after_an_error_that_stopped_the_batch_are_sent_too(
    wire: Wire, open_session: OpenSession
) -> None:
    wire.reply_batch(Part(400, fault("", "no")), status=400)
    wire.reply_batch(Part(204))
    async with open_session() as session:
        written = await DataverseWriter(session).write_each(Verb.UPSERT, ACCOUNTS, TWO)
    assert [outcome.status for outcome in written] == [Status.REJECTED, Status.OK]


async def test_creates_whose_answer_is_lost_are_unknown(wire: Wire, open_session: OpenSession) -> None:
    wire.hang_up()
    wire.hang_up()
    async with open_session() as session:
        writer = DataverseWriter(session)
        for write in (writer.write_many, writer.write_each):
            written = await write(Verb.CREATE, ACCOUNTS, TWO)
            assert [outcome.status for outcome in written] == [Status.UNKNOWN] * 2
    assert len(wire.seen) == 2


async def test_upserts_whose_answer_is_lost_are_sent_again(wire: Wire, open_session: OpenSession) -> None:
    wire.hang_up()
    wire.reply(204)
    async with open_session() as session:
        written = await DataverseWriter(session).write_many(Verb.UPSERT, ACCOUNTS, TWO)
    assert [outcome.status for outcome in written] == [Status.OK] * 2


@pytest.mark.parametrize(
    ("status", "code", "message", "error"),
    [
        (403, "0x80040220", "missing prvWriteAccount privilege", ConfigurationError),
        (400, "0x80048d19", "An undeclared property 'x' was found", ProtocolError),
    ],
)
async def test_what_concerns_all_rows_is_raised(
    wire: Wire, open_session: OpenSession, status: int, code: str, message: str, error: type[ProjOpsError]
) -> None:
    wire.reply(status, fault(code, message))
    wire.reply_batch(Part(status, fault(code, message)))
    async with open_session() as session:
        with pytest.raises(error, match=message[:20]):
            await DataverseWriter(session).write_many(Verb.UPSERT, ACCOUNTS, TWO)
        with pytest.raises(error, match=message[:20]):
            await DataverseWriter(session).write_each(Verb.UPSERT, ACCOUNTS, TWO[:1])


async def test_a_throttled_message_is_not_split(wire: Wire, open_session: OpenSession) -> None:
    wire.reply(429, fault("0x80072326", "52"), headers={"Retry-After": "3"})
    async with open_session(policy=RetryPolicy(attempts=1)) as session:
        with pytest.raises(ThrottledError):
            await DataverseWriter(session).write_many(Verb.UPSERT, ACCOUNTS, TWO)


async def test_delete_and_deactivate(wire: Wire, open_session: OpenSession) -> None:
    wire.reply_batch(Part(204), Part(404, fault("0x80040217", f"account With Id = {B} Does Not Exist")))
    wire.reply_batch(Part(204))
    async with open_session() as session:
        writer = DataverseWriter(session)
        deleted = await writer.delete(ACCOUNTS, [A, B])
        [inactive] = await writer.deactivate(ACCOUNTS, [A])
    assert [outcome.status for outcome in deleted] == [Status.OK, Status.NOT_FOUND]
    assert inactive.status is Status.OK
    assert b"DELETE " in wire.seen[0].body
    assert (
        b'If-Match: *\r\nContent-Type: application/json; charset=utf-8\r\n\r\n{"statecode":1}'
        in wire.seen[1].body
    )


async def test_large_writes_go_in_several_batches(wire: Wire, open_session: OpenSession) -> None:
    wire.reply_batch(*[Part(204)] * 100)
    wire.reply_batch(*[Part(204)] * 100)
    wire.reply_batch(*[Part(204)] * 5)
    rows = [RowWrite(b"{}", entity_id=A)] * 205
    async with open_session(limits=Limits(concurrent=1)) as session:
        written = await DataverseWriter(session).write_each(Verb.UPSERT, ACCOUNTS, rows)
    assert [outcome.index for outcome in written] == list(range(205))
