"""What can be wrong with an OData request, as typed errors that each application renders its way.

    ODataError
    ├── ODataSyntaxError       the text is not OData
    ├── UnknownPropertyError   no such property on the type
    ├── TypeMismatchError      operands, or a literal and its property, do not fit
    ├── UnsupportedError       valid OData that the system refuses
    └── BatchError             the multipart body cannot be read

All of them are answered 400: none is a fault of the server.
"""


class ODataError(Exception):
    """A request that cannot be answered; the message is the sentence that goes on the wire."""


class ODataSyntaxError(ODataError):
    """Text that is not valid OData.

    Attributes:
        position: Where reading stopped, in characters from the start.
        text: The whole text.
    """

    def __init__(self, message: str, position: int, text: str) -> None:
        """Keep the place beside the message."""
        super().__init__(message)
        self.position = position
        self.text = text

    @classmethod
    def at(cls, position: int, text: str) -> "ODataSyntaxError":
        """The general form: something stands where it must not."""
        return cls(f"Syntax error at position {position} in '{text}'.", position, text)

    @classmethod
    def unterminated(cls, text: str) -> "ODataSyntaxError":
        """A quote that is never closed; the position is the end of the text [D filter-rows]."""
        message = f"There is an unterminated literal at position {len(text)} in '{text}'."
        return cls(message, len(text), text)


class UnknownPropertyError(ODataError):
    """A property that the type does not have."""

    def __init__(self, name: str, type_name: str) -> None:
        """Name the property and the type."""
        super().__init__(f"Could not find a property named '{name}' on type '{type_name}'.")
        self.name = name
        self.type_name = type_name


class TypeMismatchError(ODataError):
    """Operands of types that cannot be compared, or a literal that its property cannot hold."""

    @classmethod
    def operands(cls, left: str, right: str, operator: str) -> "TypeMismatchError":
        """Two operand types that have no common type."""
        return cls(
            "A binary operator with incompatible types was detected. "
            f"Found operand types '{left}' and '{right}' for operator kind '{operator}'."
        )


class UnsupportedError(ODataError):
    """Valid OData that this system does not take."""


class BatchError(ODataError):
    """A multipart body that cannot be taken apart."""
