"""What the wire needs to know of a column: its Arrow type and how it is written in a URL and a body."""

from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa


class Form(StrEnum):
    """What stands in a column, where the Arrow type alone does not say it."""

    PLAIN = "plain"
    GUID = "guid"
    LOOKUP = "lookup"  # Dataverse: read as `_x_value`, written by `x@odata.bind`
    ENUM = "enum"  # Finance: a symbol, with its type in filters


_FORMS = {"guid": Form.GUID, "lookup": Form.LOOKUP, "enum": Form.ENUM}


@dataclass(frozen=True, slots=True)
class Property:
    """A column of a table or entity set, as this package needs it.

    Attributes:
        name: Logical name (Dataverse) or property name (Finance). In filters a dotted path
            (`msdyn_company.cdm_companycode`) stands for a navigation path.
        type: Arrow type of the column in frames.
        form: Plain value, GUID, lookup or enum.
        enum: Name of the Finance enum, for `Form.ENUM`.
        navigation: Single-valued navigation property that sets a lookup; case-sensitive [D].
        target_set: Entity set that a lookup points to, needed to write it.
    """

    name: str
    type: pa.DataType
    form: Form = Form.PLAIN
    enum: str = ""
    navigation: str = ""
    target_set: str = ""

    @property
    def wire_name(self) -> str:
        """The name in `$select` and in answers: `_x_value` for a lookup."""
        return f"_{self.name}_value" if self.form is Form.LOOKUP else self.name

    @property
    def filter_path(self) -> str:
        """The name in `$filter`: navigation paths with slashes."""
        return self.wire_name if "." not in self.name else self.name.replace(".", "/")


def form_of(catalog_type: str) -> Form:
    """Give the form that goes with a type of the catalog (guid, lookup, enum; anything else is plain)."""
    return _FORMS.get(catalog_type, Form.PLAIN)
