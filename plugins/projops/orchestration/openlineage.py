"""Lineage values as OpenLineage's own classes: datasets with their facets, tags of a run.

Only the OpenLineage listener leads here, after a task has ended and where a transport is configured.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from airflow.providers.openlineage.extractors import OperatorLineage
from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.facet_v2 import (
    column_lineage_dataset,
    data_quality_assertions_dataset,
    data_quality_metrics_input_dataset,
    dataset_version_dataset,
    datasource_dataset,
    documentation_dataset,
    input_statistics_input_dataset,
    output_statistics_output_dataset,
    schema_dataset,
    tags_run,
)

from projops.lineage.columns import ColumnLineage, Input
from projops.lineage.datasets import Dataset
from projops.lineage.quality import Assertion

_SOURCE = "PROJOPS"
Lineage = OperatorLineage[Any, Any]
Of = Mapping[tuple[str, str] | None, Dataset]


def input_dataset(
    dataset: Dataset, rows: int | None = None, size: int | None = None, asserted: Sequence[Assertion] = ()
) -> InputDataset:
    """Describe a dataset that a task has read.

    Args:
        dataset: The dataset.
        rows: Rows read, or None where nobody counts them.
        size: Bytes read, likewise.
        asserted: What was asserted of its rows; then `rows` is their number.
    """
    known: dict[str, Any] = {}
    if rows is not None:
        known["inputStatistics"] = input_statistics_input_dataset.InputStatisticsInputDatasetFacet(
            rowCount=rows, size=size
        )
    if asserted:
        known["dataQualityAssertions"] = _assertions(asserted)
        known["dataQualityMetrics"] = _metrics(asserted, rows)
    return InputDataset(dataset.namespace, dataset.name, facets=_facets(dataset), inputFacets=known)


def output_dataset(
    dataset: Dataset, lineage: ColumnLineage | None, of: Of, rows: int | None = None, size: int | None = None
) -> OutputDataset:
    """Describe a dataset that a task has written.

    Args:
        dataset: The dataset.
        lineage: Where its columns come from, or None where they come from nowhere.
        of: The datasets that the lineage's inputs stand in, by (system, table); by None the stage before.
        rows: Rows written, or None where nobody counts them.
        size: Bytes written, likewise.
    """
    described = _facets(dataset)
    if lineage is not None:
        described["columnLineage"] = _column_lineage(lineage, of)
    known: dict[str, Any] = {}
    if rows is not None:
        known["outputStatistics"] = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
            rowCount=rows, size=size
        )
    return OutputDataset(dataset.namespace, dataset.name, facets=described, outputFacets=known)


def task_lineage(
    inputs: Iterable[InputDataset], outputs: Iterable[OutputDataset], tags: Mapping[str, object]
) -> Lineage:
    """Put together what a task tells, with tags on its run; a tag without a value is left out."""
    named = [
        tags_run.TagsRunFacetFields(key, str(value), _SOURCE)
        for key, value in tags.items()
        if value is not None
    ]
    run_facets = {"tags": tags_run.TagsRunFacet(tags=named)} if named else {}
    return OperatorLineage(inputs=list(inputs), outputs=list(outputs), run_facets=run_facets)


def _facets(dataset: Dataset) -> dict[str, Any]:
    described: dict[str, Any] = {
        "dataSource": datasource_dataset.DatasourceDatasetFacet(name=dataset.namespace, uri=dataset.uri),
        "documentation": documentation_dataset.DocumentationDatasetFacet(description=dataset.title),
    }
    if dataset.fields:
        fields = [
            schema_dataset.SchemaDatasetFacetFields(name=field.name, type=field.type)
            for field in dataset.fields
        ]
        described["schema"] = schema_dataset.SchemaDatasetFacet(fields=fields)
    if dataset.version is not None:
        described["version"] = dataset_version_dataset.DatasetVersionDatasetFacet(dataset.version)
    return described


def _column_lineage(lineage: ColumnLineage, of: Of) -> column_lineage_dataset.ColumnLineageDatasetFacet:
    fields = {
        column: column_lineage_dataset.Fields(inputFields=_input_fields(inputs, of))
        for column, inputs in lineage.fields.items()
    }
    return column_lineage_dataset.ColumnLineageDatasetFacet(
        fields=fields, dataset=_input_fields(lineage.dataset, of)
    )


def _input_fields(inputs: Sequence[Input], of: Of) -> list[column_lineage_dataset.InputField]:
    """Name each input once, with everything that becomes of it."""
    found: dict[tuple[str, str, str], list[column_lineage_dataset.Transformation]] = {}
    for each in inputs:
        dataset = of[(each.table.system, each.table.name) if each.table is not None else None]
        how = column_lineage_dataset.Transformation(
            type="DIRECT" if each.how.is_direct else "INDIRECT",
            subtype=each.how.subtype.value,
            description=each.how.description,
            masking=False,
        )
        found.setdefault((dataset.namespace, dataset.name, each.column), []).append(how)
    return [column_lineage_dataset.InputField(*place, transformations=ways) for place, ways in found.items()]


def _assertions(
    assertions: Iterable[Assertion],
) -> data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet:
    named = [
        data_quality_assertions_dataset.Assertion(
            assertion=each.kind,
            success=each.broken == 0,
            column=each.column,
            severity=each.severity,
            name=each.rule,
            description=each.message,
            expected="0",
            actual=str(each.broken),
        )
        for each in assertions
    ]
    return data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(assertions=named)


def _metrics(
    assertions: Iterable[Assertion], rows: int | None
) -> data_quality_metrics_input_dataset.DataQualityMetricsInputDatasetFacet:
    """Rows, and the nulls of each column that must have a value: what validation has counted."""
    metrics = data_quality_metrics_input_dataset
    columns = {
        each.column: metrics.ColumnMetrics(nullCount=each.broken)
        for each in assertions
        if each.kind == "not_null" and each.column is not None
    }
    return metrics.DataQualityMetricsInputDatasetFacet(columnMetrics=columns, rowCount=rows)
