"""Which legs read the table that a message names."""

import re
from collections.abc import Iterable, Mapping

from projops.mapping.catalog import Table
from projops.mapping.model import System, TableMap
from projops.mapping.paths import table_of
from projops.signals.messages import Message
from projops.state.leg_facts import Place

# What names of events and of virtual tables add to that of their entity: CustomerV3CreatedBusinessEvent [?],
# mserp_projactualsimportentity.
_BEGINNING = "mserp_"
# Entities that are called otherwise inside of Finance, as its metadata shows [L].
_PUBLIC = {
    "custcustomerv3": "customersv3",
    "custcustomergroup": "customergroups",
    "vendvendorv2": "vendorsv2",
}
_ENDING = re.compile(r"(entity)?(created|updated|deleted)?(business|data)?(event)?$", re.IGNORECASE)


def places_of(
    message: Message, maps: Mapping[str, TableMap], events: Mapping[str, tuple[str, ...]]
) -> tuple[Place, ...]:
    """Give the legs whose source a message tells of; none where no enabled map reads it.

    Args:
        message: The message.
        maps: Maps by id.
        events: Entity sets that each business event or virtual table tells of, by its name in lower case;
            what is not there names its entity itself, as most data events do.
    """
    names = _names(message, events)
    return tuple(
        (name, direction.value)
        for name, each in maps.items()
        if each.enabled
        for direction in each.legs
        if direction.source is message.system and names & _called(table_of(each, message.system))
    )


def tables_read(maps: Iterable[TableMap], system: System) -> dict[str, Table]:
    """Give the tables or entity sets of a system that enabled maps read, by name."""
    read = [
        table_of(each, system)
        for each in maps
        if each.enabled and any(leg.source is system for leg in each.legs)
    ]
    return {table.name: table for table in sorted(read, key=lambda table: table.name)}


def _names(message: Message, events: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    name = message.name.casefold()
    if message.system is System.DATAVERSE:
        return frozenset({name})
    if name in events:
        return frozenset(each.casefold() for each in events[name])
    bare = name.removeprefix(_BEGINNING)
    entity = _ENDING.sub("", bare, count=1)
    return frozenset({name, bare, _PUBLIC.get(entity, entity)})


def _called(table: Table) -> frozenset[str]:
    """The names by which messages may call a table, folded."""
    return frozenset({table.name.casefold(), table.entity_type.rpartition(".")[2].casefold()})
