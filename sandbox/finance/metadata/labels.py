"""Labels: the ids that metadata names, and their texts in the one language of the sandbox.

Microsoft's own label ids (`@SYS…`) and texts are not public as a whole; these have a label file of
their own [?].
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from sandbox.finance.metadata.types import enums
from sandbox.schema.model import Table

_FILE = "@Sandbox"
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_texts: dict[frozenset[str], Mapping[str, str]] = {}


def entity_label(table: Table) -> str:
    """Return the label id of an entity."""
    return f"{_FILE}:{table.entity_type}EntityLabel"


def property_label(name: str) -> str:
    """Return the label id of properties of this name."""
    return f"{_FILE}:{name}"


def enum_label(enum: str, member: str | None = None) -> str:
    """Return the label id of an enum, or of one of its members."""
    return f"{_FILE}:{enum}Enum" if member is None else f"{_FILE}:{enum}_{member}"


def label_texts(sets: Mapping[str, Table]) -> Mapping[str, str]:
    """Return the text of every label by its id in lower case; made once for these entity sets."""
    names = frozenset(sets)
    if names not in _texts:
        _texts[names] = MappingProxyType(_collect(sets))
    return _texts[names]


def _collect(sets: Mapping[str, Table]) -> dict[str, str]:
    texts = {entity_label(table): table.label for table in sets.values()}
    texts |= {property_label(name): _words(name) for table in sets.values() for name in table.columns}
    for enum, options in enums(sets.values()).items():
        texts[enum_label(enum)] = _words(enum)
        texts |= {enum_label(enum, option.label): _words(option.label) for option in options}
    return {label_id.lower(): text for label_id, text in texts.items()}


def _words(name: str) -> str:
    """Return a name as people read it: `CustomerGroupId` is "Customer group id"."""
    first, *rest = _WORDS.split(name)
    return " ".join(
        [first[:1].upper() + first[1:], *(word if word.isupper() else word.lower() for word in rest)]
    )
