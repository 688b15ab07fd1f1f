"""Which rows the public protocols of both systems have, for tests to say which of them they hold.

A test over HTTP carries `@pytest.mark.protocol("tracking: start", "D")`: the row, and the evidence on which
its expectation rests. D: Microsoft's documentation. L: observed on a live system by others. R: seen with real
client libraries. C: read in the source of a client library. ?: not confirmed, a choice of ours.
"""

from collections.abc import Mapping

EVIDENCE = frozenset("DLRC?")

ROWS: Mapping[str, frozenset[str]] = {
    "auth": frozenset({"v2 token", "v1 token", "openid document", "no token"}),
    "tracking": frozenset(
        {
            "start",
            "token",
            "delta",
            "changed rows",
            "deleted rows",
            "order",
            "paging",
            "count",
            "forbidden options",
            "not enabled",
            "expired",
            "capability",
            "baseline",
        }
    ),
    "query": frozenset(
        {
            "page",
            "skip token",
            "select",
            "count",
            "filter operators",
            "filter functions",
            "filter aliases",
            "filter lambda",
            "filter navigation",
            "strings",
            "null",
            "apply",
            "expand",
            "annotations",
            "sql",
            "fetchxml",
        }
    ),
    "write": frozenset(
        {
            "create",
            "update",
            "upsert",
            "insert only",
            "concurrency",
            "conditional read",
            "lookup",
            "reference",
            "column",
            "alternate key",
            "upsert key and body",
            "etag",
        }
    ),
    "bulk": frozenset(
        {
            "CreateMultiple",
            "UpdateMultiple",
            "UpsertMultiple",
            "all or nothing",
            "odata type",
            "duplicate key",
            "key in body",
            "DeleteMultiple",
            "BulkDelete",
        }
    ),
    "batch": frozenset(
        {
            "form",
            "limits",
            "content id",
            "forward reference",
            "first error stops",
            "continue on error",
            "line feeds",
            "leading line break",
            "boundary without quotes",
            "empty body with content type",
            "type=entry",
            "long address",
            "addresses",
        }
    ),
    "errors": frozenset(
        {
            "body",
            "annotations",
            "headers",
            "405",
            "413",
            "415",
            "length",
            "privilege",
            "duplicate detection",
            "missing alternate key",
        }
    ),
    "limits": frozenset({"requests", "execution time", "concurrency", "retry after", "hint"}),
    "flags": frozenset({"tag", "webhook", "webhook size", "caller", "bypass"}),
    "metadata": frozenset(
        {
            "entity definitions",
            "keys",
            "attributes",
            "casts",
            "option sets",
            "date behaviour",
            "relationships",
            "managed properties",
            "sdk message filters",
            "service document",
            "csdl",
            "WhoAmI",
            "RetrieveTotalRecordCount",
            "not paged",
            "enum literal",
            "complex path",
            "labels",
        }
    ),
    "finance": frozenset(
        {
            "list",
            "key",
            "options",
            "filter",
            "wildcards",
            "page",
            "enum value",
            "null",
            "etag",
            "post",
            "patch",
            "read-only and mandatory",
            "batch",
            "no upsert",
            "action",
            "headers",
            "429",
            "error",
            "unknown address",
        }
    ),
    "finance metadata": frozenset({"csdl", "data entities", "public entities", "enumerations", "labels"}),
    "events": frozenset({"endpoints", "data events", "attempts"}),
    "packages": frozenset(
        {
            "GetAzureWriteUrl",
            "ImportFromPackage",
            "ExportToPackage",
            "GetExecutionSummaryStatus",
            "GetExportedPackageUrl",
            "execution errors",
            "error files",
            "GetMessageStatus",
            "blob life",
            "trap: no entity map",
            "trap: entity label",
            "trap: unicode",
            "trap: namespace",
            "trap: line ends",
            "incremental export",
        }
    ),
}
