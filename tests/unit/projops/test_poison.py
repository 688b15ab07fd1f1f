"""Rows that crash our code: found by halving, set aside with the whole of them, the rest goes on."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from projops import passes
from projops.engine import Engine
from projops.errors import BreakerOpenError, PoisonPageError, SystemUnavailableError
from projops.mapping.model import Direction, System
from projops.passes import StagePass
from projops.poison import Sieve, keeping_pages
from projops.settings import Settings
from projops.state import dead_letters
from projops.state.batches import Batch, Counts, NewBatch, commit_batch, open_batch
from projops.systems.connection import Connection

LEG = Direction.DATAVERSE_TO_FINANCE


def sift(rows: int, poison: set[int]) -> tuple[list[int], list[int], int]:
    """Give what went through, what was found to be poison, and how often work was done."""
    sieve, good, bad, works = Sieve(pa.table({"n": range(rows)})), [], [], 0
    for part in sieve:
        works += 1
        numbers = part["n"].to_pylist()
        if poison.isdisjoint(numbers):
            good += numbers
        elif sieve.crashed(part, ValueError("no")):
            bad += numbers
    return good, bad, works


@pytest.mark.parametrize("poison", [set(), {0}, {4999}, {17, 18, 4000}], ids=str)
def test_exactly_the_rows_that_crash_are_found_and_the_order_of_the_others_stays(poison: set[int]) -> None:
    good, bad, works = sift(5000, poison)
    assert bad == sorted(poison)
    assert good == [number for number in range(5000) if number not in poison]
    assert works <= 1 + 2 * 13 * len(poison)


@pytest.mark.parametrize(
    "error",
    [SystemUnavailableError("away"), OSError("disk full"), MemoryError()],
    ids=lambda e: type(e).__name__,
)
def test_what_is_no_matter_of_a_row_goes_up(error: Exception) -> None:
    table = pa.table({"n": [1, 2]})
    with pytest.raises(type(error)):
        Sieve(table).crashed(table, error)


def test_work_that_crashes_without_a_row_goes_up() -> None:
    table = pa.table({"n": pa.array([], pa.int64())})
    with pytest.raises(KeyError):
        Sieve(table).crashed(table, KeyError("n"))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    settings = Settings(
        state_url=f"sqlite:///{tmp_path / 'state.db'}", staging=str(tmp_path / "staging"), breaker_rows=2
    )
    with Engine.open(settings, _no_connection) as opened:
        yield opened


def _no_connection(system: System) -> Connection:
    raise AssertionError(f"{system} is asked for nothing here")


@pytest.fixture
def crashing(monkeypatch: pytest.MonkeyPatch) -> Callable[[set[str]], None]:
    """Make validation crash at rows of some names."""

    def crash_at(names: set[str]) -> None:
        class Crashing(passes.Validation):
            def judge(self, table: pa.Table) -> tuple[pa.Table, pa.Table]:
                found = names.intersection(table["name"].to_pylist())
                if found:
                    raise ZeroDivisionError(f"cannot divide {min(found)}")
                return table, table.slice(0, 0)

        monkeypatch.setitem(passes.PASSES, "validate", Crashing)

    return crash_at


def batch_of(engine: Engine, run_id: str = "r") -> Batch:
    with engine.state.begin() as connection:
        new = NewBatch("d", run_id, "resource_roles", LEG.value, "incremental", "1.0.0.1", "f", True)
        return open_batch(connection, new)


def run(engine: Engine, batch: Batch, names: list[str]) -> list[str]:
    """Pass rows through validation; give those that go on."""
    table_map = engine.maps["resource_roles"]
    ids = [f"guid {name}" for name in names]
    keys = [f'["{name}"]' for name in names]
    table = pa.table({"_id": ids, "_key": keys, "_deleted": [False] * len(names), "name": names})
    with engine.staging.writer(batch.map, batch.leg, batch.id, "extract") as writer:
        writer.write(table)
        writer.count("read", len(names))
        writer.facts["watermark_to"] = "w"
    manifest = engine.staging.open(engine.staging.uri_of(writer), batch.id)
    done = StagePass(engine, table_map, table_map.legs[LEG], batch, "validate").run(manifest)
    after = engine.staging.open(engine.staging.uri_of(done), batch.id)
    assert after.facts == {"watermark_to": "w"}
    assert after.counts["read"] == len(names)
    assert after.counts["rejected"] == len(names) - after.rows
    return [name for part in engine.staging.tables(after) for name in part["name"].to_pylist()]


def test_a_poisonous_row_is_a_dead_letter_with_evidence_and_the_rest_goes_on(
    engine: Engine, crashing: Callable[[set[str]], None]
) -> None:
    crashing({"b"})
    assert run(engine, batch_of(engine), ["a", "b", "c"]) == ["a", "c"]
    with engine.state.begin() as connection:
        [letter] = dead_letters.live(connection)
    assert (letter["source_id"], letter["key"], letter["rule"]) == ("guid b", '["b"]', "poison")
    assert "crashes validate with ZeroDivisionError" in letter["message"]
    assert "divide b" not in letter["message"]  # a value is shown only to those allowed
    assert letter["value"] == "cannot divide b"
    evidence = pq.read_table(letter["evidence"].removeprefix("file://"))
    assert evidence.to_pylist() == [{"_id": "guid b", "_key": '["b"]', "_deleted": False, "name": "b"}]


def test_a_defect_that_every_row_meets_stops_the_leg_before_anything_is_loaded(
    engine: Engine, crashing: Callable[[set[str]], None]
) -> None:
    names = [f"n{number}" for number in range(200)]
    crashing(set(names))
    with pytest.raises(BreakerOpenError, match="More than 20 rows of resource_roles"):
        run(engine, batch_of(engine), names)
    with engine.state.begin() as connection:
        assert len(dead_letters.live(connection)) == 21


def test_a_superseded_batch_sets_nothing_aside(engine: Engine, crashing: Callable[[set[str]], None]) -> None:
    crashing({"b"})
    old, later = batch_of(engine, "r1"), batch_of(engine, "r2")
    with engine.state.begin() as connection:
        assert commit_batch(connection, later, Counts()) is None
    run(engine, old, ["a", "b"])
    with engine.state.begin() as connection:
        assert dead_letters.live(connection) == []
        assert commit_batch(connection, old, Counts()) == later.id


def test_a_page_that_nobody_can_read_is_kept_and_named(engine: Engine) -> None:
    batch = batch_of(engine)
    with pytest.raises(
        PoisonPageError, match=r"No JSON\. Look there\. What came is kept in (\S+)\.$"
    ) as raised:
        with keeping_pages(engine.staging, batch):
            raise PoisonPageError("No JSON.", body=b"<html>", remedy="Look there.", url="x")
    kept = raised.value.remedy.split()[-1].rstrip(".").removeprefix("file://")
    assert Path(kept).read_bytes() == b"<html>"
    assert raised.value.context["url"] == "x"
    assert [Path(each).name for each in engine.staging.last_written()] == [
        str(batch.id)
    ]  # it expires with it
