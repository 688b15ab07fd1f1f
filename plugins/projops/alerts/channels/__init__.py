"""Channels: where messages go. One function sends; each type of channel escapes texts in its own way."""

from collections.abc import Callable, Mapping

from projops.alerts.channels.notifier import send as send_by_notifier
from projops.alerts.channels.slack import send as send_to_slack
from projops.alerts.channels.smtp import send as send_mail
from projops.alerts.channels.teams import send as send_to_teams
from projops.alerts.model import Channel, Message
from projops.alerts.texts import bounded
from projops.errors import DeliveryError
from projops.systems.connection import Parts

_SENDERS: Mapping[str, Callable[[Channel, Message, Parts | None], None]] = {
    "smtp": send_mail,
    "teams": send_to_teams,
    "slack": send_to_slack,
    "notifier": send_by_notifier,
}


def send(channel: Channel, message: Message, connection: Parts | None) -> None:
    """Send a message.

    It may arrive twice where the receiver took it but its answer never came; mail programs know a mail that
    they have by its Message-ID.

    Args:
        channel: Where to.
        message: What; brought into bounds first (`texts.bounded`).
        connection: Fields of the Airflow connection that the channel names; None where it names none.

    Raises:
        DeliveryError: It did not arrive; `again` says whether it may later. Holds no secret.
    """
    try:
        _SENDERS[channel.type](channel, bounded(message), connection)
    except DeliveryError:
        raise
    except Exception as problem:  # such as an option that is no number: other messages go out all the same
        raise DeliveryError(
            f"Channel {channel.name} cannot be used ({type(problem).__name__}).",
            again=True,
            remedy="See whether its options in the file of alerts and its connection are right.",
            channel=channel.name,
        ) from None
