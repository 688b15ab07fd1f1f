"""Two minutes of chaos, and a judge who is able to condemn."""

import random
import uuid
from collections.abc import Iterator
from dataclasses import replace

import pytest

from runner.wire import Wire
from tests.chaos.__main__ import until_enough
from tests.chaos.billing import bill
from tests.chaos.blocking import blocking, stuck_maps
from tests.chaos.books import KINDS, Books, Made
from tests.chaos.changes import CUSTOMER
from tests.chaos.chaos import Chaos, begun
from tests.chaos.checker import judge, twice
from tests.chaos.plan import MAPS, Way, round_of
from tests.chaos.vouchers import (
    Billed,
    doubled,
    lost,
    out_of_order,
    read_billed,
    wrong_in_the_ledger,
)
from tests.e2e.engine import rows
from tests.e2e.engine.world import Databases

SEED, KILLS, SECONDS = 20260, 40, 45.0


@pytest.fixture(scope="module")
def chaos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chaos]:
    folder = tmp_path_factory.mktemp("chaos")
    databases = Databases(f"sqlite:///{folder / 'sandbox.db'}", f"sqlite:///{folder / 'state.db'}")
    with begun(databases, folder, SEED) as chaos:
        yield chaos


@pytest.fixture(scope="module")
def books(chaos: Chaos) -> Books:
    """Books of a world that is known to be in step, with an invoice among them."""
    bill(chaos.books, random.Random(SEED))
    assert chaos.judged().clean
    return chaos.books


def test_a_round_follows_from_its_seed_and_number() -> None:
    assert round_of(7, 3) == round_of(7, 3)
    assert round_of(7, 3) != round_of(8, 3)
    rounds = [step for number in range(50) for step in round_of(7, number)]
    assert {run.death.way for step in rounds for run in step.runs} == set(Way)
    assert {name for step in rounds for run in step.runs for name in run.maps} == set(MAPS)


def test_nothing_is_lost_and_nothing_doubled_whoever_dies(chaos: Chaos) -> None:
    verdict = until_enough(chaos, KILLS, SECONDS)
    assert (verdict.lost, verdict.doubled, verdict.unexplained) == ([], [], [])
    assert chaos.tally.bare == {}
    assert chaos.tally.kills > 0
    assert chaos.tally.faults.total() > 0


def test_a_row_that_was_lost_is_found(books: Books) -> None:
    [number, *_] = books.live["source"].keys() - books.bad
    source = KINDS["source"]
    contract = books.world.finance_row("ProjectFundingSources", f"FundingSourceId eq '{number}'")
    key = {name: contract[name] for name in ("dataAreaId", "ProjectContractID", "FundingSourceId")}
    books.world.remove("ProjectFundingSources", key)
    found = judge(books, [source.map])
    assert [number.lower() in text.lower() for text in found.lost] == [True]


def test_a_value_that_was_overwritten_is_found_on_either_side(books: Books) -> None:
    number, made = next(iter(books.live["role"].items()))
    books.world.change(KINDS["role"].entity_set, made.id, name="Not what anybody wrote")
    found = judge(books, [KINDS["role"].map])
    assert len([text for text in found.lost if number.lower() in text.lower()]) == 2
    books.rename("role", made, "Known again")


def test_a_row_that_nobody_made_is_found(books: Books) -> None:
    number = f"GHOST-{uuid.uuid4().hex[:8]}"
    books.world.create("cdm_workers", cdm_workernumber=number, cdm_lastname="Ghost")
    found = judge(books, [KINDS["worker"].map])
    assert [number.lower() in text.lower() for text in found.doubled] == [True]


def test_the_former_key_of_a_row_that_is_set_aside_stands_and_of_no_other(books: Books) -> None:
    """Chaos once took it for a row that nobody made: given another key, then spoiled, before any run."""
    name, kind = KINDS["source"].map, KINDS["source"]
    made = books.make("source", "With another key soon")
    books.world.sync(name)
    number, former = f"{made.number}X", made.number
    books.world.change(kind.entity_set, made.id, msdyn_fundingsourceid=number, **{CUSTOMER: None})
    books.live["source"][number] = Made(number, made.id, made.texts, made.sides, {former})
    del books.live["source"][former]
    books.ever.add(number)
    books.bad.add(number)
    books.world.sync(name)
    assert judge(books, [name]).doubled == []
    books.live["source"][number].former.clear()
    assert [former.lower() in text.lower() for text in judge(books, [name]).doubled] == [True]
    customer = rows.bound("accounts", books.some("customer", random.Random(SEED)).id)
    books.world.change(kind.entity_set, made.id, **{CUSTOMER: customer})
    books.bad.remove(number)
    books.world.sync(name)
    assert judge(books, [name]).doubled == []


