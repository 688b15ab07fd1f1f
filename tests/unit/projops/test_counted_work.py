"""What a row costs the engine, counted in Python's instructions and in statements, never in time.

What works on whole columns costs a further row nothing here. The bounds stand a little above what was
counted when they were written: who makes a stage cheaper lowers its bound. What a stage costs now is
told by the message of a test whose bound is 0.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NoReturn

import orjson
import pyarrow as pa
import pytest

from bench import constant_memory
from bench.made_up import guid, made_up
from projops.engine import Engine
from projops.mapping.catalog import arrow_type
from projops.mapping.keys import key_column
from projops.mapping.model import Direction, Leg, System, TableMap
from projops.mapping.paths import key_paths, source_column, source_columns, table_of
from projops.mapping.reader import load_maps
from projops.run import Staged
from projops.settings import PROJECT_ROOT, Settings
from projops.systems.columns import properties
from projops.systems.decoding import decode_page
from projops.systems.properties import Form, Property
from projops.transform.rows import transform_table
from tests.counting import a_row_more, counted_instructions, counted_statements

LOADED = load_maps(PROJECT_ROOT / "include" / "mappings")
LEGS = [(name, direction) for name, table_map in LOADED.maps.items() for direction in table_map.legs]
FEW, MANY = 200, 1200
MADE_UP = "bench."  # the systems, and what calls the stages

# Instructions that a row more costs at most: of a stage, and of what has rows in its hands. What is decided
# and written row by row is the load; a column costs the other stages nothing, a digest of shared ones some.
INSTRUCTIONS = {"extract": 50.0, "validate": 34.0, "transform": 14.0, "load": 1600.0}
TRANSFORMED, WITH_SHARED_COLUMNS, DECODED = 25.0, 90.0, 1.0

Costs = dict[str, tuple[int, int]]
Stage = Callable[[Engine, Staged, int], Staged]


@pytest.fixture(scope="module")
def few_and_many() -> tuple[Costs, Costs]:
    """Instructions and statements of each stage, of a batch of few rows and of one of many."""
    run(FEW, plainly)  # what is imported, compiled or remembered once is no cost of a row
    costs: tuple[Costs, Costs] = ({}, {})
    for rows, found in zip((FEW, MANY), costs, strict=True):
        run(rows, partial(counting, found))
    return costs


def run(rows: int, act: Callable[[Engine, Stage, Staged, int], Staged]) -> None:
    """Take a batch of rows that are made up through all stages, to a target that takes them as they come."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        staged = constant_memory.prepare(folder, rows)
        state, staging = f"sqlite:///{folder / 'state.db'}", str(folder / "staging")
        settings = replace(Settings(), state_url=state, staging=staging, delete_rows=rows)
        with Engine.open(settings, nobody) as engine:
            for stage in constant_memory.STAGES:
                staged = act(engine, stage, staged, rows)


def plainly(engine: Engine, stage: Stage, staged: Staged, rows: int) -> Staged:
    return stage(engine, staged, rows)


def counting(costs: Costs, engine: Engine, stage: Stage, staged: Staged, rows: int) -> Staged:
    with (
        counted_statements(engine.state.engine) as statements,
        counted_instructions(without=MADE_UP) as instructions,
    ):
        after = stage(engine, staged, rows)
    costs[after.stage] = (instructions.number, statements.number)
    return after


def nobody(system: System) -> NoReturn:
    raise AssertionError(f"{system} is asked for something")


@pytest.mark.parametrize("stage", INSTRUCTIONS)
def test_a_row_more_costs_a_stage_few_instructions(few_and_many: tuple[Costs, Costs], stage: str) -> None:
    few, many = (costs[stage][0] for costs in few_and_many)
    assert (many - few) / (MANY - FEW) <= INSTRUCTIONS[stage]


@pytest.mark.parametrize("stage", INSTRUCTIONS)
def test_statements_do_not_grow_with_the_rows_of_a_chunk(
    few_and_many: tuple[Costs, Costs], stage: str
) -> None:
    few, many = (costs[stage][1] for costs in few_and_many)
    assert many <= few  # each list of a chunk is bound as one parameter, and its rows are inserted by one


@pytest.mark.parametrize(("map_id", "direction"), LEGS, ids=str)
def test_every_leg_is_transformed_by_columns(map_id: str, direction: Direction) -> None:
    table_map = LOADED.maps[map_id]
    leg = table_map.legs[direction]

    def transform(rows: int) -> int:
        frame = made_up_frame(table_map, leg, rows)
        with counted_instructions() as counted:
            transform_table(table_map, leg, frame, LOADED.value_maps, LOADED.companies, LOADED.maps)
        return counted.number

    most = WITH_SHARED_COLUMNS if table_map.shared_fields() else TRANSFORMED
    assert a_row_more(transform, FEW, MANY) <= most


def made_up_frame(table_map: TableMap, leg: Leg, rows: int) -> pa.Table:
    types = {path: arrow_type(source_column(table_map, leg, path)) for path in source_columns(table_map, leg)}
    columns = {path: made_up(kind, path, range(rows)) for path, kind in types.items()}
    keys = key_column([columns[path] for path in key_paths(table_map, leg.direction.source)])
    alive = pa.array([False] * rows)
    return pa.table({"_id": keys, "_key": keys, "_version": keys, "_deleted": alive} | columns)


@pytest.mark.parametrize("system", System)
def test_pages_are_decoded_by_columns(system: System) -> None:
    table = table_of(LOADED.maps["actuals"], system)
    names = [name for name in table.columns if name != table.primary_id]
    wanted = properties(table, names)

    def decode(rows: int) -> int:
        body = page_of(wanted, table.primary_id, rows)
        with counted_instructions() as counted:
            page = decode_page(system, body, wanted, "actuals", table.primary_id)
        assert page.batch.num_rows == rows
        return counted.number

    assert a_row_more(decode, FEW, MANY) <= DECODED


def page_of(columns: Sequence[Property], primary_id: str | None, rows: int) -> bytes:
    """Write a page in which every column of every row has a value."""
    values = [
        {column.wire_name: wire_value(column, number) for column in columns}
        | {"@odata.etag": f'W/"{number}"'}
        | ({primary_id: guid(number)} if primary_id else {})
        for number in range(rows)
    ]
    return orjson.dumps({"value": values})


def wire_value(column: Property, number: int) -> object:
    """Make up a value as it stands in an answer."""
    kind = column.type
    if column.form in (Form.GUID, Form.LOOKUP):
        return guid(number)
    if pa.types.is_date(kind):
        return f"2026-11-{number % 28 + 1:02}"
    if pa.types.is_timestamp(kind):
        return f"2026-11-{number % 28 + 1:02}T12:00:00Z"
    if pa.types.is_boolean(kind):
        return number % 2 == 0
    if pa.types.is_decimal(kind):
        return orjson.Fragment(f"{number}.{number % 100:02}")
    return number if pa.types.is_integer(kind) else f"{column.name} {number}"
