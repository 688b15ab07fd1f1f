"""Data Docs: what a batch's pages and indexes say, where they stand, and how long."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pytest

from projops.engine import Engine
from projops.errors import BreakerOpenError
from projops.mapping.model import System
from projops.passes import StagePass
from projops.settings import Settings
from projops.staging import Staging
from projops.state import quality
from projops.state.batches import Batch, NewBatch, open_batch
from projops.systems.connection import Connection
from projops.validate.counts import Count, Tally
from projops.validate.docs.results import in_words
from projops.validate.docs.site import publish
from projops.validate.docs.summary import Summary, summarized
from projops.validate.expectations import OF_KEYS, RowExpectation, Severity
from tests.golden.frames import source_frame
from tests.unit.projops.validate.test_rows import IMPLIED, LEG, ROLE, ROLES

RULE = RowExpectation(
    "short", "name", "<b>Too long</b>; shorten it.", "expect_column_value_lengths_to_be_between",
    {"column": "name"}, {"max_value": 3}, where="statecode eq 0", severity=Severity.WARNING,
)  # fmt: skip
AT = datetime(2026, 10, 31, 2, tzinfo=UTC)
OF_THREE = {"column_list": ["a", "b", "c"]}


class Page(HTMLParser):
    """The text, links and foreign things of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if tag == "a" and name == "href"]
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href"} and tag != "a"]

    def handle_data(self, data: str) -> None:
        self.words.append(" ".join(data.split()))

    @property
    def text(self) -> str:
        return " ".join(filter(None, self.words))


def batch_of(number: int) -> Batch:
    leg = LEG.direction.value
    return Batch(number, ROLES.map, leg, None, None, None, True, ROLES.version, "f", "incremental", AT)


def tally_of(*broken: int) -> Tally:
    """A batch of ten rows, of which so many break the expectations in order; RULE is a warning."""
    tally = Tally((*IMPLIED, RULE, *OF_KEYS))
    counts = [*broken, *[0] * (len(tally.expectations) - len(broken))]
    tally.add(10, sum(broken[: len(IMPLIED)]), [Count(10, 1, each) for each in counts])
    return tally


def published(staging: Staging, number: int, tally: Tally, keep: int = 30) -> Summary:
    summary = summarized(ROLES, batch_of(number), tally, AT, None)
    publish(staging, summary, tally, keep)
    return summary


def page(staging: Staging, path: str) -> Page:
    (content,) = staging.published([f"docs/{path}"]).values()
    return Page(content.decode())


LEG_FOLDER = "resource_roles/dataverse_to_finance"


@pytest.fixture(params=["folder", "object storage"])
def staging(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Staging]:
    """A local folder, and a file system without folders and renames, as object storage is."""
    root = str(tmp_path) if request.param == "folder" else f"memory://{tmp_path.name}"
    yield Staging(root)
    fsspec.filesystem("memory").store.clear()


def test_the_page_of_a_batch_says_what_holds_what_is_broken_and_what_to_do(staging: Staging) -> None:
    published(staging, 7, tally_of(2, *[0] * (len(IMPLIED) - 1), 1))
    found = page(staging, f"{LEG_FOLDER}/7/index.html")
    assert "1 (10.0%) went on" in found.text
    assert "2 rows were set aside as dead letters; the others went on." in found.text
    assert "msdyn_resourcecategorynumber must have a value and has none; fill it at the source." in found.text
    assert "2 (20.0%) set aside" in found.text
    assert "values must never be null" in found.text
    assert "Only where statecode eq 0." in found.text
    assert "<b>Too long</b>; shorten it." in found.text  # a text, no markup
    assert {"../index.html", "../../../index.html", "validation.json"} == set(found.links)


def test_pages_fetch_nothing_and_run_nothing(staging: Staging) -> None:
    published(staging, 7, tally_of(2))
    for path in (f"{LEG_FOLDER}/7/index.html", f"{LEG_FOLDER}/index.html", "index.html"):
        found = page(staging, path)
        assert found.addresses == []
        assert not {"script", "link", "img", "iframe", "object"} & set(found.tags)
        assert not [link for link in found.links if re.match(r"[a-z]+:|/", link)]


def test_the_result_is_one_of_great_expectations_for_the_whole_batch(staging: Staging) -> None:
    published(staging, 7, tally_of(2))
    (content,) = staging.published([f"docs/{LEG_FOLDER}/7/validation.json"]).values()
    result = json.loads(content)
    assert result["success"] is False
    assert result["statistics"]["unsuccessful_expectations"] == 1
    first = result["results"][0]
    assert first["expectation_config"]["type"] == "expect_column_values_to_not_be_null"
    assert first["result"]["unexpected_count"] == 2
    assert first["result"]["partial_unexpected_list"] == []


