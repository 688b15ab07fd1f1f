"""Who may see and do what: Airflow's own users, and their rights on its DAGs.

Whoever may read a DAG may read what its runs have to tell; whoever may trigger it may act on its maps. What
rows hold may be personal data: that is a right of its own, and leaves a line in the audit trail.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
from airflow.api_fastapi.core_api.security import bearer_scheme, get_user
from airflow.models.dag import DagModel
from fastapi import Depends, HTTPException, Request, status
from fastapi.security import HTTPAuthorizationCredentials

from projops.console.kept_engine import kept_engine
from projops.mapping.model import TableMap
from projops.state.audit import record_action

RECONCILIATION = "nightly_reconciliation"  # the DAG
ROW_VALUES = "Row Values"
"""Name under which Airflow's auth manager knows the right to see what rows hold, as of a custom view."""


class NotSignedInError(HTTPException):
    """The request comes without a token of Airflow's, or with one that is no longer good."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """A signed-in user of Airflow, and what they may do here, asked once a request.

    Attributes:
        user: The user.
    """

    user: BaseUser
    _known: dict[tuple[str, str | None], bool] = field(default_factory=dict, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The name under which the audit trail knows them."""
        return self.user.get_name()

    def reads(self, dag_id: str | None) -> bool:
        """Whether they may read what runs of a DAG tell; None stands for every DAG."""
        return self._once("read", dag_id, lambda: _may(self.user, "GET", dag_id))

    def acts(self, dag_id: str | None) -> bool:
        """Whether they may act on what a DAG moves; None stands for every DAG."""
        return self._once("act", dag_id, lambda: _may(self.user, "POST", dag_id))

    def readable(self, maps: Mapping[str, TableMap]) -> frozenset[str]:
        """Give the ids of maps of areas that they may read."""
        return frozenset(name for name, each in maps.items() if self.reads(each.area))

    def actionable(self, maps: Mapping[str, TableMap]) -> frozenset[str]:
        """Give the ids of maps of areas that they may act on."""
        return frozenset(name for name, each in maps.items() if self.acts(each.area))

    @property
    def sees_values(self) -> bool:
        """Whether they may see what rows hold.

        Airflow's simple auth manager knows no rights but those of its roles, and lets everybody see custom
        views: there it takes the right on connections, by which all rows could be read anyway.
        """
        return self._once("values", None, lambda: _may_see_values(self.user))

    def require_reads(self, dag_id: str | None) -> None:
        """Insist on the right to read.

        Raises:
            HTTPException: 403.
        """
        _require(self.reads(dag_id), "see this: it takes the right to read", dag_id)

    def require_values(self) -> None:
        """Insist on the right to see what rows hold.

        Raises:
            HTTPException: 403.
        """
        if not self.sees_values:
            sentence = f"Your Airflow user may not see what rows hold: that is the right {ROW_VALUES}."
            raise HTTPException(status.HTTP_403_FORBIDDEN, sentence)

    def require_acts(self, dag_id: str | None) -> None:
        """Insist on the right to act.

        Raises:
            HTTPException: 403.
        """
        _require(self.acts(dag_id), "do this: it takes the right to trigger", dag_id)

    def _once(self, right: str, dag_id: str | None, ask: Callable[[], bool]) -> bool:
        if (right, dag_id) not in self._known:
            self._known[right, dag_id] = ask()
        return self._known[right, dag_id]


_Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer_scheme)]


async def viewer_of(request: Request, bearer: _Bearer) -> Viewer:
    """Let in whoever is signed in, by a bearer token or by the cookie of Airflow's pages.

    Raises:
        NotSignedInError: 401 without a token, or with one that has expired; 403 with one that is none.
    """
    try:
        return Viewer(await get_user(request, None, bearer))
    except HTTPException as error:
        raise NotSignedInError(error.status_code, "Sign in to Airflow first.", error.headers) from error


SignedIn = Annotated[Viewer, Depends(viewer_of)]


def note_reveal(viewer: Viewer, subject: str) -> None:
    """Note in the audit trail that a user was shown what rows hold."""
    with kept_engine().state.begin() as connection:
        record_action(connection, viewer.name, "reveal", subject)


def _may(user: BaseUser, method: Literal["GET", "POST"], dag_id: str | None) -> bool:
    team = DagModel.get_team_name(dag_id) if dag_id else None
    details = DagDetails(id=dag_id, team_name=team)
    if method == "GET":
        return get_auth_manager().is_authorized_dag(method=method, details=details, user=user)
    run = DagAccessEntity.RUN  # what Airflow's own trigger button asks for; nobody creates DAGs
    return get_auth_manager().is_authorized_dag(method=method, access_entity=run, details=details, user=user)


def _may_see_values(user: BaseUser) -> bool:
    manager = get_auth_manager()
    if isinstance(manager, SimpleAuthManager):
        return manager.is_authorized_connection(method="GET", user=user)  # type: ignore[arg-type]
    return manager.is_authorized_custom_view(method="GET", resource_name=ROW_VALUES, user=user)


def _require(allowed: bool, what: str, dag_id: str | None) -> None:
    if not allowed:
        dag = f"the DAG {dag_id}" if dag_id else "every DAG"
        raise HTTPException(status.HTTP_403_FORBIDDEN, f"Your Airflow user may not {what} {dag}.")
