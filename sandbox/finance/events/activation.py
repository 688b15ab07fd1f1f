"""Activating events: what people do on Finance's page *Business events*, for which there is no API.

The control plane is told the endpoints whole, as JSON, and shows them with what waits for each.
"""

from collections.abc import Container, Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sandbox.schema.model import Table

Message = Literal["Create", "Update", "Delete"]
_LONGEST_NAME = 60


class EndpointsError(ValueError):
    """Endpoints that cannot be as they were told; the sentence says why."""


class Endpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An endpoint of the type HTTPS, and what is active for it.

    Attributes:
        name: Its name, unique without case.
        url: Where events are posted to. A key in its query is what the receiver knows Finance by: Finance
            takes the whole address from a secret of a key vault.
        legal_entity: Events of this company only; "" for all [D].
        data_events: Create, Update and Delete by entity set.
        business_events: Ids of business events.
    """

    name: Annotated[str, Meta(min_length=1, max_length=_LONGEST_NAME)]
    url: Annotated[str, Meta(pattern="^https?://[^/]")]
    legal_entity: str = ""
    data_events: Mapping[str, tuple[Message, ...]] = msgspec.field(default_factory=dict)
    business_events: tuple[str, ...] = ()


def read_endpoints(
    body: object, sets: Mapping[str, Table], business_events: Container[str]
) -> tuple[Endpoint, ...]:
    """Read the endpoints of `PUT /sandbox/events/endpoints`.

    Args:
        body: A list of endpoints.
        sets: Entity sets that tell of changes, by name.
        business_events: Ids that the catalog of business events has.

    Raises:
        EndpointsError: A part is unknown or wrong, a name comes twice, or there is no such event.
    """
    try:
        endpoints = msgspec.convert(body, tuple[Endpoint, ...])
    except msgspec.ValidationError as error:
        raise EndpointsError(
            f"The endpoints cannot be read: {error}. Send a list of objects; "
            f"their parts: {', '.join(Endpoint.__struct_fields__)}."
        ) from None
    if len({each.name.lower() for each in endpoints}) < len(endpoints):
        raise EndpointsError("Two endpoints have the same name: give each a name of its own.")
    for each in endpoints:
        unknown = [name for name in each.data_events if name not in sets]
        unknown += [name for name in each.business_events if name not in business_events]
        if unknown:
            raise EndpointsError(
                f"The endpoint {each.name} asks for events of {', '.join(unknown)}, which no catalog has: "
                "data events go by entity set, business events by id."
            )
    return endpoints
