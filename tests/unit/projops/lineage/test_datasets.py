"""Names of datasets, as OpenLineage's conventions have them."""

from pathlib import Path

import pytest

from projops.lineage.datasets import Field, report_dataset, staged_dataset, state_dataset, table_dataset
from projops.mapping.catalog import dataverse_tables, finance_tables
from projops.mapping.model import Direction
from projops.mapping.reader import load_maps

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize(
    ("url", "namespace"),
    [
        ("https://org.crm4.dynamics.com", "dataverse://org.crm4.dynamics.com"),
        ("http://127.0.0.1:8801", "dataverse://127.0.0.1:8801"),
        ("https://somebody:secret@org.crm4.dynamics.com", "dataverse://org.crm4.dynamics.com"),
    ],
)
def test_a_table_is_named_by_its_host(url: str, namespace: str) -> None:
    found = table_dataset(dataverse_tables()["account"], url)
    assert (found.namespace, found.name) == (namespace, "account")
    assert "secret" not in found.uri


def test_fields_have_the_catalogs_types() -> None:
    found = table_dataset(finance_tables()["CustomersV3"], "https://f.example")
    assert found.namespace == "finance://f.example"
    assert Field("CustomerAccount", "string(20)") in found.fields
    assert {field.type.partition("(")[0] for field in found.fields} <= {
        *("string", "memo", "guid", "integer", "bigint", "decimal", "money", "double", "boolean"),
        *("datetime", "date", "option", "multi_option", "lookup", "enum"),
    }


@pytest.mark.parametrize(
    ("root", "place"),
    [
        ("file:///var/staging", ("file", "/var/staging/projects/dataverse_to_finance/extract")),
        ("s3://bucket/staging", ("s3://bucket", "staging/projects/dataverse_to_finance/extract")),
        (
            "abfss://container@account.dfs.core.windows.net/staging",
            (
                "abfss://container@account.dfs.core.windows.net",
                "staging/projects/dataverse_to_finance/extract",
            ),
        ),
    ],
)
def test_a_staged_frame_is_one_dataset_whose_batches_are_versions(root: str, place: tuple[str, str]) -> None:
    table_map = load_maps(ROOT / "include" / "mappings").maps["projects"]
    leg = table_map.legs[Direction.DATAVERSE_TO_FINANCE]
    found = staged_dataset(root, table_map, leg, "extract", 12)
    assert ((found.namespace, found.name), found.version) == (place, "12")


@pytest.mark.parametrize(
    ("url", "namespace", "name"),
    [
        (
            "postgresql+psycopg://u:secret@db.example/projops",
            "postgres://db.example:5432",
            "projops.public.leg",
        ),
        ("postgresql+psycopg://u:secret@db.example:6000/p", "postgres://db.example:6000", "p.public.leg"),
        ("sqlite:////var/state.db", "sqlite", "/var/state.db.leg"),
    ],
)
def test_a_table_of_the_state_is_named_without_credentials(url: str, namespace: str, name: str) -> None:
    found = state_dataset(url, "leg", "Where legs stand.")
    assert (found.namespace, found.name) == (namespace, name)
    assert "secret" not in found.uri


def test_a_report_is_named_by_where_it_lies() -> None:
    assert report_dataset("s3://bucket/reports/1.html", "Report", "1").name == "reports/1.html"