def test_a_key_that_stands_twice_is_found() -> None:
    """Dataverse itself refuses a second row with the same alternate key, so that none can be planted."""
    keys = [("c-1", "uspm"), ("c-2", "uspm"), ("c-1", "uspm"), ("c-1", "gbpm")]
    assert twice("customers", keys) == ["customers: ('c-1', 'uspm') stands 2 times"]


@pytest.fixture(scope="module")
def billed(books: Books) -> Billed:
    wire = Wire.sign_in(books.world.sandbox)
    try:
        found = read_billed(wire, books.world)
        assert [*wrong_in_the_ledger(wire)] == []
    finally:
        wire.close()
    assert [*lost(found, books.actuals), *doubled(found), *out_of_order(found)] == []
    assert found.lines
    assert found.bills
    return found


def test_an_actual_that_did_not_arrive_or_was_not_posted_is_found(billed: Billed) -> None:
    [line, *others] = billed.lines
    key = line["ActualsImportId"]
    imports = [row for row in billed.imports if row["ActualsImportId"] != key]
    assert [*lost(replace(billed, imports=imports), [])] == [f"actuals: import {key} is not in Finance"]
    failed = [*others, {**line, "LineStatus": "Error"}]
    assert [*lost(replace(billed, lines=failed), [])] == [f"actuals: import {key} has no posted journal line"]
    assert [*lost(billed, ["a"])] == ["actuals: a has gone from its source"]


def test_what_is_posted_twice_is_found(billed: Billed) -> None:
    line, row = billed.lines[0], billed.imports[0]
    assert len([*doubled(replace(billed, lines=[*billed.lines, line]))]) == 2  # the line, and its voucher
    again = [*billed.imports, {**row, "ActualsImportId": "another"}]
    assert [*doubled(replace(billed, imports=again))] == [
        "actuals: nobody made import another",
        f"actuals: actual {row['ActualId']} stands 2 times",
    ]


def test_a_header_that_came_before_what_it_bills_is_found(billed: Billed) -> None:
    number, parts = next((number, parts) for number, parts in billed.bills.items() if number in billed.order)
    assert len(parts) > 1
    first = {**billed.order, number: min(billed.order[each] for each in parts)}
    [found] = out_of_order(replace(billed, order=first))
    assert found.startswith(f"invoice_proposals: {number} came to Finance before")


def test_a_voucher_that_dataverse_lacks_is_found(books: Books, billed: Billed) -> None:
    line = billed.lines[0]
    books.world.correct(line["ActualId"], msdyn_vouchernumber="Nobody's")
    wire = Wire.sign_in(books.world.sandbox)
    try:
        found = [*wrong_in_the_ledger(wire)]
    finally:
        wire.close()
        books.world.correct(line["ActualId"], msdyn_vouchernumber=line["Voucher"])
    lacks = f"actuals: Dataverse lacks voucher {line['Voucher']} of actual {line['ActualsImportId']}"
    assert found == [lacks]


def test_what_would_block_is_found_in_the_state(books: Books) -> None:
    books.world.sql("insert into lease (map, token, owner, expires_at) values ('m', 't', 'o', '2999-01-01')")
    books.world.sql(
        "insert into batch (dag_id, run_id, map, leg, status, mode, mapping_version, fingerprint, advances,"
        " started_at, read, unchanged, loaded, parked, rejected, failed)"
        " values ('d', 'r', 'm', 'l', 'running', 'full', '1', 'f', true, '2026-01-01', 0, 0, 0, 0, 0, 0)"
    )
    for look, looked_at in ((None, None), (1, "2026-01-02"), (None, "2026-01-04"), (None, "2026-01-02")):
        books.world.sql(
            "insert into in_flight (map, leg, batch, token, rows, begun_at, settles_at, look, looked_at)"
            " values ('m', 'l', 1, 't', '[]', '2026-01-01', '2026-01-03', :look, :looked_at)",
            look=look,
            looked_at=looked_at,
        )
    found = blocking(books.world)
    assert stuck_maps(books.world) == ["m"]
    for table in ("lease", "batch", "in_flight"):
        books.world.sql(f"delete from {table} where map = 'm'")
    endings = ("who is dead", "does not move on", "never looked at", "end of batch 1", "settled, and stays")
    assert len(found) == len(endings)
    assert all(text.endswith(end) for text, end in zip(found, endings, strict=True))


def test_a_row_set_aside_without_need_and_a_conflict_unsaid_are_found(books: Books) -> None:
    books.world.sql(
        "insert into dead_letter (map, leg, source_id, key, status, stage, rule, message, retriable,"
        " attempts, first_seen, last_seen, batch, mapping_version) values ('units', 'finance_to_dataverse',"
        " 'x', 'x', 'open', 'load', 'refused', 'No.', false, 1, current_timestamp, current_timestamp, 1, '1')"
    )
    books.conflicts["nobody"] = ("here", "there")
    found = [text.partition(":")[0] for text in judge(books, ["units"]).unexplained]
    assert found == ["units finance_to_dataverse", "customers"]