def test_the_index_of_a_leg_has_its_newest_batch_on_top_and_the_site_names_the_leg(staging: Staging) -> None:
    for number, broken in ((9, 0), (10, 3), (11, 0)):
        published(staging, number, tally_of(broken))
    found = page(staging, f"{LEG_FOLDER}/index.html")
    assert [link for link in found.links if link[0].isdigit()] == [
        "11/index.html", "10/index.html", "9/index.html",
    ]  # fmt: skip
    assert "2 without a row set aside, 1 with" in found.text
    assert page(staging, "index.html").links == [f"{LEG_FOLDER}/index.html"]


def test_only_the_last_batches_of_a_leg_are_kept(staging: Staging) -> None:
    for number in (8, 9, 10, 11):
        published(staging, number, tally_of(), keep=2)
    assert staging.names(f"docs/{LEG_FOLDER}") == ["10", "11", "index.html"]
    found = page(staging, f"{LEG_FOLDER}/index.html")
    assert [link for link in found.links if link[0].isdigit()] == ["11/index.html", "10/index.html"]
    published(staging, 8, tally_of(), keep=2)  # an old one that runs again
    assert staging.names(f"docs/{LEG_FOLDER}") == ["10", "11", "index.html"]


def test_a_batch_that_runs_again_replaces_its_pages(staging: Staging) -> None:
    published(staging, 7, tally_of(2))
    published(staging, 7, tally_of())
    assert "No row was set aside." in page(staging, f"{LEG_FOLDER}/7/index.html").text
    assert "1 without a row set aside, 0 with" in page(staging, f"{LEG_FOLDER}/index.html").text


@pytest.mark.parametrize(
    ("columns", "kind", "words"),
    [
        (OF_THREE, "expect_multicolumn_values_to_multiply", "c must be the product of a and b"),
        (OF_THREE, "expect_multicolumn_values_to_add_up", "c must be the sum of a and b"),
        ({"column": "a"}, "expect_column_values_to_not_be_null", "values must never be null"),
    ],
)  # fmt: skip
def test_expectations_are_worded(columns: dict[str, Any], kind: str, words: str) -> None:
    assert in_words(RowExpectation("r", "f", "m", kind, columns)).startswith(words)


# Through the validate stage.


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    settings = Settings(
        state_url=f"sqlite:///{tmp_path / 'state.db'}", staging=str(tmp_path / "staging"), breaker_rows=2
    )
    with Engine.open(settings, _no_connection) as opened:
        yield opened


def _no_connection(system: System) -> Connection:
    raise AssertionError(f"{system} is asked for nothing here")


def validated(engine: Engine, *frames: pa.Table) -> Batch:
    with engine.state.begin() as connection:
        new = NewBatch("d", "r", ROLES.map, LEG.direction.value, "incremental", ROLES.version, "f", True)
        batch = open_batch(connection, new)
    with engine.staging.writer(batch.map, batch.leg, batch.id, "extract") as writer:
        for frame in frames:
            writer.write(frame)
    manifest = engine.staging.open(engine.staging.uri_of(writer), batch.id)
    StagePass(engine, ROLES, LEG, batch, "validate").run(manifest)
    return batch


def roles(first: int, count: int, **values: Any) -> pa.Table:
    rows = [
        {**ROLE, "_id": f"r{number}", "msdyn_resourcecategorynumber": f"RCN-{number}", **values}
        for number in range(first, first + count)
    ]
    return source_frame(ROLES, LEG, rows)


def test_the_frames_of_a_batch_are_one_page_and_one_record(engine: Engine) -> None:
    batch = validated(engine, roles(0, 3), roles(3, 2, statecode=987654), roles(5, 3))
    text = page(engine.staging, f"{LEG_FOLDER}/{batch.id}/index.html").text
    assert "2 rows were set aside" in text
    assert "Rows judged 8 Rows set aside 2" in text
    assert "987654" not in text
    with engine.state.begin() as connection:
        (found,) = quality.of_batch(connection, batch.id)
    assert (found.stage, found.breach.rule, found.breach.field, found.breach.rows) == (
        "validate", "value_map", "statecode", 2,
    )  # fmt: skip


def test_a_batch_that_the_breaker_stops_tells_why(engine: Engine) -> None:
    with pytest.raises(BreakerOpenError):
        validated(engine, roles(0, 3, statecode=9))
    (number,) = [name for name in engine.staging.names(f"docs/{LEG_FOLDER}") if name.isdecimal()]
    text = page(engine.staging, f"{LEG_FOLDER}/{number}/index.html").text
    assert "3 of 3 rows of resource_roles are bad" in text
    assert "stopped" in page(engine.staging, f"{LEG_FOLDER}/index.html").text
    with engine.state.begin() as connection:
        assert [each.breach.rows for each in quality.of_batch(connection, int(number))] == [3]


def test_a_batch_without_rows_has_no_page(engine: Engine) -> None:
    validated(engine)
    assert engine.staging.names("docs") == []
