"""A page of one side as a leg sees it: what the target should hold, or what it holds, in one normal form.

The normal form is the load's: the mapping itself makes the expected rows, and what it declares (rounding,
truncation, value maps, days, what null means) is the only thing that two values may differ in and be equal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from projops.extract.frames import matching
from projops.load.decide import Policy
from projops.mapping.catalog import arrow_type
from projops.mapping.expressions import columns_of, parse
from projops.mapping.keys import fold_column, key_column
from projops.mapping.model import Leg, Step, System, TableMap, WriteMode
from projops.mapping.paths import company_path, key_paths, table_of, target_column
from projops.mapping.reader import LoadedMaps
from projops.poison import Sieve
from projops.reconcile.compare.totals import money_columns
from projops.run import LegRef
from projops.transform.canonical import finance_canonical
from projops.transform.outcome import one_array
from projops.transform.rows import transform_table
from projops.transform.target import conform

# Why a row counts for nothing though its key is there: it does not match the map's filter.
LEFT_FILTER = "left_filter"
FACTS = pa.schema(
    [
        ("_key", pa.string()),
        ("_id", pa.string()),
        ("_hash", pa.string()),
        ("_company", pa.string()),
        ("_day", pa.date32()),
        ("_reason", pa.string()),
        ("_counts", pa.bool_()),
    ]
)
_MAKES_ROWS = (WriteMode.UPSERT, WriteMode.CREATE_ONLY)


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms the two sides of a leg are compared.

    Attributes:
        table_map: The map.
        leg: The leg.
        columns: Target columns that are compared.
        folded: Those of them that hold keys of other rows: they compare folded, as the load does.
        money: Those of them that are summed.
        claims_all: Whether a row of the target that no source row has is one too many: this leg makes
            rows there, and no other leg makes rows of the source from them.
        schema: Of a frame of either side: `FACTS`, then the columns. `_hash` is the payload hash (expected
            rows only), `_reason` why nothing can be expected of the target (LEFT_FILTER, or the rule that
            the row breaks), `_counts` whether the target should have the row, or whether it is the map's.
    """

    table_map: TableMap
    leg: Leg
    columns: tuple[str, ...]
    folded: frozenset[str]
    money: tuple[str, ...]
    claims_all: bool
    schema: pa.Schema

    @classmethod
    def of(cls, table_map: TableMap, leg: Leg) -> "Terms":
        """Read the terms of a leg off its mapping."""
        columns = () if leg.write is WriteMode.CREATE_ONLY else leg.kept_in_step
        policy, back = Policy.of(table_map, leg), table_map.legs.get(leg.direction.opposite)
        typed = [(name, arrow_type(target_column(table_map, leg, name))) for name in columns]
        return cls(
            table_map,
            leg,
            columns,
            frozenset(name for name in columns if policy.compares_folded(name)),
            tuple(name for name in money_columns(table_map, leg) if name in columns),
            leg.write in _MAKES_ROWS and (back is None or back.write not in _MAKES_ROWS),
            pa.schema([*FACTS, *typed]),
        )

    @property
    def ref(self) -> LegRef:
        """The leg as state and messages name it."""
        return LegRef(self.table_map.map, self.leg.direction.value)

    def comparable(self, name: str, values: pa.Array | pa.ChunkedArray) -> pa.Array:
        """Give the values of a column as they are compared."""
        values = one_array(values)
        return fold_column(values) if name in self.folded and pa.types.is_string(values.type) else values


def found_paths(terms: Terms) -> tuple[str, ...]:
    """Name the columns and lookup paths of the target that a leg looks at."""
    back = terms.table_map.legs.get(terms.leg.direction.opposite)
    filtered = columns_of(parse(back.extract.where)) if back and back.extract.where else ()
    return (*key_paths(terms.table_map, terms.leg.direction.target), *terms.columns, *filtered)


def expected_frame(terms: Terms, loaded: LoadedMaps, source: pa.Table, day: pa.Array) -> pa.Table:
    """What the target should hold of some source rows, by the very mapping that moves them.

    Args:
        terms: Of the leg.
        loaded: Maps, value maps and companies.
        source: Source frame (`extract.frames.with_paths`).
        day: Day of each row (`totals.days`).

    Returns:
        A frame of `terms.schema`. Rows that the filter leaves out, and rows that the mapping sets aside,
        come with a `_reason`, and without values.
    """
    wanted = matching(terms.leg.extract.where, source)
    left = source.filter(pc.invert(wanted))
    made, reasons = _transformed(terms, loaded, source.filter(wanted))
    rejected = {
        "_key": [*left["_key"].to_pylist(), *(key for _, key, _ in reasons)],
        "_id": [*left["_id"].to_pylist(), *(row_id for row_id, _, _ in reasons)],
        "_reason": [LEFT_FILTER] * left.num_rows + [reason for _, _, reason in reasons],
    }
    aside = pa.table(rejected, schema=pa.schema([(name, pa.string()) for name in rejected]))
    facts = {
        "_id": source["_id"],
        "_company": _companies(terms.table_map, terms.leg.direction.source, source),
        "_day": day,
    }
    frames = (_frame(terms, made, True, facts), _frame(terms, aside, False, facts))
    return pa.concat_tables(frames)


