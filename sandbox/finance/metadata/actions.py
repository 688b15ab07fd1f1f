"""Actions that metadata tells of: those of data management (protocol 2.2 [D]), of versions, and of rows."""

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.finance.actions import ROW_ACTIONS
from sandbox.finance.environment import ENVIRONMENT_ACTIONS
from sandbox.finance.packages.groups import GROUPS

_TEXT, _TEXTS, _FLAG = "Edm.String", "Collection(Edm.String)", "Edm.Boolean"
_EXECUTION = {"executionId": _TEXT}
_ENTITY = {"executionId": _TEXT, "entityName": _TEXT}


@dataclass(frozen=True, slots=True)
class ActionDescription:
    """An action and what it takes.

    Attributes:
        entity_set: The set that it is bound to.
        name: Its name without the namespace.
        parameters: EDM types by name, without the binding parameter.
        returns: EDM type of its value, None for none.
        on_set: Whether it is bound to the set and not to a row.
    """

    entity_set: str
    name: str
    parameters: Mapping[str, str]
    returns: str | None
    on_set: bool


def _of_packages(name: str, parameters: Mapping[str, str], returns: str = _TEXT) -> ActionDescription:
    return ActionDescription(GROUPS.name, name, parameters, returns, on_set=True)


ACTIONS = (
    _of_packages("GetAzureWriteUrl", {"uniqueFileName": _TEXT}),
    _of_packages(
        "ImportFromPackage",
        {
            "packageUrl": _TEXT,
            "definitionGroupId": _TEXT,
            "executionId": _TEXT,
            "execute": _FLAG,
            "overwrite": _FLAG,
            "legalEntityId": _TEXT,
        },
    ),
    _of_packages(
        "ExportToPackage",
        {
            "definitionGroupId": _TEXT,
            "packageName": _TEXT,
            "executionId": _TEXT,
            "reExecute": _FLAG,
            "legalEntityId": _TEXT,
        },
    ),
    _of_packages("GetExecutionSummaryStatus", _EXECUTION),
    _of_packages("GetExportedPackageUrl", _EXECUTION),
    _of_packages("GetExecutionErrors", _EXECUTION),
    _of_packages("GetEntityExecutionSummaryStatusList", _EXECUTION),
    _of_packages("GetImportStagingErrorFileUrl", _ENTITY),
    _of_packages("GenerateImportTargetErrorKeysFile", _ENTITY, _FLAG),
    _of_packages("GetImportTargetErrorKeysFileUrl", _ENTITY),
    _of_packages("GetMessageStatus", {"messageId": _TEXT}),
    *(
        ActionDescription(
            entity_set, name, {}, _TEXTS if name == "GetInstalledModules" else _TEXT, on_set=True
        )
        for entity_set, name in ENVIRONMENT_ACTIONS
    ),
    *(ActionDescription(entity_set, name, {}, None, on_set=False) for entity_set, name in ROW_ACTIONS),
)


def actions_of(entity_set: str) -> tuple[ActionDescription, ...]:
    """Return the actions of an entity set."""
    return tuple(action for action in ACTIONS if action.entity_set == entity_set)
