"""What each target should hold, worked out from mapping files and source rows by hand.

It reads YAML and JSON as data and both systems over HTTP, and shares no code with the engine.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml

from tests.e2e.engine.world import Row, Value, World

PROJECT = Path(__file__).parents[3]
MAPPINGS = PROJECT / "include" / "mappings"
CATALOG = PROJECT / "plugins" / "projops" / "mapping" / "catalog"
NO_DAY = "1900-01-01T12:00:00Z"
NO_GUID = "00000000-0000-0000-0000-000000000000"
_CONDITION = re.compile(r"([\w.]+) (eq|ne) (.+)")


@cache
def _file(path: Path) -> Value:
    text = path.read_text(encoding="utf-8")
    return json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)


def maps() -> dict[str, Value]:
    """All mapping files by id, but for those that are off."""
    found = [_file(path) for path in sorted(MAPPINGS.glob("[!_]*/*.yaml"))]
    return {each["map"]: each for each in found if each.get("enabled", True)}


def legs() -> list[tuple[str, str]]:
    return [(name, leg) for name, each in maps().items() for leg in each["legs"]]


@dataclass(frozen=True)
class Truth:
    """Both systems as they are now, each table read once.

    Attributes:
        world: Where to read.
    """

    world: World
    _rows: dict[str, list[Row]] = field(default_factory=dict)
    _by_id: dict[str, dict[str, Row]] = field(default_factory=dict)

    def differences(self, map_id: str, leg: str) -> tuple[int, list[str]]:
        """Compare one leg; give the rows compared and what is not as it should be."""
        table_map = maps()[map_id]
        source, target = leg.split("_to_")
        where = table_map["legs"][leg].get("extract", {}).get("where")
        sources = {
            self._key(table_map, source, row): row
            for row in self._all(table_map, source)
            if where is None or self._holds(table_map, source, row, where)
        }
        targets = self._by_key(table_map, target)
        found = [f"{key} is missing" for key in sources.keys() - targets.keys()]
        if len(table_map["legs"]) == 1:
            # A row that has left the filter since it was sent stays at the target.
            known = {self._key(table_map, source, row) for row in self._all(table_map, source)}
            found += [f"{key} is too many" for key in targets.keys() - known]
        for key in sources.keys() & targets.keys():
            found += [
                f"{key}: {text}" for text in self._fields(table_map, leg, sources[key], targets[key], key)
            ]
        return len(sources), found

    def _fields(
        self, table_map: Mapping[str, Value], leg: str, row: Row, there: Row, key: tuple[str, ...]
    ) -> Iterator[str]:
        source, target = leg.split("_to_")
        for name, rule in table_map["legs"][leg]["fields"].items():
            if rule.get("create_only"):
                continue
            wanted = self._wanted(table_map, source, row, rule, key)
            kind = self._column(table_map, target, name)
            held = self.value(table_map, target, there, name)
            if target == "finance" and (rule.get("date") or kind.get("behavior") == "DateOnly"):
                wanted = NO_DAY if wanted is None else f"{wanted}T12:00:00Z"
            if target == "dataverse" and rule.get("date") and wanted is not None:
                wanted = wanted.isoformat() if kind["type"] == "date" else _midnight(wanted, key)
            if kind["type"] == "date" and wanted is not None:
                wanted = wanted[:10]  # Finance's days have a time, always noon
            if not _same(wanted, held, kind, folded="." in name):
                yield f"{name} is {held!r}, should be {wanted!r}"

    def _wanted(
        self,
        table_map: Mapping[str, Value],
        source: str,
        row: Row,
        rule: Mapping[str, Value],
        key: tuple[str, ...],
    ) -> Value:
        value: Value = None
        for name, argument in rule.items():
            if name == "from":
                value = _present(self.value(table_map, source, row, argument))
            elif name == "when" and not self._holds(table_map, source, row, argument):
                value = None
            elif name == "default" and value is None and isinstance(argument, dict):
                value = self.value(table_map, source, row, argument["from"])
            else:
                value = _applied(name, argument, value, source, key)
        return value

    def value(self, table_map: Mapping[str, Value], system: str, row: Row | None, path: str) -> Value:
        """Read a column, or what a lookup path leads to."""
        if system == "finance":
            return None if row is None else row[path]
        return self._follow(table_map["dataverse"], row, path)

    def _follow(self, table: str, row: Row | None, path: str) -> Value:
        if row is None:
            return None
        columns = _file(CATALOG / "dataverse.json")["tables"][table]["columns"]
        name, _, rest = path.partition(".")
        lookup = columns[name]["type"] == "lookup"
        guid = row.get(f"_{name}_value") if lookup else row.get(name)
        if not rest or guid is None:
            return guid
        tables = columns[name].get("targets") or [columns[name].get("target", "msdyn_actual")]
        known = _file(CATALOG / "dataverse.json")["tables"]
        found = [(each, self._row(each, guid)) for each in tables if each in known]
        return next((self._follow(each, row, rest) for each, row in found if row is not None), None)

    def _column(self, table_map: Mapping[str, Value], system: str, path: str) -> Mapping[str, Value]:
        if system == "finance":
            entity = _file(CATALOG / "finance.json")["tables"][table_map["finance"]]
            column: Mapping[str, Value] = entity["columns"][path]
            return column
        name = path.partition(".")[0]
        found: Mapping[str, Value] = _file(CATALOG / "dataverse.json")["tables"][table_map["dataverse"]][
            "columns"
        ][name]
        return found

    def _key(self, table_map: Mapping[str, Value], system: str, row: Row) -> tuple[str, ...]:
        values = [
            self.value(table_map, system, row, dataverse if system == "dataverse" else finance)
            for finance, dataverse in table_map["key"].items()
        ]
        return tuple(re.sub(r"T12:00:00Z$", "", str(value)).lower().rstrip(" ") for value in values)

    def _by_key(self, table_map: Mapping[str, Value], system: str) -> dict[tuple[str, ...], Row]:
        rows = self._all(table_map, system)
        by_key = {self._key(table_map, system, row): row for row in rows}
        assert len(by_key) == len(rows) or len(table_map["legs"]) == 2, "a key stands twice"
        return by_key

    def _holds(self, table_map: Mapping[str, Value], system: str, row: Row, where: str) -> bool:
        for part in where.split(" and "):
            match = _CONDITION.fullmatch(part)
            assert match is not None, part
            value = self.value(table_map, system, row, match[1])
            literal = match[3].strip("'") if match[3].startswith("'") else json.loads(match[3])
            if (value == literal) is (match[2] == "ne"):
                return False
        return True

    def _all(self, table_map: Mapping[str, Value], system: str) -> list[Row]:
        name = table_map[system]
        if name not in self._rows:
            if system == "finance":
                self._rows[name] = self.world.finance_rows(name)
            else:
                self._rows[name] = self.world.dataverse_rows(_set(name))
        return self._rows[name]

    def _row(self, table: str, guid: str) -> Row | None:
        if table not in self._by_id:
            primary = _file(CATALOG / "dataverse.json")["tables"][table]["primary_id"]
            rows = self.world.dataverse_rows(_set(table))
            self._by_id[table] = {row[primary]: row for row in rows}
        return self._by_id[table].get(guid)


def _set(table: str) -> str:
    name: str = _file(CATALOG / "dataverse.json")["tables"][table]["entity_set"]
    return name


def _present(value: Value) -> Value:
    return None if value in ("", NO_DAY) else value


def _applied(name: str, argument: Value, value: Value, source: str, key: tuple[str, ...]) -> Value:
    """What an operator makes of a value without looking at the row."""
    if name == "constant" or (name == "default" and value is None):
        value = argument
    elif name == "value_map":
        pairs = _file(MAPPINGS / "_shared" / f"{argument}.yaml")["values"]
        value = (pairs if source == "dataverse" else {b: a for a, b in pairs.items()}).get(value)
    elif value is not None and name in _WITH_A_VALUE:
        value = _WITH_A_VALUE[name](value, argument, source, key)
    return value


def _day(value: str, key: tuple[str, ...]) -> date:
    """A calendar day as it is; a moment as the day of the company's own midnight."""
    if len(value) == 10:
        return date.fromisoformat(value)
    return datetime.fromisoformat(value).astimezone(_zone(key)).date()


