"""How commands end, for scripts: one meaning for each code."""

from collections.abc import Mapping

FAILED = 1
USAGE = 2
FOUND = 3
MEANINGS: Mapping[int, str] = {
    0: "Done. Of a question: nothing stands in the way.",
    FAILED: "It failed, or a part of it did; stderr says in a sentence what and what to do.",
    USAGE: "It was not said clearly what is wanted: a wrong option, or a key that several rows have.",
    FOUND: "It was looked, and there is something: drift remains, or a month cannot be closed yet.",
}
