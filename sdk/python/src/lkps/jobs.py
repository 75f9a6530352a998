"""Jobs: what becomes of each job that the worker takes, of those that are of a session."""

from dataclasses import replace
from typing import cast

from livekit.agents.ipc.job_executor import JobExecutor
from livekit.agents.ipc.proc_pool import ProcPool
from livekit.agents.job import RunningJobInfo

from lkps.client import JobReport
from lkps.endings import Ending, Endings, Entrypoint, ToldEntrypoint
from lkps.naming import session_id_of
from lkps.reports import Reports

_FAREWELL_SECONDS = 5.0


class Jobs:
    """The worker's jobs, from `open` to `close`; each is accepted, then completed or failed."""

    def __init__(self, agent_name: str, reports: Reports) -> None:
        self._agent_name = agent_name
        self._reports = reports
        self._endings = Endings()
        self._running: dict[str, JobReport] = {}
        self._worker_closes = False

    def told_by(self, entrypoint: Entrypoint) -> ToldEntrypoint:
        return self._endings.told_by(entrypoint)

    def watched(self, pool: ProcPool) -> ProcPool:
        """The pool, whose jobs are followed from now on."""
        pool.on("process_closed", self.closed)
        return cast("ProcPool", _WatchedPool(pool, self))

    async def open(self) -> None:
        self._reports.open()
        await self._endings.listen(self.ended)

    def worker_closes(self) -> None:
        """A job that is told to end from now on has people left in its room."""
        self._worker_closes = True

    async def close(self) -> None:
        await self._reports.close(_FAREWELL_SECONDS)
        self._endings.close()

    def accepted(self, info: RunningJobInfo) -> None:
        session_id = session_id_of(info.job.room.name, self._agent_name)
        if session_id is not None:
            accepted = JobReport(session_id, info.accept_arguments.identity, "accepted")
            self._running[info.job.id] = accepted
            self._reports.add(accepted)

    def ended(self, job_id: str, ending: Ending) -> None:
        if ending is Ending.TOLD_TO_END and self._worker_closes:
            self.failed(job_id, "worker_closed")
        elif ending in (Ending.COMPLETED, Ending.TOLD_TO_END):
            self._completed(job_id)
        else:
            self.failed(job_id, ending)

    def closed(self, process: JobExecutor) -> None:
        """Only what did not tell its ending, or died of it, is still running here."""
        if process.running_job is None:
            return
        job_id = process.running_job.job.id
        exit_code: int | None = getattr(process, "exitcode", 0)  # a thread has none
        if exit_code == 0:
            self._completed(job_id)
        else:
            self.failed(job_id, f"process_exit_{exit_code}")

    def failed(self, job_id: str, reason: str) -> None:
        if accepted := self._running.pop(job_id, None):
            self._reports.add(replace(accepted, outcome="failed", reason=reason))

    def _completed(self, job_id: str) -> None:
        if accepted := self._running.pop(job_id, None):
            self._reports.add(replace(accepted, outcome="completed"))


class _WatchedPool:
    """Stands in for the worker's pool of processes (or threads)."""

    def __init__(self, pool: ProcPool, jobs: Jobs) -> None:
        self._pool = pool
        self._jobs = jobs

    def __getattr__(self, name: str) -> object:
        return getattr(self._pool, name)

    async def launch_job(self, info: RunningJobInfo) -> None:
        self._jobs.accepted(info)
        try:
            await self._pool.launch_job(info)
        except Exception:
            self._jobs.failed(info.job.id, "not_launched")
            raise
