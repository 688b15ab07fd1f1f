"""What is wrong in a mapping file is a finding with file and line; it stops that map and no other."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from projops.mapping.lint import lint
from projops.mapping.reader import load_maps
from tests.bad_input.kinds import Case, ids
from tests.bad_input.mappings import GOOD, HOSTILE_NAMES, MAP_FILE, mapping_cases

CASES = list(mapping_cases())
OTHER = GOOD[MAP_FILE].replace("customers", "clients").partition("      msdyn_onholdstatus")[0]
_PLACE = re.compile(r"^include/mappings/(?P<file>[^:]+):(?P<line>\d+): ")


@pytest.fixture
def write(tmp_path: Path) -> Callable[[dict[str, bytes]], Path]:
    """Write the good maps, some files changed, and give their folder."""

    def written(changed: dict[str, bytes]) -> Path:
        folder = tmp_path / "include" / "mappings"
        good = {file: text.encode() for file, text in GOOD.items()}
        for file, content in (good | {"reference_data/clients.yaml": OTHER.encode()} | changed).items():
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder

    return written


def test_the_good_maps_are_good(write: Callable[[dict[str, bytes]], Path]) -> None:
    assert lint(write({})) == ()


@pytest.mark.parametrize("case", ids(CASES))
def test_what_is_wrong_is_found_with_file_and_line(
    case: Case, write: Callable[[dict[str, bytes]], Path]
) -> None:
    began = time.process_time()
    findings = [str(finding) for finding in lint(write({case.shape: case.content}))]
    mine = [finding for finding in findings if case.named in finding]
    assert mine, findings[:5]
    place = _PLACE.match(mine[0])
    assert place is not None
    assert place["file"] == case.shape
    assert 1 <= int(place["line"]) <= case.content.count(b"\n") + 1
    assert len(mine[0]) < 1000
    assert time.process_time() - began < 5  # what multiplies is not followed to its end


@pytest.mark.parametrize("case", ids([case for case in CASES if case.shape == MAP_FILE]))
def test_a_bad_map_stops_no_other(case: Case, write: Callable[[dict[str, bytes]], Path]) -> None:
    loaded = load_maps(write({MAP_FILE: case.content}))
    assert list(loaded.maps) == ["clients"]
    assert [(broken.map, broken.area) for broken in loaded.broken] == [("customers", "reference_data")]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_name_that_no_task_may_have_is_found(name: str, write: Callable[[dict[str, bytes]], Path]) -> None:
    content = GOOD[MAP_FILE].replace("map: customers", f'map: "{name}"').encode()
    [finding] = lint(write({f"reference_data/{name}.yaml": content}))
    assert (finding.line, finding.file) == (1, f"include/mappings/reference_data/{name}.yaml")
    assert "small letters, digits and _" in finding.remedy
