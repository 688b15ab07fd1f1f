"""Assets: one for every Dataverse table and Finance entity set that a map moves."""

from airflow.sdk import Asset

from projops.mapping.model import Direction, System, TableMap


def asset_of(table_map: TableMap, system: System) -> Asset:
    """Give the asset of a map's table or entity set.

    The URI names the connection where a database's would name the host, as that alone is known when
    a DAG is parsed: `dataverse://dataverse_default/account`, `finance://finance_default/CustomersV3`.
    """
    name = table_map.dataverse if system is System.DATAVERSE else table_map.finance
    return Asset(name=f"{system}/{name}", uri=f"{system}://{system}_default/{name}", group="projops")


def source_asset(table_map: TableMap, leg: Direction) -> Asset:
    """Give the asset that a leg reads."""
    return asset_of(table_map, leg.source)


def target_asset(table_map: TableMap, leg: Direction) -> Asset:
    """Give the asset that a leg writes."""
    return asset_of(table_map, leg.target)
