"""Which links of a system are followed: to its own address, and for files to where it keeps them."""

from collections.abc import Sequence

from yarl import URL

from projops.errors import ConfigurationError, ProtocolError
from projops.systems.connection import Connection

# Where files are kept, besides the environment itself: Azure's storage in its clouds [D].
_BLOB_HOSTS = (
    ".blob.core.windows.net",
    ".blob.storage.azure.net",
    ".blob.core.usgovcloudapi.net",
    ".blob.core.chinacloudapi.cn",
)


def own_link(connection: Connection, url: str) -> URL:
    """Resolve a link, which may lead to the connection's own scheme, host and port only.

    Raises:
        ProtocolError: It leads elsewhere.
    """
    base = URL(connection.base_url)
    target = base.join(URL(url, encoded=True))
    if target.host is None or target.origin() != base.origin():
        raise ProtocolError(
            f"Connection {connection.name}: a link leads elsewhere, to {target.host}.",
            remedy="Links are followed to the connection's own host only; check its host.",
            connection=connection.name,
        )
    return target


def file_link(connection: Connection, url: str, what: str) -> URL:
    """Resolve the whole address of a file: the connection's own, or https to Azure's storage.

    The connection's extra `blob_hosts` (a list) names further hosts, such as a private endpoint.

    Raises:
        ConfigurationError: `blob_hosts` is no list of hosts.
        ProtocolError: It leads elsewhere.
    """
    target = URL(url, encoded=True)
    host = target.host or ""
    foreign = target.scheme == "https" and (host.endswith(_BLOB_HOSTS) or host in _named_hosts(connection))
    if foreign or (host and target.origin() == URL(connection.base_url).origin()):
        return target
    raise ProtocolError(
        f"{connection.name}, {what}: the link leads to {host or 'no host'}, which keeps no files of it.",
        remedy="Nothing was sent or fetched; check the connection's host, or name it in extra blob_hosts.",
        connection=connection.name,
    )


def _named_hosts(connection: Connection) -> Sequence[str]:
    """Read the further hosts; a bare text is refused, since any part of it would be found in it."""
    hosts = connection.options.get("blob_hosts") or []
    if isinstance(hosts, list) and all(isinstance(each, str) for each in hosts):
        return [each.lower() for each in hosts]
    raise ConfigurationError(
        f"Connection {connection.name}: its extra blob_hosts is wrong.",
        remedy='Give a list of hosts, such as ["files.example.com"].',
        connection=connection.name,
        field="extra blob_hosts",
    )
