"""Data packages as clients make them, and the calls around them."""

import csv
import io
import json
import time
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import httpx

GROUPS = "/data/DataManagementDefinitionGroups"
ACTION = f"{GROUPS}/Microsoft.Dynamics.DataEntities."
NAMESPACE = "http://schemas.microsoft.com/dynamics/2015/01/DataManagement"
UNDER_WAY = {"NotRun", "Executing"}
_SECONDS = 60


@dataclass(frozen=True)
class Entity:
    """One entity of a package: its data file, and what the manifest says of it."""

    name: str
    content: bytes
    columns: Sequence[str]
    source_format: str = "CSV-Unicode"
    also: Mapping[str, object] = field(default_factory=dict)

    @property
    def file(self) -> str:
        return f"{self.name}.{'xml' if self.source_format == 'XML-Element' else 'csv'}"

    def manifest(self) -> str:
        maps = "".join(
            f"<EntityMap><EntityField>{column}</EntityField><XMLField>{column}</XMLField></EntityMap>"
            for column in self.columns
        )
        listed = f"<EntityMapList>{maps}</EntityMapList>" if self.columns else ""
        also = "".join(f"<{name}>{value}</{name}>" for name, value in self.also.items())
        return (
            f"<DataManagementPackageEntityData><Disable>false</Disable>{listed}"
            f"<EntityName>{self.name}</EntityName><InputFilePath>{self.file}</InputFilePath>"
            f"<SourceFormat>{self.source_format}</SourceFormat>{also}</DataManagementPackageEntityData>"
        )


def csv_entity(name: str, columns: Sequence[str], rows: Iterable[Sequence[str]], **also: object) -> Entity:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return Entity(name, text.getvalue().encode("utf-16"), columns, also=also)


def customers(
    *rows: Sequence[str], columns: Sequence[str] = ("CUSTOMERACCOUNT", "ORGANIZATIONNAME")
) -> Entity:
    return csv_entity("Customers V3", columns, rows)


def package(*entities: Entity, namespace: str = NAMESPACE) -> bytes:
    listed = "".join(entity.manifest() for entity in entities)
    manifest = (
        f'<?xml version="1.0" encoding="utf-8"?>\r\n<DataManagementPackageManifest xmlns="{namespace}">'
        f"<DefinitionGroupName>load</DefinitionGroupName><PackageEntityList>{listed}</PackageEntityList>"
        "</DataManagementPackageManifest>"
    )
    header = (
        f'<DataManagementPackageHeader xmlns="{namespace}"><PackageType>DefinitionGroup</PackageType>'
        "<PackageVersion>2</PackageVersion></DataManagementPackageHeader>"
    )
    files = {entity.file: entity.content for entity in entities}
    return zipped({"Manifest.xml": manifest.encode(), "PackageHeader.xml": header.encode(), **files})


def zipped(files: Mapping[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


@dataclass(frozen=True)
class DataManagement:
    """Data management of a Finance environment, seen by a client."""

    client: httpx.Client

    def post(self, action: str, **parameters: object) -> httpx.Response:
        return self.client.post(ACTION + action, json=parameters)

    def act(self, action: str, **parameters: object) -> str:
        answer = self.post(action, **parameters)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["value"])

    def refusal(self, action: str, **parameters: object) -> str:
        answer = self.post(action, **parameters)
        assert answer.status_code == 400, answer.text
        return str(answer.json()["error"]["innererror"]["message"])

    def write_url(self, name: str = "package.zip") -> str:
        url: str = json.loads(self.act("GetAzureWriteUrl", uniqueFileName=name))["BlobUrl"]
        return url

    def upload(self, content: bytes) -> str:
        url = self.write_url()
        answer = httpx.put(url, content=content, headers={"x-ms-blob-type": "BlockBlob"})
        assert answer.status_code == 201, answer.text
        return url

    def parameters(self, content: bytes, **others: object) -> dict[str, object]:
        given = {"definitionGroupId": "load", "executionId": "", "legalEntityId": "USPM"}
        return {"packageUrl": self.upload(content), "execute": True, "overwrite": True, **given, **others}

    def load(self, content: bytes, **others: object) -> str:
        """Import a package and wait; return its execution id."""
        execution = self.act("ImportFromPackage", **self.parameters(content, **others))
        self.wait(execution)
        return execution

    def status(self, execution: str) -> str:
        return self.act("GetExecutionSummaryStatus", executionId=execution)

    def wait(self, execution: str) -> str:
        deadline = time.monotonic() + _SECONDS
        while (status := self.status(execution)) in UNDER_WAY:
            assert time.monotonic() < deadline
        return status

    def errors(self, execution: str) -> list[dict[str, str]]:
        listed: list[dict[str, str]] = json.loads(self.act("GetExecutionErrors", executionId=execution))
        return listed

    def entities(self, execution: str) -> list[dict[str, object]]:
        listed = json.loads(self.act("GetEntityExecutionSummaryStatusList", executionId=execution))
        return list(listed)

    def rows(self, entity_set: str, select: str) -> list[tuple[object, ...]]:
        """Rows of an entity set in all companies, in the order in which they were made."""
        names = select.split(",")
        answer = self.client.get(f"/data/{entity_set}?cross-company=true&$select={select}")
        assert answer.status_code == 200, answer.text
        return [tuple(row[name] for name in names) for row in answer.json()["value"]]
