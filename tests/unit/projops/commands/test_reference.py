from projops.cli import app
from projops.commands.exit_codes import MEANINGS
from projops.commands.reference import reference
from projops.settings import PROJECT_ROOT


def test_the_reference_is_what_the_commands_say() -> None:
    assert (PROJECT_ROOT / "docs" / "cli.md").read_text() == reference(app), "run `projops docs`"


def test_it_says_how_commands_end() -> None:
    text = reference(app)
    assert all(f"| {code} | {meaning} |" in text for code, meaning in MEANINGS.items())
