"""Files that people read while they are written anew: Data Docs and the like."""

from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from projops.staging import Staging


@pytest.fixture(params=["folder", "object storage"])
def staging(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Staging]:
    yield Staging(str(tmp_path) if request.param == "folder" else f"memory://{tmp_path.name}")
    fsspec.filesystem("memory").store.clear()


def test_a_file_is_replaced_and_leaves_no_draft_behind(staging: Staging) -> None:
    first = staging.publish("docs/projects/index.html", b"old")
    assert staging.publish("docs/projects/index.html", b"new") == first
    assert staging.published(["docs/projects/index.html"]) == {"docs/projects/index.html": b"new"}
    assert staging.names("docs/projects") == ["index.html"]


def test_what_is_not_there_is_left_out(staging: Staging) -> None:
    staging.publish("docs/a.json", b"a")
    assert staging.published(["docs/a.json", "docs/b.json"]) == {"docs/a.json": b"a"}
    assert staging.published([]) == {}
    assert staging.names("docs/nothing") == []


@pytest.mark.parametrize("path", ["../x", "docs/../../x", "docs//x", "/etc/x", "docs/x\n", ""])
def test_a_name_that_leads_elsewhere_is_refused(staging: Staging, path: str) -> None:
    with pytest.raises(ValueError, match="is no name for the staging area"):
        staging.publish(path, b"")
    with pytest.raises(ValueError, match="is no name for the staging area"):
        staging.published([path])
