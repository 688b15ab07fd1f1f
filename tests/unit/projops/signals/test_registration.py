"""Which steps maps need, what an endpoint's connection may say, and which legs a message tells of."""

import asyncio
from dataclasses import replace

import pytest

from projops.errors import ConfigurationError
from projops.mapping.model import System
from projops.mapping.reader import load_maps
from projops.settings import PROJECT_ROOT
from projops.signals.endpoint import Endpoint, endpoint_from_environment, endpoint_of
from projops.signals.messages import Message
from projops.signals.registration import Registrar, wanted_steps
from projops.signals.sources import places_of
from projops.systems.connection import Parts

MAPS = load_maps(PROJECT_ROOT / "include" / "mappings").maps
SECRET = "s3cret-s3cret-s3cret"


def test_every_table_that_a_leg_reads_has_its_three_steps() -> None:
    steps = wanted_steps(MAPS.values()).values()
    read = {
        each.dataverse
        for each in MAPS.values()
        if each.enabled and any(leg.source is System.DATAVERSE for leg in each.legs)
    }
    assert {step.table for step in steps} == read
    assert sorted(step.message for step in steps) == sorted(["Create", "Update", "Delete"] * len(read))


def test_an_update_is_told_by_the_columns_that_some_leg_reads() -> None:
    """Keys, fields, conditions and the lookups of paths, each by the table's own column; of all its maps."""
    only = {name: each for name, each in MAPS.items() if each.dataverse == "account"}
    step = wanted_steps(only.values())["Project Operations Sync: Update of account"]
    assert {"accountnumber", "name", "msdyn_company"} <= set(step.columns)
    assert not any("." in column for column in step.columns)
    assert step.columns == tuple(sorted(step.columns))
    others = wanted_steps(only.values())["Project Operations Sync: Create of account"]
    assert (others.columns, others.attributes) == ((), None)


def test_maps_that_are_off_need_nothing() -> None:
    assert wanted_steps(replace(each, enabled=False) for each in MAPS.values()) == {}


@pytest.mark.parametrize(
    ("parts", "address"),
    [
        (Parts("generic", host="https://airflow.example/", password=SECRET), "https://airflow.example"),
        (Parts("http", host="airflow.example", schema="https", password=SECRET), "https://airflow.example"),
        (Parts("generic", host="a.example", port=8443, password=SECRET), "https://a.example:8443"),
        (Parts("generic", host="http://127.0.0.1:8080/af", password=SECRET), "http://127.0.0.1:8080/af"),
        (Parts("generic", password=SECRET), ""),
    ],
)
def test_an_address_is_read_in_all_forms_that_airflow_keeps(parts: Parts, address: str) -> None:
    assert endpoint_of(parts) == Endpoint(SECRET, address)


@pytest.mark.parametrize("password", [None, "", "short", "s3cret-s3cret-s3cr\u00e9t"])
def test_a_secret_that_is_none_is_refused_and_not_repeated(password: str | None) -> None:
    with pytest.raises(ConfigurationError, match="its password is no secret") as refused:
        endpoint_of(Parts("generic", password=password))
    assert not password or password not in str(refused.value)


def test_what_the_extra_says_of_events_and_users() -> None:
    extra = {"events": {"ProjPosted": ["CustomersV3", "VendorsV2"], "One": "Workers"}, "own_users": ["AB-1"]}
    endpoint = endpoint_of(Parts("generic", password=SECRET, extra=extra))
    assert endpoint.events == {"projposted": ("CustomersV3", "VendorsV2"), "one": ("Workers",)}
    assert endpoint.own_users == {"ab-1"}
    with pytest.raises(ConfigurationError, match="its extra events is no object"):
        endpoint_of(Parts("generic", password=SECRET, extra={"events": ["x"]}))


def test_without_the_connection_there_is_no_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_PROJOPS_SIGNALS", raising=False)
    assert endpoint_from_environment() is None
    monkeypatch.setenv("AIRFLOW_CONN_PROJOPS_SIGNALS", "{")
    with pytest.raises(ConfigurationError):
        endpoint_from_environment()


@pytest.mark.parametrize("address", ["", "http://airflow.example", "ftp://a.example", "airflow.example"])
def test_the_secret_is_sent_by_https_or_within_the_machine(address: str) -> None:
    registrar = Registrar(None)  # type: ignore[arg-type]  # nobody is asked
    with pytest.raises(ConfigurationError, match="names no https address"):
        asyncio.run(registrar.register(Endpoint(SECRET, address), {}))


@pytest.mark.parametrize(
    ("name", "maps"),
    [
        ("CustomersV3", {"customers"}),
        ("customerv3createdbusinessevent", {"customers"}),
        ("mserp_custcustomerv3entity", {"customers"}),
        ("mserp_projactualsimportentity", {"actuals"}),
        ("ProjPosted", {"customers", "vendors"}),
        ("CustomersV3 ", set()),
        ("", set()),
    ],
)
def test_the_entity_that_an_event_of_finance_tells_of(name: str, maps: set[str]) -> None:
    events = {"projposted": ("CustomersV3", "VendorsV2")}
    found = places_of(Message(System.FINANCE, name), MAPS, events)
    assert {leg for _, leg in found} <= {"finance_to_dataverse"}
    assert {map_id for map_id, _ in found} == maps
