"""Steps run with writes: synchronous ones in the transaction, asynchronous ones as system jobs after it.

Rows of bulk messages call the steps of Create and Update one by one, as Dataverse merges both pipelines [D].
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.bell import Bell
from sandbox.dataverse.desk import Desk, refused
from sandbox.dataverse.events.call import current_call, current_depth, deeper
from sandbox.dataverse.events.delivery import Subject, deliver
from sandbox.dataverse.events.message import NO_OPERATION, Event, write_message
from sandbox.dataverse.events.steps import REGISTRATION, Stage, Step, StepRegistry
from sandbox.dataverse.systemjobs.jobs import queue_event
from sandbox.rules.hooks import Caller, Change, Rulebook, Verb

_BEFORE = (Stage.PRE_VALIDATION, Stage.PRE_OPERATION)


@dataclass(frozen=True, kw_only=True)
class Pipeline(Rulebook[Desk]):
    """The rules of Dataverse, and the steps that are registered beside them.

    Attributes:
        registry: Which steps there are.
        queue: Where asynchronous steps go.
    """

    registry: StepRegistry
    queue: Bell

    def concerns(self, table: str, verb: Verb, caller: Caller, columns: Iterable[str] = ()) -> bool:
        """Whether a rule or a step may run with such writes."""
        columns = frozenset(columns)
        if table in REGISTRATION or super().concerns(table, verb, caller, columns):
            return True
        return bool(self.registry.due(verb.capitalize(), table, columns))

    def prepare(self, desk: Desk, change: Change) -> Change:
        """Ask guards and steps of before the write.

        Raises:
            ApiError: When one of them refuses.
        """
        with deeper():
            change = super().prepare(desk, change)
        due = [step for step in self._steps(change) if step.stage in _BEFORE and not step.asynchronous]
        for step in sorted(due, key=lambda step: step.stage):
            self._call(step, _event(desk, change))
        return change

    def follow(self, desk: Desk, change: Change) -> None:
        """Do what follows from a row that was written, then call its steps.

        Raises:
            ApiError: When a synchronous step fails, which undoes the write.
        """
        with deeper():
            super().follow(desk, change)
        if change.table in REGISTRATION:
            desk.unit.after_commit.append(self.registry.forget)
        due = [step for step in self._steps(change) if step.stage not in _BEFORE]
        if not due:
            return
        event = _event(desk, change, written=True)
        for step in due:
            if not step.asynchronous:
                self._call(step, event)
        waiting = [step for step in due if step.asynchronous]
        for step in waiting:
            queue_event(desk, step, event)
        if waiting and self.queue.ring not in desk.unit.after_commit:
            desk.unit.after_commit.append(self.queue.ring)

    def _steps(self, change: Change) -> list[Step]:
        call = current_call()
        return [
            step
            for step in self.registry.due(change.verb.capitalize(), change.table, change.values)
            if not (call.skip_async if step.asynchronous else call.skip_sync)
            and step.step_id not in call.skip_steps
        ]

    def _call(self, step: Step, event: Event) -> None:
        """Call a synchronous step; the writer waits, and so do all others, as its transaction is open."""
        subject = Subject(event.call.host, event.entity.table.name, event.message, event.call.correlation_id)
        message = write_message(event, step, NO_OPERATION)
        delivery = deliver(step.endpoint, subject, message)
        if delivery.failure:
            raise refused(delivery.failure)


def _event(desk: Desk, change: Change, *, written: bool = False) -> Event:
    writer = desk.writer
    entity = writer.entities.by_name[change.table]
    row_id = change.after.get(entity.primary_id) or ""
    after = desk.get(change.table, row_id) if written and change.verb is not Verb.DELETE else {}
    return Event(
        message=change.verb.capitalize(),
        entity=entity,
        row_id=row_id,
        values=change.values,
        before=change.before,
        after=after,
        depth=current_depth(),
        call=current_call(),
        at=desk.now,
        organization_id=writer.store.environment_id,
        user_id=writer.user_id,
        business_unit_id=writer.business_unit_id,
    )
