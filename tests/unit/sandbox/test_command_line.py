"""What the command line says of itself, and of what it cannot do; nothing here gets as far as to serve."""

import re

import pytest

from sandbox.__main__ import main


def _run(*arguments: str) -> int | str | None:
    """Return the exit code, of whichever way it ended."""
    try:
        return main(["serve", "--dataverse-port", "0", "--finance-port", "0", *arguments])
    except SystemExit as ended:
        return ended.code


def test_help_explains_each_option_with_its_default_and_gives_examples(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert _run("--help") == 0
    text = capsys.readouterr().out
    explained = dict(re.findall(r"^  (--[a-z-]+)(.*?)(?=^  --|^\S|^$)", text, re.MULTILINE | re.DOTALL))
    assert {"--seed", "--clock", "--token", "--client-certificate", "--control-port"} <= explained.keys()
    assert [name for name, words in explained.items() if "(default" not in words] == []
    assert "scale:100000" in text.partition("examples:")[2]


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert re.fullmatch(r"sandbox \d+\.\d+\.\d+\n", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--database", "nonsense"), 1, "The database nonsense is of no kind"),
        (("--database", "mongodb://me:hidden@host/x"), 1, "me:***@host"),
        (("--database", "sqlite:////nowhere/at/all.db"), 1, "unable to open database file"),
        (("--database", "postgresql+psycopg://me:hidden@127.0.0.1:1/x"), 1, "me:***@127.0.0.1"),
        (("--database", "postgresql+psycopg://me:hi:dden/hidden@127.0.0.1:1/x"), 1, "me:***@127.0.0.1"),
        (("--database", "postgresql+psycopg://127.0.0.1:1/x?user=me&password=hidden"), 1, "password=***"),
        (("--seed", "scale:0"), 1, "from 1 to 50,000,000"),
        (("--seed", "huge"), 1, "demo, empty, scale:N"),
        (("--client-certificate", "nowhere.pem"), 1, "nowhere.pem cannot be read"),
        (("--dataverse-port", "99999"), 2, "'99999' is no port"),
        (("--clock", "tomorrow"), 2, "'tomorrow' is no time"),
        (("--write-log", "-1"), 2, "'-1' is no number of rows"),
    ],
)
def test_what_cannot_be_is_one_clear_sentence(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, words: str
) -> None:
    assert _run(*arguments) == code
    said = capsys.readouterr().err
    assert words in said.rstrip().splitlines()[-1]
    assert "hidden" not in said
    assert code == 2 or said.count("\n") == 1
