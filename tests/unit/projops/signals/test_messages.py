import json

import pytest

from projops.mapping.model import System
from projops.signals.endpoint import Endpoint
from projops.signals.messages import GarbledSignalError, Message, read_dataverse, read_finance

CONTEXT = {
    "MessageName": "Update",
    "PrimaryEntityName": "account",
    "OrganizationId": "0B5E1B5C-0000-4000-8000-0000000000AA",
    "Depth": 1,
    "SharedVariables": [],
    "InputParameters": [{"key": "Target", "value": {"Attributes": [{"key": "name", "value": "secret"}]}}],
    "ParentContext": {"SharedVariables": [{"key": "tag", "value": "ours"}]},
}
TAGGED = [{"key": "other", "value": {"__type": "x"}}, {"key": "tag", "value": "ours"}]


def read(**changes: object) -> Message:
    return read_dataverse(json.dumps(CONTEXT | changes).encode(), "ours")


def test_a_change_of_somebody_else() -> None:
    assert read() == Message(System.DATAVERSE, "account", "0b5e1b5c-0000-4000-8000-0000000000aa")


@pytest.mark.parametrize(
    ("changes", "own"),
    [
        ({"SharedVariables": TAGGED}, True),
        ({"SharedVariables": [{"key": "tag", "value": "another's"}]}, False),
        ({"SharedVariables": [{"key": "tag", "value": None}]}, False),
        ({"SharedVariables": None}, False),
        ({"SharedVariables": TAGGED, "Depth": 2}, False),  # what a plug-in made of our write
    ],
)
def test_a_change_of_ours_bears_our_tag(changes: dict[str, object], own: bool) -> None:
    assert read(**changes).own is own


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"MessageName":"Update"',
        b"\xff\xfe{}",
        b"[" * 200_000,
        b'{"MessageName":"Update","PrimaryEntityName":"a","OrganizationId":"b","x":' + b"[" * 200_000,
        json.dumps(CONTEXT | {"PrimaryEntityName": 7}).encode(),
        json.dumps(CONTEXT | {"OrganizationId": None}).encode(),
        json.dumps(CONTEXT | {"Depth": "1"}).encode(),
        json.dumps(CONTEXT | {"SharedVariables": [[]]}).encode(),
        json.dumps(CONTEXT | {"MessageName": "Retrieve"}).encode(),
    ],
)
def test_whatever_is_no_message_is_garbled(body: bytes) -> None:
    with pytest.raises(GarbledSignalError):
        read_dataverse(body, "ours")
    with pytest.raises(GarbledSignalError):
        read_finance(body.replace(b"PrimaryEntityName", b"Nothing"), ())


def test_finance_tells_by_events_and_by_virtual_tables() -> None:
    user = "0b5e1b5c-0000-4000-8000-0000000000bb"
    event = {"BusinessEventId": "ProjInvoicePosted", "InitiatingUserAADObjectId": f"{{{user.upper()}}}"}
    virtual = {"PrimaryEntityName": "mserp_x", "InitiatingUserAzureActiveDirectoryObjectId": user}
    for given, name in ((event, "ProjInvoicePosted"), (virtual, "mserp_x")):
        body = json.dumps(given).encode()
        assert read_finance(body, ()) == Message(System.FINANCE, name)
        assert read_finance(body, {user}).own


def test_only_the_secret_proves_anything() -> None:
    endpoint = Endpoint("s3cret-s3cret-s3cret")
    assert endpoint.proved(["wrong", "s3cret-s3cret-s3cret"])
    for shown in ([], [""], ["s3cret-s3cret-s3cre"], ["s3cret-s3cret-s3crets"], ["\u00e4\ud800"]):
        assert not endpoint.proved(shown)
    assert "s3cret" not in repr(endpoint)
