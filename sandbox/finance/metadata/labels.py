"""Labels: the ids that metadata names, and their texts in the one language of the sandbox.

Microsoft's own label ids (`@SYS…`) and texts are not public as a whole: the sandbox has a label file of its
own, and a label of another file is shown as its id, as X++ shows one without a text [?].
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from sandbox.finance.metadata.types import enums
from sandbox.schema.model import Table

_FILE = "@Sandbox"
_OTHER_FILES = re.compile(r"@[A-Z]{3}\d+|@\w+:\w+", re.ASCII | re.IGNORECASE)
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


def label_text(sets: Mapping[str, Table], label_id: str) -> str | None:
    """Return the text of a label, whatever the case of its id; None where it cannot be one."""
    text = _label_texts(sets).get(label_id.lower())
    if text is None and not label_id.lower().startswith(f"{_FILE}:".lower()):
        return label_id if _OTHER_FILES.fullmatch(label_id) else None
    return text


def _label_texts(sets: Mapping[str, Table]) -> Mapping[str, str]:
    """Return the text of each label by its id in lower case; made once for these entity sets."""
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
