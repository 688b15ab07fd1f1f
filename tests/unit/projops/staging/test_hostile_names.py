"""No name from outside leads out of the staging area, nor over a file that is not ours."""

from pathlib import Path

import pytest

from projops.staging import Staging

HOSTILE = ("..", "../x", "/etc", "a/b", "a\\b", "", ".", "-rf", "C:", "a\0b", "x\n", "~", "$HOME", "ü", "*")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_folder_is_made_of_plain_names_only(name: str, tmp_path: Path) -> None:
    staging = Staging(str(tmp_path / "staging"))
    for place in ((name, "leg", "extract"), ("map", name, "extract"), ("map", "leg", name)):
        with pytest.raises(ValueError, match="is no name"), staging.writer(place[0], place[1], 1, place[2]):
            raise AssertionError("opened")
    for folder, file in (("evidence", name), (f"evidence/{name}", "x.json")):
        if folder != "evidence/a/b":  # two plain names
            with pytest.raises(ValueError, match="is no name"):
                staging.keep(folder, file, b"")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../outside", "{root}/../outside", "{root}", "{root}/", "file:///etc", "{root}/link/x"],
)
def test_nothing_outside_is_removed(path: str, tmp_path: Path) -> None:
    root = tmp_path / "staging"
    root.mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x").touch()
    (root / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(ValueError, match="is no file of the staging area"):
        Staging(str(root)).remove(path.format(root=root))
    assert (tmp_path / "outside" / "x").exists()
