"""A page as a browser reads it: elements, attributes, text and the rows of its tables."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "br", "link", "img", "hr", "input"}


@dataclass
class Element:
    """An element with what it holds."""

    tag: str
    attributes: dict[str, str | None] = field(default_factory=dict)
    children: list["Element | str"] = field(default_factory=list)

    @property
    def text(self) -> str:
        joined = "".join(each if isinstance(each, str) else each.text for each in self.children)
        return " ".join(joined.split())

    def all(self, *tags: str) -> list["Element"]:
        """Give all elements of some tags below this one, in the order of the page; without tags every one."""
        found: list[Element] = []
        for each in self.children:
            if isinstance(each, Element):
                found += [each] if not tags or each.tag in tags else []
                found += each.all(*tags)
        return found

    def rows(self) -> list[list[str]]:
        """Give the texts of the body's rows."""
        return [
            [cell.text for cell in row.all("th", "td")]
            for body in self.all("tbody")
            for row in body.all("tr")
        ]


class Reader(HTMLParser):
    """Reads a page, and insists that every element is closed where it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Element("")
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        self._open[-1].children.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open[-1].children.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1].tag == tag, f"</{tag}> closes <{self._open[-1].tag}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


def read(page: str) -> Element:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader._open == [reader.root]
    return reader.root
