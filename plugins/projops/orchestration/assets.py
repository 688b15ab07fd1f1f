"""Assets: one for every Dataverse table and Finance entity set that a map moves, for each area and report.

A load that wrote rows tells its target's asset, and Airflow wakes the areas that the table feeds. An event is
a wake-up and carries numbers, no rows: what is to move, `detect` asks both systems. Where a system itself
tells of a change, the triggerer's watch tells the area's own asset. A time schedule is the net, since events
of a burst may stay behind until the next one.
"""

from collections.abc import Iterable, Mapping

from airflow.sdk import Asset, AssetAny, AssetOrTimeSchedule, AssetWatcher, CronTriggerTimetable

from projops.lineage.feeds import feeding_tables
from projops.mapping.catalog import Table
from projops.mapping.model import Direction, TableMap
from projops.mapping.paths import table_of
from projops.orchestration.signal_trigger import SignalTrigger

_GROUP = "projops"
_SIGNALS = "signals/"
_EVERY_FIVE_MINUTES = CronTriggerTimetable("*/5 * * * *", timezone="UTC")


def table_asset(table: Table) -> Asset:
    """Give the asset of a table or entity set.

    The URI names the connection where a database's would name the host, as that alone is known when
    a DAG is parsed: `dataverse://dataverse_default/account`, `finance://finance_default/CustomersV3`.
    """
    system, name = table.system, table.name
    return Asset(name=f"{system}/{name}", uri=f"{system}://{system}_default/{name}", group=_GROUP)


def source_asset(table_map: TableMap, leg: Direction) -> Asset:
    """Give the asset that a leg reads."""
    return table_asset(table_of(table_map, leg.source))


def target_asset(table_map: TableMap, leg: Direction) -> Asset:
    """Give the asset that a leg writes."""
    return table_asset(table_of(table_map, leg.target))


def report_asset(name: str) -> Asset:
    """Give the asset of the reports of a DAG, such as `nightly_reconciliation`."""
    return Asset(name=f"report/{name}", uri=f"projops://reports/{name}", group=_GROUP)


def signal_asset(area: str) -> Asset:
    """Give the asset that is told when the source of one of an area's legs has told of changes."""
    watcher = AssetWatcher(name=f"projops signals of {area}", trigger=SignalTrigger(area))
    name = f"{_SIGNALS}{area}"
    return Asset(name=name, uri=f"projops://{name}", group=_GROUP, watchers=[watcher])


def only_signals(assets: Iterable[str]) -> bool:
    """Say whether a run was woken by signals and by nothing else.

    Args:
        assets: Names of the assets whose events started it.
    """
    names = list(assets)
    return bool(names) and all(name.startswith(_SIGNALS) for name in names)


def area_schedule(area: str, maps: Mapping[str, TableMap]) -> AssetOrTimeSchedule:
    """Give the schedule of an area's DAG: when a source signals or another area has fed it, and by the clock.

    Args:
        area: The area.
        maps: All maps by id.
    """
    feeding = [table_asset(table) for table in feeding_tables(area, maps)]
    return AssetOrTimeSchedule(timetable=_EVERY_FIVE_MINUTES, assets=AssetAny(signal_asset(area), *feeding))
