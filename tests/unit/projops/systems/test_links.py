from dataclasses import replace
from typing import Any

import pytest

from projops.errors import ConfigurationError, ProtocolError
from projops.mapping.model import System
from projops.systems.connection import Connection
from projops.systems.links import file_link

OURS = Connection(
    "finance_default",
    System.FINANCE,
    "https://contoso.operations.dynamics.com",
    options={"blob_hosts": ["files.contoso.example"]},
)


@pytest.mark.parametrize(
    "address",
    [
        "https://contoso.operations.dynamics.com/x.zip?sig=a%2Fb",
        "https://store.blob.core.windows.net/x.zip?sig=a%2Fb",
        "https://files.contoso.example/x.zip",
    ],
)
def test_files_come_from_their_hosts_as_they_are_written(address: str) -> None:
    assert str(file_link(OURS, address, "downloading")) == address


@pytest.mark.parametrize(
    "address",
    [
        "http://files.contoso.example/x.zip",
        "https://files.contoso.example.evil.example/x",
        "https://contoso.operations.dynamics.com:444/x",
        "http://contoso.operations.dynamics.com/x",
        "https://contoso.operations.dynamics.com@evil.example/x",
        "",
    ],
)
def test_from_nowhere_else(address: str) -> None:
    with pytest.raises(ProtocolError, match="finance_default, downloading: .* keeps no files"):
        file_link(OURS, address, "downloading")


@pytest.mark.parametrize("named", ["files.contoso.example", [1], {"files.contoso.example": True}, 5])
@pytest.mark.parametrize("host", ["files.contoso.example", "contoso"])
def test_hosts_that_are_no_list_of_texts_are_refused(named: Any, host: str) -> None:
    wrong = replace(OURS, options={"blob_hosts": named})
    with pytest.raises(ConfigurationError, match="finance_default: its extra blob_hosts is wrong"):
        file_link(wrong, f"https://{host}/x.zip", "downloading")


def test_hosts_are_named_in_any_case() -> None:
    ours = replace(OURS, options={"blob_hosts": ["Files.Contoso.example"]})
    found = file_link(ours, "https://FILES.contoso.example/x.zip", "downloading")
    assert found.host == "files.contoso.example"
