"""Where a system is and as whom we speak to it: Airflow's connections, resolved to one value."""

import ipaddress
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from projops.errors import ConfigurationError
from projops.mapping.model import System

DEFAULT_AUTHORITY = "https://login.microsoftonline.com"
_TLS_SWITCHES = frozenset({"verify", "verify_ssl", "ssl", "ssl_verify", "insecure", "check_hostname"})
_NAMED_EXTRAS = frozenset({"tenant_id", "authority", "token", "ca_file", "default_company"})


@dataclass(frozen=True, slots=True)
class Connection:
    """A resolved connection.

    Attributes:
        name: Connection id, for messages.
        system: Dataverse or Finance.
        base_url: Scheme, host and port, without a path and without a slash at the end.
        tenant: Entra tenant id or domain; "" with a static token.
        client_id: Application (client) id; "" with a static token.
        client_secret: Its secret.
        authority: Base URL of the identity provider.
        static_token: Bearer token to use as it is, or None.
        ca_file: PEM file with certificates to trust besides the system's, or None.
        default_company: Finance company of the integration user, or None.
        options: Further extras, by name: limits (`systems.limits`), ...
    """

    name: str
    system: System
    base_url: str
    tenant: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    authority: str = DEFAULT_AUTHORITY
    static_token: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    default_company: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def principal(self) -> str:
        """The system and who we are there: what its limits apply to."""
        return f"{self.system} {self.base_url} {self.client_id or 'token'}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may hold."""
        return tuple(each for each in (self.client_secret, self.static_token) if each)


@dataclass(frozen=True, slots=True)
class Parts:
    """The fields of an Airflow connection, before they are resolved.

    Attributes:
        conn_type: `dataverse` or `finance`.
        host: Host, or a whole base URL with its scheme.
        schema: Scheme (`https`) where `host` has none, as in Airflow's http connections.
        login: Client id.
        password: Client secret.
        port: Port, or None.
        extra: tenant_id, authority, token, ca_file, default_company and further options.
    """

    conn_type: str
    host: str | None = None
    schema: str | None = None
    login: str | None = None
    password: str | None = field(default=None, repr=False)
    port: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


def from_environment(name: str, environment: Mapping[str, str] = os.environ) -> Connection:
    """Resolve a connection from `AIRFLOW_CONN_<NAME>`, in JSON or URI form, as Airflow does.

    Raises:
        ConfigurationError: It is missing, malformed or incomplete; names connection and field.
    """
    return from_parts(name, parts_from_environment(name, environment))


def parts_from_environment(name: str, environment: Mapping[str, str] = os.environ) -> Parts:
    """Read the fields of a connection of any type from `AIRFLOW_CONN_<NAME>`.

    Raises:
        ConfigurationError: It is missing or malformed; names the connection.
    """
    variable = f"AIRFLOW_CONN_{name.upper()}"
    text = environment.get(variable, "").strip()
    if not text:
        raise ConfigurationError(
            f"Connection {name} is not defined.",
            remedy=f"Set {variable} or create the connection {name} in Airflow.",
            connection=name,
        )
    return _parts_of_json(name, text) if text.startswith("{") else _parts_of_uri(name, text)


def from_parts(name: str, parts: Parts) -> Connection:
    """Resolve a connection from the fields of an Airflow connection.

    Raises:
        ConfigurationError: A field is missing or wrong; names connection and field.
    """
    extra = parts.extra
    try:
        system = System(parts.conn_type)
    except ValueError:
        raise _wrong(name, "type", f"is {parts.conn_type!r}", "Choose dataverse or finance.") from None
    _refuse_switches(name, extra)
    token = extra.get("token") or None
    if token is None:
        _require(name, "login (client id)", parts.login)
        _require(name, "password (client secret)", parts.password)
        _require(name, "extra tenant_id", extra.get("tenant_id"))
    ca_file = extra.get("ca_file") or None
    if ca_file is not None and not os.path.isfile(ca_file):
        raise _wrong(name, "extra ca_file", f"names {ca_file!r}, which is no file", "Give a PEM file.")
    return Connection(
        name=name,
        system=system,
        base_url=_base_url(name, parts),
        tenant=str(extra.get("tenant_id") or ""),
        client_id=parts.login or "",
        client_secret=parts.password or "",
        authority=_checked_url(name, "extra authority", str(extra.get("authority") or DEFAULT_AUTHORITY)),
        static_token=token,
        ca_file=ca_file,
        default_company=str(extra["default_company"]).lower() if extra.get("default_company") else None,
        options={key: value for key, value in extra.items() if key not in _NAMED_EXTRAS},
    )


