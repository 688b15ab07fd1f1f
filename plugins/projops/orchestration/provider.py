"""What Airflow's provider mechanism asks of us: the connection types and their forms.

Airflow finds this through the entry point `apache_airflow_provider` of the installed project.
"""

from typing import Any

_TEXT = {"type": ["string", "null"]}
_ENTRA_CREDENTIAL = "Client secret"  # as its portal calls it
_SECRET = {"type": ["string", "null"], "format": "password"}


def provider_info() -> dict[str, Any]:
    """Describe the connection types `dataverse` and `finance`, in Airflow's provider schema."""
    return {
        "package-name": "project-operations-sync",
        "name": "Project Operations Sync",
        "description": "Keeps Microsoft Dataverse and Dynamics 365 Finance in step.",
        "connection-types": [
            _connection_type(
                "dataverse", "Microsoft Dataverse", "DataverseHook", "https://contoso.crm4.dynamics.com"
            ),
            _connection_type(
                "finance",
                "Dynamics 365 Finance",
                "FinanceHook",
                "https://contoso.operations.eu.dynamics.com",
                default_company={
                    "label": "Default company",
                    "description": "Legal entity of the integration user; empty where it is not known.",
                    "schema": _TEXT,
                },
            ),
        ],
    }


def _connection_type(
    conn_type: str, title: str, hook: str, example: str, **more_fields: dict[str, Any]
) -> dict[str, Any]:
    return {
        "connection-type": conn_type,
        "hook-name": title,
        "hook-class-name": f"projops.orchestration.hooks.{hook}",
        "ui-field-behaviour": {
            "hidden-fields": ["schema", "port"],
            "relabeling": {
                "host": "Environment URL",
                "login": "Application (client) id",
                "password": _ENTRA_CREDENTIAL,
            },
            "placeholders": {"host": example, "login": "00000000-0000-0000-0000-000000000000"},
        },
        "conn-fields": {
            "tenant_id": {
                "label": "Tenant",
                "description": "Entra tenant id or domain of the application.",
                "schema": _TEXT,
            },
            "authority": {
                "label": "Authority",
                "description": "Base URL of the identity provider; empty for https://login.microsoftonline.com.",
                "schema": _TEXT,
            },
            "ca_file": {
                "label": "CA file",
                "description": "PEM file with certificates to trust besides the system's.",
                "schema": _TEXT,
            },
            "token": {
                "label": "Static token",
                "description": "A bearer token to use as it is, instead of client id and secret (sandbox).",
                "schema": _SECRET,
            },
            **more_fields,
        },
    }
