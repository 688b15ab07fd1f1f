"""Definition groups: what data management exports together, one for each leg and company."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import orjson

from projops.systems import quoting
from projops.systems.decoding import decode_json
from projops.systems.failures import Kind
from projops.systems.finance import DATA
from projops.systems.session import ODataSession

_GROUPS = "DataManagementDefinitionGroups"
_DETAILS = "DataManagementDefinitionGroupDetails"


class Refresh(StrEnum):
    """What an export of a definition group holds [?]."""

    INCREMENTAL = "IncrementalPushOnly"  # the first one: everything
    FULL = "FullPushOnly"


@dataclass(frozen=True, slots=True)
class DefinitionGroup:
    """A definition group with one entity.

    Attributes:
        name: One for each leg and company, since Finance keeps its mark for each.
        entity: Data management's name of the entity, which is its label [L].
        refresh: What its exports hold.
        source_format: Name of a source data format of the environment.
    """

    name: str
    entity: str
    refresh: Refresh = Refresh.INCREMENTAL
    source_format: str = "CSV-Unicode"


async def ensure_group(session: ODataSession, group: DefinitionGroup) -> None:
    """Make sure that a definition group is there; one that is there already stays as it is."""
    name, entity = quoting.literal(group.name), quoting.literal(group.entity)
    await _ensure(session, _GROUPS, f"Name eq {name}", {"Name": group.name, "OperationType": "Export"})
    detail = {
        "DefinitionGroupId": group.name,
        "EntityName": group.entity,
        "SourceFormat": group.source_format,
        "DefaultRefreshType": group.refresh,
        "AutoGenerateMapping": "Yes",  # without it, exports are empty [L]
    }
    await _ensure(session, _DETAILS, f"DefinitionGroupId eq {name} and EntityName eq {entity}", detail)


async def _ensure(session: ODataSession, entity_set: str, where: str, row: Mapping[str, str]) -> None:
    """Create a row unless a filter finds one; somebody else may be faster."""
    what = f"looking for {next(iter(row.values()))} in {entity_set}"
    url = f"{DATA}{entity_set}{quoting.query(filter=where)}"
    if decode_json((await session.read(url, what=what)).body, what).get("value"):
        return
    what = f"creating {next(iter(row.values()))} in {entity_set}"
    answer = await session.request(
        "POST", f"{DATA}{entity_set}", what=what, body=orjson.dumps(row), kind="write"
    )
    if answer.failure is None or answer.failure.kind is not Kind.DUPLICATE:
        session.checked(answer, what)
