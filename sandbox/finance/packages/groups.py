"""The entity sets of data management: definition groups and the entities in them.

Names, keys and the symbols `Export`, `FullPush`, `Yes` as generated and hand-written clients of live
systems use them [L]; the other symbols are ours [?].
"""

from sandbox.schema.model import Column, ColumnType, Option, Table


def _enum(name: str, enum: str, *symbols: str) -> Column:
    options = tuple(Option(value, symbol) for value, symbol in enumerate(symbols))
    return Column(name, ColumnType.ENUM, enum=enum, options=options, nullable=True)


def _no_yes(name: str) -> Column:
    return _enum(name, "NoYes", "No", "Yes")


def _text(name: str, *, required: bool = False) -> Column:
    return Column(name, ColumnType.STRING, required=required, nullable=not required)


def _table(
    name: str, entity_type: str, label: str, key: tuple[str, ...], columns: tuple[Column, ...]
) -> Table:
    by_name = {column.name: column for column in columns}
    return Table("finance", name, name, entity_type, label, None, None, by_name, (key,))


EXPORT = "Export"
FULL_PUSHES = frozenset({"FullPush", "FullPushOnly"})

GROUPS = _table(
    "DataManagementDefinitionGroups",
    "DataManagementDefinitionGroup",
    "Data management definition groups",
    ("Name", "OperationType"),
    (
        _text("Name", required=True),
        _enum("OperationType", "DMFOperationType", EXPORT, "Import", "Copy"),
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

SETS = (GROUPS, DETAILS)