def _midnight(day: date, key: tuple[str, ...]) -> str:
    """The moment at which a day begins in the company's zone, as a UserLocal column has it."""
    begins = datetime.combine(day, time(), _zone(key)).astimezone(UTC)
    return begins.strftime("%Y-%m-%dT%H:%M:%SZ")


def _zone(key: tuple[str, ...]) -> tzinfo:
    companies = _file(MAPPINGS / "_shared" / "companies.yaml")["companies"]
    zones = {code.lower(): ZoneInfo(each["zone"]) for code, each in companies.items()}
    return zones.get(key[-1], UTC)


def _outline_level(value: str, argument: str) -> int:
    assert argument == "outline_level"
    return value.count(".") + 1


_WITH_A_VALUE: Mapping[str, Callable[..., Value]] = {
    "truncate": lambda value, argument, *_: value[:argument],
    "round": lambda value, argument, *_: Decimal(value).quantize(Decimal(1).scaleb(-argument), ROUND_HALF_UP),
    "date": lambda value, _, source, key: (
        date.fromisoformat(value[:10]) if source == "finance" else _day(value, key)
    ),
    "python": lambda value, argument, *_: _outline_level(value, argument),
}


def _same(wanted: Value, held: Value, column: Mapping[str, Value], *, folded: bool) -> bool:
    if wanted is None:
        return held in (None, "", 0, NO_DAY, NO_GUID) or held == _first_symbol(column)
    if folded and isinstance(held, str):
        return bool(str(wanted).casefold() == held.casefold())
    if isinstance(wanted, str) or isinstance(held, str):
        return type(wanted) is type(held) and bool(wanted == held)
    return isinstance(wanted, bool) is isinstance(held, bool) and bool(wanted == held)


def _first_symbol(column: Mapping[str, Value]) -> str | None:
    enums = _file(CATALOG / "finance.json").get("enums", {})
    members: Mapping[str, str] = enums.get(column.get("enum", ""), {})
    return next(iter(members.values()), None)
