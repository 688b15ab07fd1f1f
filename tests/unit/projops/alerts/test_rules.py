"""The file of alerts: what it may say, and what is said of what it may not."""

from datetime import timedelta
from pathlib import Path

import pytest

from projops.alerts.model import Action, DigestSettings, Kind
from projops.alerts.rules import read_rules
from projops.settings import PROJECT_ROOT

AREAS = {"vendors": "reference_data", "actuals": "estimates_and_actuals"}
CHANNELS = "channels:\n  mail: {type: smtp, connection: smtp_default, to: [a@example.com]}\n"


def read(tmp_path: Path, text: str) -> tuple[object, list[str]]:
    file = tmp_path / "include" / "alerts.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    rules, findings = read_rules(file, AREAS)
    return rules, [str(each) for each in findings]


def test_the_file_that_is_shipped_is_good_and_needs_no_channel() -> None:
    rules, findings = read_rules(PROJECT_ROOT / "include" / "alerts.yaml", AREAS)
    assert findings == ()
    assert rules.channels == {}
    assert {rule.when for rule in rules.rules} == set(Kind)


def test_what_the_shipped_file_shows_as_comments_is_good_too(tmp_path: Path) -> None:
    text = (PROJECT_ROOT / "include" / "alerts.yaml").read_text()
    head, _, rest = text.partition("rules:\n")
    head = "\n".join(line.removeprefix("# ") for line in head.splitlines()[4:])
    rest = "\n".join(line.removeprefix("#") for line in rest.splitlines() if not line.startswith("# As in"))
    file = tmp_path / "alerts.yaml"
    file.write_text(f"{head}\nrules:\n{rest}".replace("\n digest", "\ndigest"))
    areas = {"vendor_invoices": "vendor_invoices", "vendor_invoice_lines": "vendor_invoices"}
    rules, findings = read_rules(file, areas)
    assert findings == ()
    assert list(rules.channels) == ["mail", "teams", "slack", "pager"]
    strict = rules.rules[-1]
    assert (strict.errors, strict.count, strict.action) == (("E2", "E5"), 10, Action.PAUSE)
    assert (strict.within, strict.notify) == (timedelta(minutes=30), ("mail", "teams"))
    assert rules.rules[0].notify == ("mail",)
    assert rules.digest == DigestSettings(("mail",), 6, 0, "Europe/Stockholm")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rules:\n  a: {when: dead_letters, rows: 3}", "alerts.yaml:2: Rule a says no time"),
        ("rules:\n  a: {when: late, hours: 1, minutes: 5}", "alerts.yaml:2: Rule a says no time"),
        ("rules:\n  a: {when: late, hours: 0}", "alerts.yaml:2: Rule a says no time"),
        ("rules:\n  a: {when: late, hours: 999999999}", "alerts.yaml:2: Rule a says no time, or more than"),
        ("rules:\n  a: {when: thunder}", "alerts.yaml:2: when of rule a is thunder"),
        ("rules:\n  a: {notify: [b]}", "Rule a lacks the entry when"),
        ("rules:\n  a: {when: drift, rows: -1}", "alerts.yaml:2: rows of rule a is -1"),
        ("rules:\n  a: {when: drift, rows: 1.5}", "alerts.yaml:2: rows of rule a is 1.5"),
        ("rules:\n  a: {when: drift, minutes: 5}", "(drift) has the unknown key minutes"),
        ("rules:\n  a: {when: drift, action: explode}", "alerts.yaml:2: action of rule a is explode"),
        ("rules:\n  a: {when: failure, action: pause}", "has the unknown key action"),
        ("rules:\n  a: {when: drift, maps: [vendros]}", "maps of rule a names vendros, which does not exist"),
        ("rules:\n  a: {when: drift, areas: [north]}", "areas of rule a names north"),
        ("rules:\n  a: {when: drift, notify: [fax]}", "names the channel fax, which the file does not have"),
        ("channels:\n  fax: {type: fax}", "alerts.yaml:2: Channel fax has the type fax"),
        ("channels:\n  fax: {connection: x}", "Channel fax lacks the entry type"),
        (f"channels:\n  {'f' * 101}: {{type: slack}}", "has a name of more than 100 characters"),
        ("digest: {at: six}", "alerts.yaml:1: at of digest is six"),
        ('digest: {at: "25:00"}', "alerts.yaml:1: at of digest is 25:00"),
        ("digest: {zone: Mars/North}", "alerts.yaml:1: zone of digest is Mars/North"),
        ("ruls: {}", "has the unknown key ruls"),
        ("rules: [a", "The YAML cannot be read"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    _, findings = read(tmp_path, text)
    assert any(said in finding for finding in findings), findings


def test_one_bad_rule_leaves_the_others(tmp_path: Path) -> None:
    text = f"{CHANNELS}notify: [mail]\nrules:\n  bad: {{when: late}}\n  good: {{when: failure}}"
    file = tmp_path / "alerts.yaml"
    file.write_text(text)
    rules, findings = read_rules(file, AREAS)
    assert [(rule.name, rule.notify) for rule in rules.rules] == [("good", ("mail",))]
    assert len(findings) == 1


def test_without_a_file_there_are_no_rules_and_that_is_said(tmp_path: Path) -> None:
    rules, findings = read_rules(tmp_path / "alerts.yaml", AREAS)
    assert rules.rules == ()
    assert "cannot be read" in findings[0].message
