"""What is wrong with a mapping file: where, what, and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass

from projops.errors import MappingError


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong in a mapping file.

    Attributes:
        file: Path of the file, as the reader would open it.
        line: Line, from 1.
        message: One sentence that says what is wrong.
        remedy: One sentence that says what to do.
    """

    file: str
    line: int
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message} {self.remedy}".rstrip()

    def as_error(self) -> MappingError:
        """The same as an error that stops a leg."""
        return MappingError(self.message, file=self.file, line=self.line, remedy=self.remedy)

    def as_json(self) -> Mapping[str, object]:
        """The same as a JSON object."""
        return {"file": self.file, "line": self.line, "message": self.message, "remedy": self.remedy}
