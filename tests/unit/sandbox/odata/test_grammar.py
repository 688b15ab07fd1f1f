import pytest
from odata_query import ast

from sandbox.odata.errors import ODataError, ODataSyntaxError, UnsupportedError
from sandbox.odata.grammar import EnumLiteral, parse_filter


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("a eq 'O''Brien'", ast.String("O'Brien")),
        ("a eq ''", ast.String("")),
        ('a eq "x\\"y"', ast.String('x"y')),
        ("a eq Ns.NoYes'Yes'", EnumLiteral("Ns.NoYes", "Yes")),
        (
            "a eq Microsoft.Dynamics.DataEntities.X'O''B'",
            EnumLiteral("Microsoft.Dynamics.DataEntities.X", "O'B"),
        ),
        ("a eq -5", ast.Integer("-5")),
        ("a eq 922337203685476.9999", ast.Float("922337203685476.9999")),
        ("a eq 2028-02-29", ast.Date("2028-02-29")),
        ("a eq 2026-10-31T22:00:00Z", ast.DateTime("2026-10-31T22:00:00Z")),
        ("a eq 6a3b7f9a-1c2d-4e5f-8a9b-0c1d2e3f4a5b", ast.GUID("6a3b7f9a-1c2d-4e5f-8a9b-0c1d2e3f4a5b")),
        ("a eq null", ast.Null()),
        ("a eq true", ast.Boolean("true")),
    ],
)
def test_literals(text: str, literal: object) -> None:
    assert parse_filter(text).right == literal


@pytest.mark.parametrize(
    "name", ["allocation", "anything", "nullable", "trueness", "notes", "inlist", "any", "order"]
)
def test_names_that_begin_like_keywords(name: str) -> None:
    assert parse_filter(f"{name} eq 1").left == ast.Identifier(name)


def test_query_functions_with_lists_in_either_quotes() -> None:
    for values in ("['a','b']", '["a","b"]', "[ 'a' , 'b' ]"):
        call = parse_filter(f"Microsoft.Dynamics.CRM.In(PropertyName='c',PropertyValues={values})")
        assert call.args[1].param == ast.List([ast.String("a"), ast.String("b")])
    call = parse_filter("Microsoft.Dynamics.CRM.X(A=1,B=2,C=3,D=[])")
    assert [it.name.name for it in call.args] == ["A", "B", "C", "D"]


def test_membership_in_a_list_of_one() -> None:
    assert parse_filter("a in ('x')").right == ast.List([ast.String("x")])
    assert parse_filter("a in ('x','y')").right == ast.List([ast.String("x"), ast.String("y")])


def test_not_before_a_parenthesis() -> None:
    assert parse_filter("not(a eq 1)") == parse_filter("not (a eq 1)")


def test_a_lone_quote_is_named_with_the_end_of_the_text() -> None:
    """[D filter-rows]: the text of the documentation."""
    with pytest.raises(ODataSyntaxError) as caught:
        parse_filter("lastname eq 'O'Bryan'")
    assert str(caught.value) == "There is an unterminated literal at position 21 in 'lastname eq 'O'Bryan''."


@pytest.mark.parametrize(
    ("text", "position"), [("a eq 1 b", 6), ("a ~ 1", 2), ("a eq (1", 7), ("", 0), ("a;b", 1)]
)
def test_syntax_errors_say_where(text: str, position: int) -> None:
    with pytest.raises(ODataSyntaxError) as caught:
        parse_filter(text)
    assert caught.value.position == position


def test_unknown_functions_and_wrong_numbers_of_arguments() -> None:
    for text in ("foo(a)", "contains(a)"):
        with pytest.raises(UnsupportedError):
            parse_filter(text)


def test_every_error_is_the_clients() -> None:
    for text in (
        "(((",
        "a eq duration'P1D",
        "@",
        "a eq @",
        "'",
        '"',
        "a in",
        "a in ()",
        "/",
        "a/",
        "a/any(",
        r'a eq "\x"',
    ):
        with pytest.raises(ODataError):
            parse_filter(text)
