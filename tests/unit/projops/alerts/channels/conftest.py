"""Messages as channels get them, friendly and hostile."""

import pytest

from projops.alerts.model import Line, Message, MessageKind, Severity

LINK = "https://airflow.example.com/projops/letters?map=customers"


@pytest.fixture
def message() -> Message:
    return Message(
        kind=MessageKind.OPENED,
        reference="alert-12",
        subject="Critical: Customers have stopped",
        happened="60 of 100 rows of customers broke a rule.",
        meaning="Nothing of customers is moved.",
        remedy="Mend the rows in Finance, then run the map again.",
        link=LINK,
        severity=Severity.CRITICAL,
        lines=(Line("customers: 60 rows", LINK), Line("all else is in step")),
    )


@pytest.fixture
def hostile() -> Message:
    """Texts that try to speak to each channel's readers with our voice."""
    text = (
        "<!channel> <https://evil.example|click> [here](https://evil.example) *now* & "
        "<script>alert(1)</script>\r\nBcc: all@example.com\u202egnp"
    )
    return Message(
        kind=MessageKind.OPENED,
        reference="alert-13",
        subject=text,
        happened=text * 40,
        meaning=text,
        link="https://airflow.example.com/projops/letters?map=a|b<c>",
        severity=Severity.WARNING,
        lines=tuple(Line(f"{number} {text}", LINK) for number in range(60)),
    )
