import json

import pytest

from projops.errors import ConfigurationError
from projops.mapping.model import System
from projops.systems.connection import Connection, Parts, from_environment, from_parts, is_loopback

VARIABLE = "AIRFLOW_CONN_DATAVERSE_DEFAULT"
EXTRA = {"tenant_id": "contoso.example", "default_company": "USPM", "pace": 3}


def resolved(text: str) -> Connection:
    return from_environment("dataverse_default", {VARIABLE: text})


def as_json(**fields: object) -> str:
    complete = {
        "conn_type": "dataverse",
        "host": "https://org.crm.dynamics.com/",
        "login": "client",
        "password": "s3cr3t/@:",
        "extra": EXTRA,
    }
    return json.dumps({**complete, **fields})


def test_json_form() -> None:
    connection = resolved(as_json())
    assert connection == Connection(
        name="dataverse_default",
        system=System.DATAVERSE,
        base_url="https://org.crm.dynamics.com",
        tenant="contoso.example",
        client_id="client",
        client_secret="s3cr3t/@:",
        default_company="uspm",
        options={"pace": 3},
    )


def test_json_extra_may_be_text_as_airflow_writes_it() -> None:
    assert resolved(as_json(extra=json.dumps(EXTRA))) == resolved(as_json())


@pytest.mark.parametrize(
    ("uri", "base_url"),
    [
        ("dataverse://client:s%2F%40@org.example.com?tenant_id=t", "https://org.example.com"),
        ("dataverse://client:s%2F%40@127.0.0.1:8801/http?tenant_id=t", "http://127.0.0.1:8801"),
        ("dataverse://http://client:s%2F%40@localhost:8801?tenant_id=t", "http://localhost:8801"),
        (
            "dataverse://client:s%2F%40@https%3A%2F%2Forg.example.com%2F?__extra__=%7B%22tenant_id%22%3A%22t%22%7D",
            "https://org.example.com",
        ),
    ],
)
def test_uri_form(uri: str, base_url: str) -> None:
    connection = resolved(uri)
    assert (connection.base_url, connection.tenant) == (base_url, "t")
    assert (connection.client_id, connection.client_secret) == ("client", "s/@")


def test_static_token_needs_no_credentials() -> None:
    extra = {"token": "sandbox-token"}
    connection = resolved(as_json(host="http://[::1]:8801", login=None, password=None, extra=extra))
    assert (connection.static_token, connection.base_url) == ("sandbox-token", "http://[::1]:8801")


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"host": None}, "host"),
        ({"login": ""}, "login"),
        ({"password": None}, "password"),
        ({"extra": {}}, "tenant_id"),
        ({"extra": "no json"}, "JSON"),
        ({"extra": [1]}, "extra"),
        ({"conn_type": "http"}, "type"),
        ({"port": "many"}, "JSON"),
        ({"host": "http://org.example.com"}, "clear"),
        ({"host": "ftp://org.example.com"}, "host"),
        ({"host": "https://org.example.com/api/data/v9.2"}, "path"),
        ({"host": "https://"}, "host"),
        ({"host": "https://org:abc"}, "host"),
        ({"extra": {**EXTRA, "authority": "http://login.example.com"}}, "authority"),
        ({"extra": {**EXTRA, "ca_file": "/nowhere/ca.pem"}}, "ca_file"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named) as caught:
        resolved(as_json(**fields))
    assert "dataverse_default" in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


def test_missing_connection_names_the_variable() -> None:
    with pytest.raises(ConfigurationError, match=VARIABLE):
        from_environment("dataverse_default", {})


def test_malformed_uri_is_a_sentence() -> None:
    with pytest.raises(ConfigurationError, match="URI"):
        resolved("dataverse://client:secret@host:port?tenant_id=t")


def test_secrets_are_not_shown() -> None:
    parts = Parts(
        "finance", "https://fno.example.com", login="c", password="hush", extra={**EXTRA, "key": "hush"}
    )
    assert "hush" not in repr(parts)
    assert "hush" not in repr(from_parts("finance_default", parts))


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("127.0.0.9", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("localhost.example", False),
    ],
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
