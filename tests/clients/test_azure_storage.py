"""azure-storage-blob on the blobs of Finance's data management: what people upload packages with."""

import json
from urllib.parse import urlsplit

import pytest
import requests
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.blob import BlobClient

from tests.contract.process import Sandbox

ACTION = "/data/DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities.GetAzureWriteUrl"


@pytest.fixture
def blob_url(sandbox: Sandbox, session: requests.Session) -> str:
    answer = session.post(f"{sandbox.finance_tls}{ACTION}", json={"uniqueFileName": "package.zip"})
    url: str = json.loads(answer.json()["value"])["BlobUrl"]
    return url


def test_upload_and_download(blob_url: str) -> None:
    with BlobClient.from_blob_url(blob_url) as blob:
        assert not blob.exists()
        with pytest.raises(ResourceNotFoundError):
            blob.get_blob_properties()
        blob.upload_blob(b"PK first", overwrite=True)
        blob.upload_blob(b"PK second", overwrite=True)
        assert blob.download_blob().readall() == b"PK second"
        assert blob.get_blob_properties().size == len(b"PK second")


def test_upload_in_blocks(blob_url: str) -> None:
    content = bytes(range(256)) * 64
    with BlobClient.from_blob_url(blob_url, max_single_put_size=1024, max_block_size=4096) as blob:
        blob.upload_blob(content, overwrite=True)
        assert blob.download_blob(offset=256, length=256).readall() == content[:256]
        assert blob.download_blob().readall() == content


def test_a_link_without_its_signature(blob_url: str) -> None:
    bare = urlsplit(blob_url)._replace(query="").geturl()
    with BlobClient.from_blob_url(bare) as blob, pytest.raises(HttpResponseError):
        blob.upload_blob(b"PK", overwrite=True)
