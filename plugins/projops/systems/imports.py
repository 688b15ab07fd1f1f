"""Data packages that Finance imports: many rows for a few requests [D].

    package_writing.write_package -> upload -> start (our execution id) -> ended -> written, refused

An import upserts by the entity key; rows that it refuses leave the others. Only one import runs at a
time in an environment: whoever asks for a second one is refused [D].
"""

import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from projops.errors import ProtocolError
from projops.systems.error_keys import LARGEST_FILE, Key, read_keys
from projops.systems.packages import Packages, value_of

# How often it is asked whether Finance knows by now what was asked for, or has written a file: for 40 s.
_ASKED, _FIRST_PAUSE, _PAUSE_GROWTH = 10, 0.5, 1.5


@dataclass(frozen=True, slots=True)
class Import:
    """An import to ask for.

    Attributes:
        group: Definition group, made or changed as the package's manifest says.
        execution_id: Chosen by us, recorded before the call.
        entity: Data management's name of the entity.
        company: Legal entity; "" takes the default company (entities without companies).
    """

    group: str
    execution_id: str
    entity: str
    company: str = ""


@dataclass(frozen=True, slots=True)
class Imports:
    """Has one Finance environment import data packages.

    Attributes:
        packages: Data packages of the environment; for writes its session's `deadline` should be the lease's.
    """

    packages: Packages

    async def upload(self, name: str, package: bytes) -> str:
        """Put a package where Finance finds it; give its address, which holds a signature.

        Raises:
            ProtocolError: The address is of a host that keeps no files of the environment.
        """
        what = f"uploading {name}"
        answer = await self.packages.act("GetAzureWriteUrl", {"uniqueFileName": name}, kind="write")
        address = _blob_address(value_of(answer, what))
        session = self.packages.session
        session.checked(await session.upload(address, package, what=what), what)
        return address

    async def start(self, order: Import, address: str) -> str:
        """Ask for an import; it runs by itself.

        Returns:
            Why Finance does not take it on, as when another import is under way; "" where it does.

        Raises:
            UnknownOutcomeError: No answer came: see whether Finance knows the execution (`is_known`).
        """
        answer = await self.packages.ask(
            "ImportFromPackage",
            {
                "packageUrl": address,
                "definitionGroupId": order.group,
                "executionId": order.execution_id,
                "execute": True,
                "overwrite": True,
                "legalEntityId": order.company,
            },
            f"asking for import {order.execution_id}",
            kind="write",
            repeatable=False,
        )
        return answer.failure.message or "no reason is given" if answer.failure is not None else ""

    async def is_known(self, execution_id: str) -> bool:
        """Say whether Finance knows an execution, which it may do only a while after it was asked for [L]."""

        async def found() -> bool:
            return await self.packages.status(execution_id) is not None

        return await self._soon(found)

    async def written(self, order: Import) -> int:
        """Say how many rows an import has created and changed; -1 where Finance does not tell.

        The form of the list is not documented [?].
        """
        what = f"asking for the counts of import {order.execution_id}"
        asked = {"executionId": order.execution_id}
        listed = value_of(
            await self.packages.act("GetEntityExecutionSummaryStatusList", asked, kind="poll"), what
        )
        try:
            entities = orjson.loads(listed) if isinstance(listed, str) else listed
            [counts] = [each for each in entities if each["EntityName"].casefold() == order.entity.casefold()]
            return int(counts["TargetRecordsCreatedCount"]) + int(counts["TargetRecordsUpdatedCount"])
        except (AttributeError, KeyError, TypeError, ValueError):
            return -1

    async def refused(self, order: Import, key: Sequence[str], most: int) -> frozenset[Key]:
        """Give the keys of the rows that an import has refused, in staging or on their way to the target.

        Args:
            order: The import, ended.
            key: Columns of the entity key that the package holds.
            most: Rows that were sent.

        Raises:
            ProtocolError: The files are none that can be read, or are not to be had in time.
        """
        asked = {"executionId": order.execution_id, "entityName": order.entity}
        what = f"asking for the refused rows of import {order.execution_id}"
        address = await self._text("GetImportStagingErrorFileUrl", asked, what)
        found = await self._keys(address, key, most, what) if address else []
        made = await self.packages.act("GenerateImportTargetErrorKeysFile", asked, kind="poll")
        if value_of(made, what) is True:
            found += await self._keys(await self._target_file(asked, what), key, most, what)
        return frozenset(found)

    async def _target_file(self, asked: dict[str, str], what: str) -> str:
        """Wait for the file of keys, which a batch job writes; until then its address is empty [D]."""
        addresses: list[str] = []

        async def written() -> bool:
            addresses.append(await self._text("GetImportTargetErrorKeysFileUrl", asked, what))
            return addresses[-1] != ""

        if not await self._soon(written):
            raise ProtocolError(
                f"Finance writes no file of the rows that import {asked['executionId']} refused.",
                remedy="The rows are read back by key instead.",
            )
        return addresses[-1]

    async def _keys(self, address: str, key: Sequence[str], most: int, what: str) -> list[Key]:
        session = self.packages.session
        with tempfile.TemporaryFile() as file:
            session.checked(await session.download(address, file, what=what, limit=LARGEST_FILE), what)
            return read_keys(file, key, most)

    async def _text(self, action: str, asked: dict[str, str], what: str) -> str:
        return str(value_of(await self.packages.act(action, asked, kind="poll"), what) or "")

    async def _soon(self, holds: Callable[[], Awaitable[bool]]) -> bool:
        for asked in range(_ASKED):
            if asked:
                await self.packages.session.pause(_FIRST_PAUSE * _PAUSE_GROWTH ** (asked - 1))
            if await holds():
                return True
        return False


def _blob_address(value: Any) -> str:
    """Take the address out of a JSON object that comes as a text [D]."""
    try:
        blob = orjson.loads(value) if isinstance(value, str) else value
        return str(blob["BlobUrl"])
    except (KeyError, TypeError, ValueError):
        raise ProtocolError(
            "Finance names no address for a package.", remedy="Nothing was sent; see the connection's host."
        ) from None