def _refuse_switches(name: str, extra: Mapping[str, Any]) -> None:
    """Refuse what elsewhere turns the verification of certificates off, rather than to ignore it."""
    for switch in sorted(_TLS_SWITCHES.intersection(extra)):
        raise _wrong(
            name,
            f"extra {switch}",
            "would change how certificates are verified, which is always done",
            "Take it out; name further authorities in extra ca_file.",
        )


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address never leaves this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _base_url(name: str, parts: Parts) -> str:
    host = _require(name, "host", parts.host)
    url = host if "://" in host else f"{parts.schema or 'https'}://{host}"
    if parts.port is not None and urlsplit(url).port is None:
        url = f"{url.rstrip('/')}:{parts.port}"
    checked = _checked_url(name, "host", url)
    if urlsplit(checked).path:
        raise _wrong(
            name, "host", f"has a path ({checked})", "Give the environment's address only, https://<host>."
        )
    return checked


def _checked_url(name: str, what: str, url: str) -> str:
    """Accept https anywhere and http on this machine only; drop a slash at the end."""
    try:
        split = urlsplit(url)
        host, _ = split.hostname, split.port
    except ValueError:
        host, split = None, urlsplit("")
    if not host or split.scheme not in ("http", "https") or split.query or split.fragment or split.username:
        raise _wrong(name, what, "is no web address", "Give it as https://<host>.")
    if split.scheme == "http" and not is_loopback(host):
        raise _wrong(name, what, f"would send secrets to {host} in the clear", "Use https.")
    return url.rstrip("/")


def _parts_of_json(name: str, text: str) -> Parts:
    try:
        fields = json.loads(text)
        extra = fields.get("extra") or {}
        extra = json.loads(extra) if isinstance(extra, str) else extra
        port = int(fields["port"]) if fields.get("port") not in (None, "") else None
    except (ValueError, TypeError):
        raise _wrong(name, "text", "is no valid JSON connection", "Write it as Airflow does.") from None
    if not isinstance(extra, dict):
        raise _wrong(name, "extra", "is no JSON object", 'Write it as {"tenant_id": ...}.')
    return Parts(
        conn_type=_normal_type(str(fields.get("conn_type") or "")),
        host=fields.get("host"),
        schema=fields.get("schema"),
        login=fields.get("login"),
        password=fields.get("password"),
        port=port,
        extra=extra,
    )


def _parts_of_uri(name: str, text: str) -> Parts:
    """Read `type://login:password@host:port/schema?extra`, also with a scheme before the login."""
    conn_type, _, rest = text.partition("://")
    scheme, _, after = rest.partition("://") if "://" in rest.partition("?")[0] else ("", "", rest)
    try:
        split = urlsplit(f"//{after}")
        port = split.port
        query = dict(parse_qsl(split.query, keep_blank_values=True))
        extra = json.loads(query["__extra__"]) if "__extra__" in query else query
    except ValueError:
        raise _wrong(name, "text", "is no valid connection URI", "Percent-encode its parts.") from None
    netloc = split.netloc.rpartition("@")[2]
    host = unquote(netloc.rpartition(":")[0] if port is not None else netloc)
    return Parts(
        conn_type=_normal_type(conn_type),
        host=f"{scheme}://{host}" if scheme and host else host,
        schema=unquote(split.path[1:]) or None,
        login=unquote(split.username) if split.username else None,
        password=unquote(split.password) if split.password else None,
        port=port,
        extra=extra,
    )


def _normal_type(conn_type: str) -> str:
    return conn_type.replace("-", "_")


def _require(name: str, what: str, value: object) -> str:
    if not value:
        raise _wrong(name, what, "is missing", "Fill it in.")
    return str(value)


def _wrong(name: str, what: str, problem: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(
        f"Connection {name}: its {what} {problem}.", remedy=remedy, connection=name, field=what
    )
