"""What messages say, and the bounds that they keep."""

from projops.alerts import channels, rules
from projops.alerts.model import Alert, Kind, Line, Message, MessageKind, Severity
from projops.alerts.texts import bounded, opened, plain, resolved, trial

ALERT = Alert(
    cause="drift:customers",
    kind=Kind.DRIFT,
    severity=Severity.WARNING,
    title="Customers are adrift",
    happened="3 rows differ.",
    meaning="Somebody changed them in Finance.",
    remedy="Repair them.",
    page="reconciliations/7",
)
CONSOLE = "https://airflow.example.com/projops"


def test_an_alert_is_told_with_its_page() -> None:
    told = opened(ALERT, 12, CONSOLE)
    assert (told.kind, told.reference, told.subject) == (
        MessageKind.OPENED,
        "alert-12",
        "Warning: Customers are adrift",
    )
    assert (told.happened, told.meaning, told.remedy) == (ALERT.happened, ALERT.meaning, ALERT.remedy)
    assert told.link == f"{CONSOLE}/reconciliations/7"
    assert opened(ALERT, 12, "").link == ""


def test_its_end_names_what_it_was_and_asks_for_nothing() -> None:
    told = resolved(ALERT, 12, CONSOLE)
    assert (told.kind, told.reference, told.subject) == (
        MessageKind.RESOLVED,
        "alert-12",
        "Over: Customers are adrift",
    )
    assert told.lines == (Line("3 rows differ."),)
    assert (told.remedy, told.severity) == ("", None)


def test_a_trial_leads_to_the_alerts() -> None:
    told = trial("mail", CONSOLE)
    assert told.kind is MessageKind.TEST
    assert told.link == f"{CONSOLE}/alerts"
    assert "mail" in told.subject


def test_bounds_keep_the_head_of_what_is_long() -> None:
    long = Message(
        MessageKind.DIGEST,
        "r",
        "a\nb\x00 " + "s" * 500,
        "word " * 1000,
        lines=tuple(Line(f"{number}" * 500, "https://x") for number in range(26)),
        link=CONSOLE,
    )
    short = bounded(long)
    assert short.subject.startswith("[Project Operations Sync] a b s")
    assert (len(short.subject), len(short.happened), len(short.lines)) == (140, 1200, 25)
    assert {len(line.text) for line in short.lines[:24]} == {300}
    assert short.lines[-1] == Line("And 2 more: the console shows them.", CONSOLE)
    assert (
        bounded(Message(MessageKind.DIGEST, "r", "s", "h", lines=long.lines[:25])).lines[-1].link
        == "https://x"
    )


def test_a_plain_text_has_no_empty_parts() -> None:
    assert plain(Message(MessageKind.DIGEST, "r", "subject", "All is in step.")) == "All is in step.\n"


def test_every_type_of_channel_of_the_file_is_there() -> None:
    assert set(rules.TYPES) == set(channels._SENDERS)
