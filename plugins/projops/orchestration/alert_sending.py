"""The watch as Airflow's tasks run it: messages go out on Airflow's connections, links lead to its server."""

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk import BaseHook
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowNotFoundException

from projops.alerts.channels import send
from projops.alerts.model import Channel, Message
from projops.alerts.watch import SHORTLY, Watched, watch
from projops.errors import DeliveryError
from projops.orchestration.links import PREFIX
from projops.orchestration.metrics import tell_standing
from projops.orchestration.parts import parts_of
from projops.systems.connection import Parts

if TYPE_CHECKING:
    from projops.engine import Engine

_log = logging.getLogger(__name__)


def watch_on_airflow(engine: "Engine", patience: timedelta = SHORTLY) -> Watched:
    """Run the watch; log what it told, and what it could not send; tell the metrics how everything stands.

    Args:
        engine: The engine.
        patience: As in `watch`.
    """
    done = watch(engine, send_on_airflow, console_address(), patience)
    if done.opened or done.resolved:
        _log.info(
            "Alerts: %d new, %d over, %d messages sent", len(done.opened), len(done.resolved), done.sent
        )
    for why in done.unsent:
        _log.warning("An alert was not sent: %s", why)
    tell_standing(engine)
    return done


def send_on_airflow(channel: Channel, message: Message) -> None:
    """Send a message on the Airflow connection that its channel names.

    Raises:
        DeliveryError: It did not arrive, or there is no such connection.
    """
    send(channel, message, _parts(channel) if channel.connection else None)


def console_address() -> str:
    """Give the absolute address of the console's root; "" where `[api] base_url` says none."""
    base = conf.get("api", "base_url", fallback="").rstrip("/")
    return f"{base}/{PREFIX}" if base else ""


def _parts(channel: Channel) -> Parts:
    try:
        found = BaseHook.get_connection(channel.connection)
    except AirflowNotFoundException:
        raise DeliveryError(
            f"Channel {channel.name}: the connection {channel.connection} is not defined.",
            again=True,
            remedy="Create it in Airflow.",
            channel=channel.name,
        ) from None
    except Exception as problem:  # a secrets backend may raise anything, with secrets in its text
        raise DeliveryError(
            f"Channel {channel.name}: the connection {channel.connection} cannot be read "
            f"({type(problem).__name__}).",
            again=True,
            remedy="Tried again by itself; see whether Airflow's secrets backend is up.",
            channel=channel.name,
        ) from None
    return parts_of(found)
