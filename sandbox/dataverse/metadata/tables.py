"""EntityMetadata of a table [D]: properties, names and defaults as the documentation shows them."""

from collections.abc import Mapping
from typing import Any

from sandbox.dataverse.metadata.labels import label, managed, metadata_id
from sandbox.dataverse.metadata.model import Below, Definition
from sandbox.schema.model import Table

_FALSE = """AutoCreateAccessTeams AutoRouteToOwnerQueue EnforceStateTransitions EntityHelpUrlEnabled
HasActivities HasEmailAddresses HasFeedback HasNotes IsActivity IsActivityParty IsAIRUpdated
IsArchivalEnabled IsAvailableOffline IsBPFEntity IsBusinessProcessEnabled IsChildEntity
IsDocumentManagementEnabled IsDocumentRecommendationsEnabled IsEnabledForExternalChannels IsEnabledForTrace
IsInteractionCentricEnabled IsIntersect IsKnowledgeManagementEnabled IsLogicalEntity
IsMSTeamsIntegrationEnabled IsOneNoteIntegrationEnabled IsPrivate IsQuickCreateEnabled
IsRetentionEnabled IsRetrieveAuditEnabled IsRetrieveMultipleAuditEnabled
IsSLAEnabled SyncToExternalSearchIndex UsesBusinessDataLabelTable""".split()
_TRUE = """CanTriggerWorkflow IsEnabledForCharts IsImportable IsOptimisticConcurrencyEnabled
IsReadingPaneEnabled IsSolutionAware IsStateModelAware IsValidForAdvancedFind""".split()
_NULL = """CreatedOn DataProviderId DataSourceId EntityColor EntityHelpUrl ExternalCollectionName ExternalName
HasChanged IconLargeName IconMediumName IconSmallName IconVectorName MobileOfflineFilters ModifiedOn OwnerId
OwnerIdType OwningBusinessUnit PrimaryImageAttribute RecurrenceBaseEntityLogicalName SettingOf""".split()
_MANAGED = {
    "CanBeInManyToMany": (True, "canbeinmanytomany"),
    "CanBePrimaryEntityInRelationship": (True, "canbeprimaryentityinrelationship"),
    "CanBeRelatedEntityInRelationship": (True, "canberelatedentityinrelationship"),
    "CanChangeHierarchicalRelationship": (True, "canchangehierarchicalrelationship"),
    "CanChangeTrackingBeEnabled": (True, "canchangetrackingbeenabled"),
    "CanCreateAttributes": (True, "cancreateattributes"),
    "CanCreateCharts": (True, "cancreatecharts"),
    "CanCreateForms": (True, "cancreateforms"),
    "CanCreateViews": (True, "cancreateviews"),
    "CanEnableSyncToExternalSearchIndex": (True, "canenablesynctoexternalsearchindex"),
    "CanModifyAdditionalSettings": (True, "canmodifyadditionalsettings"),
    "IsAuditEnabled": (False, "canmodifyauditsettings"),
    "IsConnectionsEnabled": (False, "canmodifyconnectionsettings"),
    "IsCustomizable": (True, "iscustomizable"),
    "IsDuplicateDetectionEnabled": (False, "canmodifyduplicatedetectionsettings"),
    "IsMailMergeEnabled": (False, "canmodifymailmergesettings"),
    "IsMappable": (True, "ismappable"),
    "IsOfflineInMobileClient": (False, "canmodifymobileclientoffline"),
    "IsReadOnlyInMobileClient": (False, "canmodifymobileclientreadonly"),
    "IsRenameable": (True, "isrenameable"),
    "IsValidForQueue": (False, "canmodifyqueuesettings"),
    "IsVisibleInMobile": (False, "canmodifymobilevisibility"),
    "IsVisibleInMobileClient": (False, "canmodifymobileclientvisibility"),
}
_FIXED = frozenset({"CanCreateAttributes", "IsMappable"})
_PRIVILEGES = ("Create", "Read", "Write", "Delete", "Assign", "Share", "Append", "AppendTo")
_USER_OWNED_ONLY = frozenset({"Assign", "Share"})


def table_definition(table: Table, type_code: int, below: Mapping[str, Below]) -> Definition:
    """Return the EntityMetadata of a table.

    Args:
        table: The table.
        type_code: Its ObjectTypeCode.
        below: Columns, keys and relationships by navigation property.
    """
    properties = {
        **dict.fromkeys(_FALSE, False),
        **dict.fromkeys(_TRUE, True),
        **dict.fromkeys(_NULL),
        **{name: managed(value, by, changeable=name not in _FIXED) for name, (value, by) in _MANAGED.items()},
        **_names(table),
        "ActivityTypeMask": 0,
        "ChangeTrackingEnabled": table.change_tracking,
        "DaysSinceRecordLastModified": 0,
        "IntroducedVersion": "1.0",
        "IsCustomEntity": is_custom(table.name),
        "IsManaged": True,
        "MetadataId": metadata_id(table.name),
        "ObjectTypeCode": type_code,
        "OwnershipType": ownership(table),
        "PrimaryIdAttribute": table.primary_id,
        "PrimaryNameAttribute": table.primary_name,
        "Privileges": _privileges(table),
        "Settings": [],
        "TableType": "Standard",
    }
    return Definition("EntityMetadata", "EntityMetadata", properties, frozenset(properties), below)


def is_custom(name: str) -> bool:
    """Say whether a table or column came with a solution: its name begins with a publisher's prefix."""
    return "_" in name


def ownership(table: Table) -> str:
    """Return the OwnershipTypes member: rows of tables with an owner belong to users and teams."""
    return "UserOwned" if "ownerid" in table.columns else "OrganizationOwned"


def _names(table: Table) -> dict[str, Any]:
    collection = table.schema_name + table.entity_set.removeprefix(table.name)
    if table.name.endswith("y"):
        collection = table.schema_name[:-1] + "ies"
    return {
        "LogicalName": table.name,
        "SchemaName": table.schema_name,
        "EntitySetName": table.entity_set,
        "LogicalCollectionName": table.entity_set,
        "CollectionSchemaName": collection,
        "ReportViewName": f"Filtered{table.schema_name}",
        "DisplayName": label(table.label),
        "DisplayCollectionName": label(table.label),
        "Description": label(None),
    }


def _privileges(table: Table) -> list[dict[str, Any]]:
    owned = ownership(table) == "UserOwned"
    return [
        {
            "CanBeBasic": owned,
            "CanBeDeep": owned,
            "CanBeGlobal": True,
            "CanBeLocal": owned,
            "CanBeEntityReference": False,
            "CanBeParentEntityReference": False,
            "CanBeRecordFilter": False,
            "Name": f"prv{kind}{table.schema_name}",
            "PrivilegeId": metadata_id(f"prv{kind}{table.schema_name}"),
            "PrivilegeType": kind,
        }
        for kind in _PRIVILEGES
        if owned or kind not in _USER_OWNED_ONLY
    ]
