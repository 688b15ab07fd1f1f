"""Airflow finds the connection types, their form fields and their hooks."""

import json
from importlib.resources import files

import jsonschema
import pytest
from airflow.providers_manager import ProvidersManager
from airflow.sdk.providers_manager_runtime import ProvidersManagerTaskRuntime

from projops.errors import ConfigurationError
from projops.orchestration.hooks import DataverseHook, FinanceHook
from projops.orchestration.provider import provider_info

CONNECTION = {
    "conn_type": "dataverse",
    "host": "https://contoso.crm4.dynamics.com",
    "login": "client",
    "password": "secret",
    "extra": {"tenant_id": "contoso.com"},
}


def test_the_description_follows_airflows_schema() -> None:
    schema = json.loads(files("airflow").joinpath("provider_info.schema.json").read_text())
    jsonschema.validate(provider_info(), schema)


@pytest.mark.parametrize(
    ("conn_type", "name", "hook"),
    [("dataverse", "Microsoft Dataverse", DataverseHook), ("finance", "Dynamics 365 Finance", FinanceHook)],
)
def test_airflow_lists_the_connection_type_with_its_hook(
    conn_type: str, name: str, hook: type[DataverseHook]
) -> None:
    found = ProvidersManagerTaskRuntime().hooks[conn_type]
    assert found is not None
    assert found.hook_name == name
    assert found.hook_class_name == f"{hook.__module__}.{hook.__name__}"
    assert found.connection_id_attribute_name == hook.conn_name_attr
    assert found.connection_testable


def test_the_form_has_our_fields_and_names() -> None:
    manager = ProvidersManager()
    widgets = {name for name in manager.connection_form_widgets if name.startswith("extra__finance__")}
    assert {name.removeprefix("extra__finance__") for name in widgets} == {
        "tenant_id",
        "authority",
        "ca_file",
        "token",
        "default_company",
    }
    assert manager.connection_form_widgets["extra__finance__token"].is_sensitive
    assert manager.field_behaviours["dataverse"]["relabeling"] == {
        "host": "Environment URL",
        "login": "Application (client) id",
        "password": "Client secret",
    }


def test_a_hook_hands_over_the_resolved_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_DATAVERSE_DEFAULT", json.dumps(CONNECTION))
    connection = DataverseHook().get_conn()
    assert connection.base_url == "https://contoso.crm4.dynamics.com"
    assert (connection.tenant, connection.client_id) == ("contoso.com", "client")
    assert connection.client_secret == "secret"
    assert "secret" not in repr(connection)


def test_a_hook_takes_another_connection_by_the_usual_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_UAT", json.dumps(CONNECTION))
    assert DataverseHook(dataverse_conn_id="uat").get_conn().name == "uat"
    assert DataverseHook("uat").get_conn().name == "uat"


def test_an_incomplete_connection_names_the_field(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_DATAVERSE_DEFAULT", json.dumps(CONNECTION | {"extra": {}}))
    with pytest.raises(ConfigurationError, match="dataverse_default.*tenant_id"):
        DataverseHook().get_conn()


def test_the_test_button_says_what_is_wrong_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_DATAVERSE_DEFAULT", json.dumps(CONNECTION | {"password": ""}))
    passed, message = DataverseHook().test_connection()
    assert not passed
    assert "dataverse_default" in message
    assert "password" in message
