"""The folder of maps: `load_maps` keeps the good maps apart from the broken ones.

`map_file` says what is wrong with the form of a file, `lint` what is wrong with its meaning; a file
that is wrong in either way stops nothing but itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from projops.mapping.companies import Company, read_companies
from projops.mapping.findings import Finding
from projops.mapping.map_file import read_map
from projops.mapping.model import TableMap
from projops.mapping.value_maps import ValueMap, read_value_map

SHARED_FOLDER = "_shared"


@dataclass(frozen=True, slots=True)
class BrokenMap:
    """A map that cannot be run.

    Attributes:
        map: Its id, which is its file's name.
        area: Its area, which is its folder's name.
        findings: Everything that is wrong with it; at least one.
    """

    map: str
    area: str
    findings: tuple[Finding, ...]

    @property
    def message(self) -> str:
        """All findings, one on each line, as `file:line: message remedy`."""
        return "\n".join(str(finding) for finding in self.findings)


@dataclass(frozen=True, slots=True)
class MapFolder:
    """What stands in a folder of maps, before lint has judged it.

    Attributes:
        maps: Maps whose form is good, by id, in order of file name.
        value_maps: Value maps by name.
        companies: Companies by code in lower case.
        unreadable: Findings of the form, by (area, map id).
        shared: Findings in the shared files.
    """

    maps: Mapping[str, TableMap]
    value_maps: Mapping[str, ValueMap]
    companies: Mapping[str, Company]
    unreadable: Mapping[tuple[str, str], tuple[Finding, ...]]
    shared: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class LoadedMaps:
    """The maps of a folder, those that can run apart from those that cannot.

    Attributes:
        maps: Maps by id.
        broken: Maps that cannot run, with the reasons.
        value_maps: Value maps by name.
        companies: Companies by code in lower case.
    """

    maps: Mapping[str, TableMap]
    broken: tuple[BrokenMap, ...]
    value_maps: Mapping[str, ValueMap]
    companies: Mapping[str, Company]


def load_maps(folder: Path) -> LoadedMaps:
    """Read and check all maps of a folder (`include/mappings`), if a file has changed since the last time.

    A task reads them twice, for its DAG and for its engine, and a worker has read them before it forked it.
    """
    return _load_maps(folder, _state_of(folder))


def _state_of(folder: Path) -> frozenset[tuple[Path, int, int, int]]:
    """Give what shows a change of a file: which it is, how long, and when it was last written (in ns)."""
    found = ((path, path.stat()) for path in folder.glob("*/*.yaml"))
    return frozenset((path, stat.st_ino, stat.st_size, stat.st_mtime_ns) for path, stat in found)


@lru_cache(maxsize=2)
def _load_maps(folder: Path, _: frozenset[tuple[Path, int, int, int]]) -> LoadedMaps:
    from projops.mapping.lint import lint_folder

    content = read_folder(folder)
    findings = dict(content.unreadable)
    for finding in lint_folder(content):
        path = Path(finding.file)
        if path.parent.name != SHARED_FOLDER:
            place = (path.parent.name, path.stem)
            findings[place] = (*findings.get(place, ()), finding)
    bad = {map_id for _, map_id in findings}
    return LoadedMaps(
        maps=MappingProxyType({name: each for name, each in content.maps.items() if name not in bad}),
        broken=tuple(
            BrokenMap(map_id, area, tuple(sorted(set(found))))
            for (area, map_id), found in sorted(findings.items())
        ),
        value_maps=content.value_maps,
        companies=content.companies,
    )


def read_folder(folder: Path) -> MapFolder:
    """Read `<area>/<map>.yaml` and `_shared/*.yaml` below a folder."""
    maps: dict[str, TableMap] = {}
    unreadable: dict[tuple[str, str], tuple[Finding, ...]] = {}
    for path in map_files(folder):
        table_map, findings = read_map(path, _shown(path, folder))
        if table_map is not None and table_map.map in maps:
            findings = (_duplicate(table_map, maps[table_map.map]),)
        if findings or table_map is None:
            unreadable[path.parent.name, path.stem] = findings
        else:
            maps[table_map.map] = table_map
    value_maps, companies, shared = _read_shared(folder)
    return MapFolder(
        MappingProxyType(maps),
        MappingProxyType(value_maps),
        companies,
        MappingProxyType(unreadable),
        shared,
    )


def map_files(folder: Path) -> list[Path]:
    """Give the files of maps in a folder, `<area>/<map>.yaml`, whatever they hold."""
    return sorted(folder.glob("[!_]*/*.yaml"))


def _read_shared(folder: Path) -> tuple[dict[str, ValueMap], Mapping[str, Company], tuple[Finding, ...]]:
    value_maps: dict[str, ValueMap] = {}
    companies: Mapping[str, Company] = MappingProxyType({})
    findings: list[Finding] = []
    for path in sorted((folder / SHARED_FOLDER).glob("*.yaml")):
        if path.name == "companies.yaml":
            companies, found = read_companies(path, _shown(path, folder))
        else:
            value_map, found = read_value_map(path, _shown(path, folder))
            if value_map is not None:
                value_maps[value_map.name] = value_map
        findings.extend(found)
    return value_maps, companies, tuple(findings)


def _shown(path: Path, folder: Path) -> str:
    return path.relative_to(folder.parent.parent).as_posix()


def _duplicate(table_map: TableMap, first: TableMap) -> Finding:
    return Finding(
        table_map.file,
        table_map.lines.get("map", 1),
        f"The map id {table_map.map} is taken by {first.file}.",
        "Give one of the two another id and file name.",
    )