def found_frame(terms: Terms, rows: pa.Table, day: pa.Array) -> pa.Table:
    """What the target holds, as the load reads it; rows without a whole key are left out: no run moves them.

    Args:
        terms: Of the leg.
        rows: Rows of the target with the columns of `found_paths` and `_id`.
        day: Day of each row (`totals.days`).

    Returns:
        A frame of `terms.schema`; `_counts` is false of rows that another map owns.
    """
    table_map, system = terms.table_map, terms.leg.direction.target
    key = key_column([rows[path] for path in key_paths(table_map, system)])
    belongs = _belongs(terms, rows)
    company = _companies(table_map, system, rows)
    if system is System.FINANCE:
        rows = finance_canonical(table_of(table_map, system), rows)
    facts = {
        "_key": key,
        "_id": rows["_id"] if system is System.DATAVERSE else key,
        "_hash": pa.nulls(len(key), pa.string()),
        "_company": company,
        "_day": day,
        "_reason": pa.nulls(len(key), pa.string()),
        "_counts": belongs,
    }
    columns = facts | {name: rows[name] for name in terms.columns}
    return pa.table(columns, schema=terms.schema).filter(pc.is_valid(key))


def _transformed(
    terms: Terms, loaded: LoadedMaps, source: pa.Table
) -> tuple[pa.Table, Sequence[tuple[str | None, str | None, str]]]:
    """Transform rows; give the target frame, and identity, key and reason of the rows set aside."""
    parts, aside, sieve = [], [], Sieve(source)
    for part in sieve:
        try:
            # Without the other maps no parents are named, which only a load asks for.
            good, rejects = transform_table(
                terms.table_map, terms.leg, part, loaded.value_maps, loaded.companies, {}
            )
        except Exception as error:
            if sieve.crashed(part, error):
                aside.append((part["_id"][0].as_py(), part["_key"][0].as_py(), _crash(error)))
            continue
        parts.append(good)
        aside += [(each["_id"], each["_key"], each["message"]) for each in rejects.to_pylist()]
    return pa.concat_tables(parts) if parts else terms.schema.empty_table(), aside


def _crash(error: Exception) -> str:
    return f"The mapping cannot be applied to the row ({type(error).__name__}); correct it at the source."


def _frame(terms: Terms, rows: pa.Table, counts: bool, facts: Mapping[str, pa.Array]) -> pa.Table:
    """Give rows the schema of the leg: facts of their source row by identity, nulls for what they lack."""
    place = one_array(pc.index_in(rows["_id"], value_set=one_array(facts["_id"])))
    columns = {name: rows[name] for name in terms.schema.names if name in rows.column_names}
    columns |= {name: one_array(facts[name]).take(place) for name in ("_company", "_day")}
    columns["_counts"] = pa.array([counts] * rows.num_rows, pa.bool_())
    filled = [
        columns[field.name] if field.name in columns else pa.nulls(rows.num_rows, field.type)
        for field in terms.schema
    ]
    return pa.table(filled, schema=terms.schema)


def _companies(table_map: TableMap, system: System, rows: pa.Table) -> pa.Array:
    path = company_path(table_map, system)
    return pa.nulls(rows.num_rows, pa.string()) if path is None else fold_column(one_array(rows[path]))


def _belongs(terms: Terms, rows: pa.Table) -> pa.Array:
    """Say which rows of the target are the map's, where a table is read by several maps.

    The other leg's filter says it where that leg makes rows of them, else the constants that this one
    writes: a leg that only updates filters what it has to tell, such as the actuals that are posted.
    """
    back = terms.table_map.legs.get(terms.leg.direction.opposite)
    if back is not None and back.write in _MAKES_ROWS:
        return matching(back.extract.where, rows)
    belongs = matching(None, rows)
    for rule in terms.leg.fields:
        if rule.target in terms.columns and rule.source is None and _is_constant(rule.steps):
            column = target_column(terms.table_map, terms.leg, rule.target)
            constant = conform(pa.array([rule.steps[0].argument]), column).values[0]
            belongs = pc.and_(belongs, pc.fill_null(pc.equal(one_array(rows[rule.target]), constant), False))
    return belongs


def _is_constant(steps: Sequence[Step]) -> bool:
    return [step.operator for step in steps] == ["constant"]
