"""The small values that definitions are made of: ids, labels in languages, managed properties."""

import uuid
from typing import Any

ENGLISH = 1033
_NAMESPACE_ID = uuid.UUID("6f0d2a63-6f5d-4d0c-9d0b-5c9a3d1f2b10")


def metadata_id(name: str) -> str:
    """Return the MetadataId of what has this name: always the same."""
    return str(uuid.uuid5(_NAMESPACE_ID, name))


def label(text: str | None) -> dict[str, Any]:
    """Return a Label in the one language of the environment; None for none at all."""
    if text is None:
        return {"LocalizedLabels": [], "UserLocalizedLabel": None}
    localized = {
        "Label": text,
        "LanguageCode": ENGLISH,
        "IsManaged": True,
        "MetadataId": metadata_id(f"label {text}"),
        "HasChanged": None,
    }
    return {"LocalizedLabels": [localized], "UserLocalizedLabel": localized}


def managed(value: Any, name: str, *, changeable: bool = True) -> dict[str, Any]:
    """Return a managed property: `{"Value": …, "CanBeChanged": …, "ManagedPropertyLogicalName": …}`."""
    return {"Value": value, "CanBeChanged": changeable, "ManagedPropertyLogicalName": name}
