"""`python -m sandbox serve`: Dataverse and Finance on your laptop."""

import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from sandbox.auth.tokens import CertificateError
from sandbox.options import read_options
from sandbox.seeding import SeedRefusedError
from sandbox.server import PortTakenError, serve
from sandbox.store import OtherVersionError

_DATABASES = "give sqlite:///file.db or postgresql+psycopg://user:password@host/name"


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; return the exit code (1 with one sentence on stderr on trouble)."""
    with tempfile.TemporaryDirectory(prefix="sandbox-") as folder:
        settings = read_options(arguments, Path(folder))
        try:
            serve(settings)
        except (CertificateError, PortTakenError, SeedRefusedError, OtherVersionError) as refused:
            return _fail(str(refused))
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError):
            shown = _without_password(settings.database)
            return _fail(f"The database {shown} is of no kind that is known here: {_DATABASES}.")
        except SQLAlchemyError as broken:
            shown = _without_password(settings.database)
            reason = str(getattr(broken, "orig", None) or broken).splitlines()[0]
            return _fail(f"The database {shown} cannot be used ({reason}): {_DATABASES}.")
        except OSError as broken:
            return _fail(f"{broken.filename or 'A file'} cannot be used: {broken.strerror}.")
    return 0


def _without_password(url: str) -> str:
    masked = re.sub(r"(?<=[?&]password=)[^&]*", "***", url)
    return re.sub(r"(//[^:@/]*:).*(?=@)", r"\1***", masked)


def _fail(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
