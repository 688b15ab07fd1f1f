"""The entity sets of data management: definition groups, the entities in them, and the history of jobs.

Names, keys and the symbols `Export`, `FullPush`, `Yes`, `Error` as generated and hand-written clients of
live systems use them [L]; the other symbols are ours [?].
"""

from dataclasses import replace

from sandbox.schema.model import Column, ColumnType, Option, Table


def _enum(name: str, enum: str, *symbols: str) -> Column:
    options = tuple(Option(value, symbol) for value, symbol in enumerate(symbols))
    return Column(name, ColumnType.ENUM, enum=enum, options=options, nullable=True)


def _no_yes(name: str) -> Column:
    return _enum(name, "NoYes", "No", "Yes")


def _text(name: str, *, required: bool = False, read_only: bool = False) -> Column:
    return Column(name, ColumnType.STRING, required=required, nullable=not required, read_only=read_only)


def _count(name: str) -> Column:
    return Column(name, ColumnType.INTEGER, read_only=True)


def _batch_status(name: str) -> Column:
    return replace(
        _enum(name, "DMFBatchJobStatus", "NotRun", "Waiting", "Executing", "Finished", "Error", "Aborted"),
        read_only=True,
    )


def _table(
    name: str, entity_type: str, label: str, key: tuple[str, ...], columns: tuple[Column, ...]
) -> Table:
    by_name = {column.name: column for column in columns}
    return Table("finance", name, name, entity_type, label, None, None, by_name, (key,))


EXPORT, IMPORT = "Export", "Import"
FULL_PUSHES = frozenset({"FullPush", "FullPushOnly"})

GROUPS = _table(
    "DataManagementDefinitionGroups",
    "DataManagementDefinitionGroup",
    "Data management definition groups",
    ("Name", "OperationType"),
    (
        _text("Name", required=True),
        _enum("OperationType", "DMFOperationType", EXPORT, IMPORT, "Copy"),
        _enum("ProjectCategory", "DMFProjectCategory", "Project", "Integration", "Template"),
        _text("Description"),
        _no_yes("GenerateDataPackage"),
        _no_yes("TruncateEntityData"),
    ),
)

DETAILS = _table(
    "DataManagementDefinitionGroupDetails",
    "DataManagementDefinitionGroupDetail",
    "Entities for a processing group",
    ("DefinitionGroupId", "EntityName"),
    (
        _text("DefinitionGroupId", required=True),
        _text("EntityName", required=True),
        _text("EntityXMLName"),
        _text("SourceFormat"),
        _enum(
            "DefaultRefreshType",
            "DMFRefreshType",
            "FullPush",
            "IncrementalPush",
            "FullPushOnly",
            "IncrementalPushOnly",
        ),
        _no_yes("AutoGenerateMapping"),
        _no_yes("SkipStaging"),
        _no_yes("Disable"),
        _no_yes("FailLevelOnError"),
        _no_yes("FailExecutionUnitOnError"),
        _no_yes("RunBusinessLogic"),
        _no_yes("RunBusinessValidation"),
        _enum("ValidationStatus", "NoYesError", "No", "Yes", "Error"),
        Column("ExecutionUnit", ColumnType.INTEGER),
        Column("LevelInExecutionUnit", ColumnType.INTEGER),
        Column("SequenceInLevel", ColumnType.INTEGER),
        _text("ExcelSheetName"),
        _text("InputFilePath"),
    ),
)

JOB_DETAILS = _table(
    "DataManagementExecutionJobDetails",
    "DataManagementExecutionJobDetail",
    "Data management execution job details",
    ("DefinitionGroupId", "JobId", "EntityName"),
    (
        _text("DefinitionGroupId", required=True, read_only=True),
        _text("JobId", required=True, read_only=True),
        _text("EntityName", required=True, read_only=True),
        _text("SourceFormat", read_only=True),
        _text("FilePath", read_only=True),
        _count("ExecutionUnit"),
        _count("LevelInExecutionUnit"),
        _count("SequenceInLevel"),
        _batch_status("StagingStatus"),
        _batch_status("TargetStatus"),
        _count("StagingRecordsToBeProcessedCount"),
        _count("StagingRecordsCreatedCount"),
        _count("TargetRecordsCreatedCount"),
        _count("TargetRecordsUpdatedCount"),
    ),
)

SETS = (GROUPS, DETAILS, JOB_DETAILS)
