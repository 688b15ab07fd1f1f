"""The asynchronous service: does system jobs behind the requests, in threads of its own.

Jobs of one step are done one after the other, in the order of the writes that caused them; a slow receiver
holds up nobody else. A job is done once its row says so: what was at work when the process ended is done
again after the next start, so a receiver may see a message twice, but none is lost.
"""

import logging
from itertools import groupby, islice
from threading import Lock, Thread

from sqlalchemy.exc import SQLAlchemyError

from sandbox.dataverse.api import Api
from sandbox.dataverse.events.delivery import Subject, deliver
from sandbox.dataverse.events.message import Message
from sandbox.dataverse.systemjobs.bulk_delete import run_bulk_delete
from sandbox.dataverse.systemjobs.jobs import (
    End,
    Job,
    Kind,
    begin,
    finish,
    has_postponed,
    ready_jobs,
    release,
)

_log = logging.getLogger(__name__)
_MOST_LANES = 8
_LOOK_AGAIN_SECONDS = 1.0  # while a job waits for its time: the sandbox's clock may be moved


class AsyncService:
    """Looks for jobs whenever the queue rings, and does those of each step in a thread of their own."""

    def __init__(self, api: Api) -> None:
        """Work as the environment's application user unless a job says otherwise."""
        self._api = api
        self._lock = Lock()
        self._busy: set[str] = set()
        self._stopped = False
        self._watcher = Thread(target=self._watch, name="asynchronous service", daemon=True)

    def start(self) -> None:
        """Begin, with what an earlier process has left."""
        release(self._api.store)
        self._watcher.start()

    def stop(self) -> None:
        """Take up nothing more; what is on its way stays to be done."""
        self._stopped = True
        self._api.jobs.ring()
        self._watcher.join()

    def _watch(self) -> None:
        while not self._stopped:
            self._api.jobs.wait(_LOOK_AGAIN_SECONDS if self._look() else None)

    def _look(self) -> bool:
        """Take up what is ready; say whether to look again soon, as nobody rings for what waits."""
        store = self._api.store
        try:
            self._take_up()
            return has_postponed(store, store.clock.now())
        except SQLAlchemyError:
            _log.exception("The database does not tell which system jobs are ready.")
            return True

    def _take_up(self) -> None:
        """Start a thread for each step that has jobs and is not at work."""
        with self._lock:
            busy = set(self._busy)
        jobs = ready_jobs(self._api.store, self._api.store.clock.now(), busy)
        lanes = groupby(sorted(jobs, key=_lane), key=_lane)
        for lane, some in islice(lanes, _MOST_LANES - len(busy)):
            with self._lock:
                self._busy.add(lane)
            name = f"system jobs {lane}"
            Thread(target=self._work, args=(lane, list(some)), name=name, daemon=True).start()

    def _work(self, lane: str, jobs: list[Job]) -> None:
        try:
            for job in jobs:
                if self._stopped:
                    return
                end = self._do(job)
                if self._stopped:
                    return
                finish(self._api.store, job, end)
        except SQLAlchemyError:
            _log.exception("The database does not take how a system job has ended: it is done again.")
        finally:
            with self._lock:
                self._busy.discard(lane)
            self._api.jobs.ring()

    def _do(self, job: Job) -> End:
        """Do a job; whatever goes wrong is how it ends."""
        try:
            if job.kind == Kind.BULK_DELETE:
                begin(self._api.store, job)
                return run_bulk_delete(self._api, job)
            return self._call_step(job)
        except Exception as error:
            _log.exception("The system job %s failed", job.job_id)
            return End(f"The system job failed: {error}")

    def _call_step(self, job: Job) -> End:
        step = self._api.registry.step(job.step_id or "")
        if step is None:
            return End("The step that the job was to call is not registered any more, or is disabled.")
        subject = Subject(job.data["host"], job.table, job.message, job.correlation_id)
        message = Message(job.data["body"], job.data["exceeded"])
        delivery = deliver(step.endpoint, subject, message)
        return End(delivery.failure, delivery.attempts, forget=step.delete_job and not delivery.failure)


def _lane(job: Job) -> str:
    return job.step_id or ""
