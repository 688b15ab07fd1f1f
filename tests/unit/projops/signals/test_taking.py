"""Signals between the endpoint and the run: one row a leg, taken before the source is asked."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event

from sqlalchemy import event, update

from projops.engine import Engine
from projops.run import LegRef, RunRequest
from projops.signals.noting import Notebook
from projops.signals.taking import SHORTEST_PAUSE, may_read, take_signals
from projops.signals.watching import waiting_areas
from projops.state import pauses, signals
from projops.state.batches import LegState
from projops.state.clock import present
from projops.state.signals import Fate
from projops.state.tables import leg, signal
from projops.state.throttling import Budget
from projops.state.upserts import insert_into
from tests.contract.polling import until

UNITS = LegRef("units", "dataverse_to_finance")
CUSTOMERS = LegRef("customers", "dataverse_to_finance")
BACK = LegRef("customers", "finance_to_dataverse")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def note(engine: Engine, *refs: LegRef) -> None:
    with engine.state.begin() as connection:
        signals.note(connection, {(ref.map, ref.leg): 1 for ref in refs})


def waiting(engine: Engine) -> set[LegRef]:
    with engine.state.begin() as connection:
        return {LegRef(*place) for place in signals.waiting(connection)}


def take(engine: Engine, run: str, *refs: LegRef, companies: tuple[str, ...] | None = None) -> set[LegRef]:
    return set(take_signals(engine, refs, RunRequest("area", run, companies=companies)))


def test_a_run_takes_what_waits_of_its_own_legs(engine: Engine) -> None:
    note(engine, UNITS, CUSTOMERS)
    assert take(engine, "1", CUSTOMERS, BACK) == {CUSTOMERS}
    assert waiting(engine) == {UNITS}


def test_a_change_after_the_look_is_a_new_signal(engine: Engine) -> None:
    note(engine, CUSTOMERS)
    take(engine, "1", CUSTOMERS)
    assert take(engine, "2", CUSTOMERS) == set()
    note(engine, CUSTOMERS)
    assert waiting(engine) == {CUSTOMERS}
    assert take(engine, "2", CUSTOMERS) == {CUSTOMERS}


def test_a_second_try_of_a_run_has_what_the_first_took(engine: Engine) -> None:
    note(engine, CUSTOMERS)
    assert take(engine, "1", CUSTOMERS) == take(engine, "1", CUSTOMERS) == {CUSTOMERS}


def test_a_run_for_some_companies_takes_nothing(engine: Engine) -> None:
    note(engine, CUSTOMERS)
    assert take(engine, "1", CUSTOMERS, companies=("uspm",)) == set()
    assert waiting(engine) == {CUSTOMERS}


def test_what_is_taken_keeps_its_first_time_and_its_number(engine: Engine) -> None:
    note(engine, CUSTOMERS)
    with engine.state.begin() as connection:
        [first] = signals.signals(connection)
    note(engine, CUSTOMERS)
    with engine.state.begin() as connection:
        [second] = signals.signals(connection)
    assert (second.waiting_since, second.number) == (first.waiting_since, 2)
    assert second.last_at >= first.last_at


def test_a_leg_that_cannot_tell_before_it_is_read_rests_between_two_reads() -> None:
    plenty, half, spent = (Budget(1000, {"finance": sent}) for sent in (0, 900, 1000))

    def read(seconds: float) -> LegState:
        return LegState(committed_at=NOW - timedelta(seconds=seconds))

    assert may_read(LegState(), plenty, NOW)
    assert [may_read(read(seconds), plenty, NOW) for seconds in (5, 10)] == [False, True]
    assert [may_read(read(seconds), half, NOW) for seconds in (10, 49, 50)] == [False, False, True]
    assert not may_read(read(10_000), spent, NOW)


def test_areas_wait_by_their_youngest_signal_and_paused_maps_wait_in_silence(engine: Engine) -> None:
    note(engine, UNITS, CUSTOMERS)
    with engine.state.begin() as connection:
        for number, ref in enumerate((UNITS, CUSTOMERS)):
            later = NOW + timedelta(seconds=number)
            connection.execute(update(signal).where(signal.c.map == ref.map).values(waiting_since=later))
        pauses.put(connection, ["units"], "a test", "to see")
    area = engine.maps["customers"].area
    assert waiting_areas(engine)[area] == NOW + timedelta(seconds=1)
    with engine.state.begin() as connection:
        pauses.put(connection, ["customers"], "a test", "to see")
    assert waiting_areas(engine) == {}


def test_an_export_that_may_not_be_asked_for_yet_wakes_nobody_until_it_may(engine: Engine) -> None:
    """Woken before, the run would take nothing, and the watch rest for longer than the export has to."""
    note(engine, BACK)
    place = (leg.c.map == BACK.map) & (leg.c.leg == BACK.leg)
    with engine.state.begin() as connection:
        connection.execute(
            insert_into(connection, leg)
            .values(map=BACK.map, leg=BACK.leg, committed_at=present(connection))
            .on_conflict_do_nothing()
        )
    assert (take(engine, "1", BACK), waiting_areas(engine)) == (set(), {})
    with engine.state.begin() as connection:
        rested = present(connection) - SHORTEST_PAUSE
        connection.execute(update(leg).where(place).values(committed_at=rested))
    assert waiting_areas(engine).keys() == {engine.maps[BACK.map].area}
    assert take(engine, "1", BACK) == {BACK}


def test_legs_that_are_off_or_gone_wake_nobody(engine: Engine) -> None:
    note(engine, UNITS, CUSTOMERS)
    maps = dict(engine.maps)
    maps["units"] = replace(maps["units"], enabled=False)
    maps["customers"] = replace(maps["customers"], legs={})
    without = replace(engine, loaded=replace(engine.loaded, maps=maps))
    assert waiting_areas(engine) and waiting_areas(without) == {}


def test_a_burst_costs_few_transactions(engine: Engine) -> None:
    """Messages that come while one is being written share the next transaction, and all are in the state."""
    notebook, begun, go = Notebook(), Event(), Event()
    written: list[str] = []

    def held(*facts: object) -> None:
        written.append(str(facts[2]))
        begun.set()
        assert go.wait(10)

    event.listen(engine.state.engine, "before_cursor_execute", held)
    place = (CUSTOMERS.map, CUSTOMERS.leg)
    with ThreadPoolExecutor(40) as threads:
        asked = [partial(notebook.note, engine.state.begin, (place,), "dataverse", Fate.NOTED)] * 40
        first = threads.submit(asked[0])
        assert begun.wait(10)
        others = [threads.submit(each) for each in asked[1:]]
        until(lambda: sum(notebook._page.fates.values()) == 39)
        go.set()
        for each in (first, *others):
            each.result()
    with engine.state.begin() as connection:
        [found] = signals.signals(connection)
        assert signals.counted_today(connection) == {("dataverse", Fate.NOTED): 40}
    assert found.number == 40
    assert sum(each.startswith("INSERT INTO signal ") for each in written) == 2


def test_the_watch_is_a_statement_a_look(engine: Engine) -> None:
    statements: list[str] = []
    event.listen(engine.state.engine, "before_cursor_execute", lambda *facts: statements.append(facts[2]))
    assert waiting_areas(engine) == {}
    assert len([each for each in statements if each.startswith("SELECT")]) == 1
