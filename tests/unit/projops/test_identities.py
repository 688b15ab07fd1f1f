from projops.identities import Identities


def test_the_first_value_stays_until_the_text_is_forgotten() -> None:
    noted = Identities()
    noted.note([("b", "1"), ('["a","å"]', "1"), ("b", "2")])
    assert noted.among(["b", "x", '["a","å"]']) == {"b": "1", '["a","å"]': "1"}
    assert noted.missing(["b", "x"]) == ["x"]
    assert noted.forget(["b", "x"]) == 1
    noted.note([("b", "2")])
    assert noted.among(["b"]) == {"b": "2"}


def test_pages_give_every_text_once_also_when_it_is_forgotten_as_soon_as_it_came() -> None:
    noted = Identities()
    noted.note((f"{number:04d}", "") for number in range(25))
    pages = []
    for page in noted.pages(10):
        noted.forget(page)
        pages.append(page)
    assert [len(page) for page in pages] == [10, 10, 5]
    assert sorted(sum(pages, [])) == [f"{number:04d}" for number in range(25)]
    assert list(Identities().pages(10)) == []


def test_two_do_not_know_of_each_other() -> None:
    first, second = Identities(), Identities()
    first.note([("a", "")])
    assert second.missing(["a"]) == ["a"]
