"""The colours of the console, by WCAG 2.2 (1.4.3 and 1.4.11)."""

import re
from itertools import product

import pytest

from projops.console.headers import STATIC

TEXTS = ("ink", "quiet", "good", "warn", "bad", "idle", "link")
GRAPHICS = ("edge", "one", "two", "three", "four")
CSS = (STATIC / "console.css").read_text()


def colours(scheme: str) -> dict[str, str]:
    rules = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    found: dict[str, str] = dict(re.findall(r"--([\w-]+): #([0-9a-f]{6})", rules[scheme == "dark"]))
    return found


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_measure_is_the_known_one() -> None:
    assert contrast("000000", "ffffff") == pytest.approx(21)
    assert contrast("767676", "ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_and_graphics_stand_out(scheme: str) -> None:
    known = colours(scheme)
    needed = {
        **{(text, ground): 4.5 for text, ground in product(TEXTS, ("ground", "raised"))},
        **{("ink", f"{tone}-ground"): 4.5 for tone in ("good", "warn", "bad")},
        **{("link", f"{tone}-ground"): 4.5 for tone in ("good", "warn", "bad")},
        **{(tone, f"{tone}-ground"): 4.5 for tone in ("good", "warn", "bad")},
        **{(graphic, ground): 3.0 for graphic, ground in product(GRAPHICS, ("ground", "raised"))},
    }
    faint = {
        pair: round(contrast(known[pair[0]], known[pair[1]]), 2)
        for pair, least in needed.items()
        if contrast(known[pair[0]], known[pair[1]]) < least
    }
    assert faint == {}


def test_both_schemes_know_the_same_colours() -> None:
    assert colours("light").keys() == colours("dark").keys()
    assert set(re.findall(r"var\(--([\w-]+)\)", CSS)) <= colours("light").keys()
