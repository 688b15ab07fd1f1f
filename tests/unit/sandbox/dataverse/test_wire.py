"""Preferences, paging cookies, delta tokens, URLs: read back as they were meant, however they are encoded."""

from datetime import UTC, datetime
from urllib.parse import quote, unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.dataverse.errors import ApiError
from sandbox.dataverse.references import resolve_content_id, resource_path
from sandbox.dataverse.skiptoken import Cookie, read_cookie, render_cookie
from sandbox.dataverse.tracking import DeltaToken, check_options, read_token
from sandbox.dataverse.wire import Preferences, read_preferences

ROOT = "http://127.0.0.1:8801/api/data/v9.2/"
MARKS = st.text("0123456789abcdef-", min_size=1, max_size=36)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", Preferences()),
        ("odata.maxpagesize=50", Preferences(page_size=50)),
        ("odata.maxpagesize=0, odata.track-changes", Preferences(track_changes=True)),
        ("odata.maxpagesize=99999", Preferences(page_size=5000)),
        (
            "return=representation;odata.continue-on-error",
            Preferences(representation=True, continue_on_error=True),
        ),
        ('odata.include-annotations="a,b",odata.maxpagesize=2', Preferences(2, annotations="a,b")),
        ("nonsense, Odata.MaxPageSize = 7", Preferences(page_size=7)),
    ],
)
def test_preferences(header: str, expected: Preferences) -> None:
    assert read_preferences(header) == expected


@given(
    page=st.integers(2, 10**8),
    last=st.dictionaries(st.sampled_from(["accountid", "offset", "changed"]), MARKS),
    tracking=st.booleans(),
    rounds=st.integers(0, 3),
)
def test_cookies_survive_encoding_and_decoding(
    page: int, last: dict[str, str], tracking: bool, rounds: int
) -> None:
    cookie = Cookie(page, last, tracking)
    token = render_cookie(cookie)
    assert read_cookie(token) == cookie
    again, plain = token, token
    for _ in range(rounds):
        again, plain = quote(again, safe=""), unquote_plus(plain)
        assert read_cookie(again) == cookie
        assert read_cookie(plain) == cookie


@pytest.mark.parametrize(
    "text", ["", "x", "<cookie/>", '<cookie pagenumber="x" pagingcookie="" istracking="True" />']
)
def test_other_texts_are_no_cookies(text: str) -> None:
    with pytest.raises(ApiError, match="Paging Cookie"):
        read_cookie(text)


def test_a_mark_that_was_changed_is_refused() -> None:
    cookie = read_cookie(render_cookie(Cookie(2, {"offset": "five"})))
    with pytest.raises(ApiError, match="Paging Cookie"):
        cookie.number("offset")


def test_delta_token_of_the_documented_shape() -> None:
    token = DeltaToken(919042, datetime(2017, 8, 22, 8, 10, 44, tzinfo=UTC))
    assert str(token) == "919042!08/22/2017 08:10:44"
    assert read_token("919042%2108%2f22%2f2017%2008%3a10%3a44") == token
    assert read_token(str(token)) == token


def test_options_that_tracking_refuses() -> None:
    with pytest.raises(ApiError, match=r'The "\$\{top\}" query parameter'):
        check_options({"$select": "name", "$top": "1"})


@pytest.mark.parametrize(
    "url",
    [
        "accounts(k='a/b')",
        "/accounts(k='a/b')",
        f"{ROOT}accounts(k='a/b')",
        "/api/data/v9.1/accounts(k='a%2Fb')",
        "https://elsewhere/api/data/v9.2/accounts(k='a/b')",
    ],
)
def test_addresses_in_bodies(url: str) -> None:
    assert resource_path(url, ROOT) == "accounts(k='a/b')"


def test_content_ids() -> None:
    assert resolve_content_id("$1/nav/$ref", {"1": "accounts(x)"}) == "accounts(x)/nav/$ref"
    with pytest.raises(ApiError, match=r"Content-ID Reference: '\$2' does not exist in the batch context\."):
        resolve_content_id("$2", {"1": "accounts(x)"})
