import pytest

from projops.errors import ProtocolError
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
