"""Many runs on one machine: a forkserver that has imported torch, a process a run, one thread that waits.

Never a pool of threads: `Process.start()` in one thread polls the children of another and reports exit code
255 for runs that succeeded (CPython issue 140867). An exit code is a hint, the files are the state. When the
launcher is killed, its runs go on, keep their locks and finish.
"""

import multiprocessing
import os
import signal
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from multiprocessing.connection import wait
from pathlib import Path

from lineshaft.engine.errors import RequestError
from lineshaft.engine.launch.child import BUSY, DONE, FAILED, PAUSED, Child, spawn
from lineshaft.engine.launch.task import Task
from lineshaft.engine.run import provenance
from lineshaft.engine.run.description import description
from lineshaft.engine.run.execute import MOST_DEATHS, begin, give_up
from lineshaft.engine.run.lineage import keeping
from lineshaft.engine.run.options import Options, cores, set_threads
from lineshaft.engine.run.stop import asking
from lineshaft.engine.spec.experiment import find, own
from lineshaft.engine.spec.frozen import Kept

LOOK_EVERY = 0.5


def warm_up(addresses: Sequence[str], threads: int) -> None:
    """Start the forkserver: it imports what all runs need while this process goes on planning.

    A Ctrl-C would tear these imports and is not for the forkserver: this process tells the runs.
    """
    set_threads(threads)
    modules = ["torch", "torch._dynamo", "lineshaft.engine.launch.child", *modules_of(addresses)]
    multiprocessing.set_forkserver_preload(modules)
    from multiprocessing import forkserver

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        forkserver.ensure_running()
    finally:
        signal.signal(signal.SIGINT, before)


def modules_of(addresses: Sequence[str]) -> list[str]:
    """Our experiments that these addresses may mean: of a table only its system is known so far."""
    systems = {address.partition(".")[0] for address in addresses if ":" in address}
    return [m for a, m in own().items() if a in addresses or a.partition(".")[0] in systems]


class Launcher:
    """Computes tasks side by side until nothing is left; `changed` is called whenever something happened."""

    def __init__(
        self,
        tasks: Sequence[Task],
        options: Options,
        workers: int,
        fail_fast: bool = False,
        devices: Sequence[str] = ("cpu",),
        changed: Callable[["Launcher"], None] = lambda launcher: None,
        refusals: Mapping[str, str] | None = None,
    ) -> None:
        self.options, self.workers, self.fail_fast, self.devices = options, workers, fail_fast, devices
        self.changed = changed
        self.states: dict[str, str] = {}
        self.seconds: list[float] = []
        self.waiting: deque[Task] = deque()
        self.running: list[Child] = []
        self.leaving: list[Child] = []
        self.early_deaths: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.stopping = False
        self.word: signal.Signals | None = None
        self.refusals: dict[str, str] = dict(refusals or {})
        self.states.update(dict.fromkeys(self.refusals, "refused"))
        self.changes: dict[str, list[str]] = {}
        self.of_other_code: list[str] = []
        self.codes, self.kept = ExitStack(), dict[str, Kept]()
        self.origins = {a: provenance.origin(find(a)) for a in {t.address for t in tasks}}
        for each in tasks:
            self.plan(each)

    def plan(self, each: Task) -> None:
        """Only what is left is computed; failed runs are not tried again silently."""
        try:
            state = each.folder.state()
        except RequestError as error:
            self.refuse(each, str(error))
            return
        self.states[each.folder.id] = state
        if state == "done" and is_of_other_code(each):
            self.of_other_code.append(each.folder.id)
        if state not in ("done", "failed") or (state == "failed" and self.options.retry):
            self.states[each.folder.id] = "waiting"
            self.waiting.append(each)

    @property
    def total(self) -> int:
        return len(self.states)

    def count(self, state: str) -> int:
        return sum(s == state for s in self.states.values())

    def run(self) -> int:
        """The exit code: 0 all done, 1 a run failed or was refused, 130 interrupted.

        Raises RequestError where all that was asked for was refused.
        """
        with self.codes:
            with calling(self.interrupt):
                while (self.waiting and not self.stopping) or self.running:
                    self.start_some()
                    self.await_some()
                for each in self.leaving:
                    each.process.join()
            self.look_at_code()
            if self.refusals and self.count("refused") == self.total:
                raise RequestError("; ".join(list(dict.fromkeys(self.refusals.values()))[:3]))
        if self.count("failed") or self.refusals:
            return FAILED
        return DONE if self.count("done") == self.total else PAUSED

    def start_some(self) -> None:
        """Start runs up to the limit; runs that another process computes go to the back of the queue."""
        for _ in range(len(self.waiting)):
            if self.stopping or len(self.running) >= self.workers:
                return
            each = self.waiting.popleft()
            try:
                self.start_unless_ended(each)
            except RequestError as error:
                self.refuse(each, str(error))
            except OSError as error:
                self.postpone(each, error)
                return

    def start_unless_ended(self, each: Task) -> None:
        state = each.folder.state()
        if state == "running":
            self.states[each.folder.id] = "elsewhere"
            self.waiting.append(each)
        elif state == "done":
            self.states[each.folder.id] = "done"
        else:
            self.start(each)

    def start(self, each: Task) -> None:
        load = [c.options.device for c in self.running]
        device = min(self.devices, key=load.count)
        if each.address not in self.kept:
            code = find(each.address).code
            self.kept[each.address] = self.codes.enter_context(keeping(code, each.folder.dir.parent))
        options = replace(
            self.options, device=device, origin=self.origins[each.address], kept=self.kept[each.address]
        )
        self.running.append(spawn(each, options))
        self.states[each.folder.id] = "running"
        if self.word:
            self.pass_on(self.running[-1])
        self.look_at_code()
        self.changed(self)

    def look_at_code(self) -> None:
        """Note which files were edited since the launch: its runs are computed with the code as it was."""
        for address in self.origins:
            if files := find(address).code.changed():
                self.changes[address] = files

    def refuse(self, each: Task, why: str) -> None:
        """Leave a run that cannot be computed, and go on with the others."""
        self.refusals[each.folder.id] = why
        self.states[each.folder.id] = "refused"
        self.stopping |= self.fail_fast

    def postpone(self, each: Task, error: OSError) -> None:
        """Try again later, at most 3 times: the machine had no free process or file handle."""
        self.errors[each.folder.id] += 1
        if self.errors[each.folder.id] >= MOST_DEATHS and not self.running:
            self.refuse(each, f"{each.folder.id}: {error}; give the same command again")
        else:
            self.waiting.append(each)
            time.sleep(LOOK_EVERY)

    def await_some(self) -> None:
        """Sleep until a run or a process ends or it is time to look again.

        A run's place is free as soon as it says that it has ended: its process may take a third of a second
        to let go of a GPU, and the next run need not wait for that.
        """
        children = [*self.running, *self.leaving]
        pipes = [c.pipe for c in self.running if not c.pipe.closed]
        ready = wait([*pipes, *(c.process.sentinel for c in children)], timeout=LOOK_EVERY)
        gone = [c for c in children if c.process.sentinel in ready]
        for each in self.running:
            if each.pipe in ready or (each in gone and not each.pipe.closed):
                each.listen()
        for each in gone:
            each.process.join()
        self.leaving = [c for c in self.leaving if c not in gone]
        for each in [c for c in self.running if c in gone or c.has_ended]:
            self.running.remove(each)
            self.leaving += [each] if each not in gone else []
            try:
                self.settle(each)
            except (RequestError, OSError) as error:
                self.refuse(each.task, f"{each.task.folder.id}: {error}")
        self.changed(self)

    def settle(self, ended: Child) -> None:
        """Read the result of a process from its files; the exit code only separates pauses from crashes."""
        folder, code = ended.task.folder, ended.process.exitcode
        state = folder.state()
        if state in ("done", "failed"):
            self.seconds.append(time.monotonic() - ended.started)
            self.states[folder.id] = state
            self.stopping |= state == "failed" and self.fail_fast
        elif ended.message:
            self.refuse(ended.task, ended.message)
        elif code == PAUSED or self.stopping:
            self.states[folder.id] = "paused"
        else:
            self.again(ended.task, died=code != BUSY)

    def again(self, each: Task, died: bool) -> None:
        """Requeue the run if another process holds its lock; if it crashed, retry up to 3 times, then fail.

        Crashes during the import leave nothing in the run's files, so they are counted here.
        """
        folder = each.folder
        if died and folder.state() != "running" and not provenance.mark_death(folder):
            self.early_deaths[folder.id] += 1
        if self.early_deaths[folder.id] >= MOST_DEATHS:
            begin(folder, each.address, each.config)
            self.states[folder.id] = give_up(folder, MOST_DEATHS)
            self.stopping |= self.fail_fast
        else:
            self.states[folder.id] = "waiting"
            self.waiting.append(each)

    def interrupt(self, number: int = signal.SIGINT, frame: object = None) -> None:
        """First: ask every run to save and stop. Again: kill them; they resume where they last saved.

        A closed terminal may send SIGHUP twice, and never kills.
        A handler that raises nothing: an exception while a process is being started would lose sight of it.
        """
        self.word = signal.SIGKILL if self.word and number != signal.SIGHUP else self.word or signal.SIGTERM
        self.stopping = True
        for each in self.running:
            self.pass_on(each)

    def pass_on(self, each: Child) -> None:
        """Send the launcher's signal to a run, also to one that was being started when the signal came."""
        if each.process.pid and self.word:
            with suppress(ProcessLookupError):
                os.kill(each.process.pid, self.word)


def is_of_other_code(each: Task) -> bool:
    """Whether a finished run says that other code computed it than its experiment has now."""
    code = description(each.folder).get("code")
    return code is not None and code != find(each.address).code.hash


def places(tasks: int, workers: int | None, per_gpu: int = 1) -> tuple[int, list[str]]:
    """How many runs at once, and the devices they take in turn."""
    gpus = visible_gpus()
    if gpus:
        return min(workers or gpus * per_gpu, max(tasks, 1)), [f"cuda:{i}" for i in range(gpus)]
    return min(workers or cores(), max(tasks, 1)), ["cpu"]


def visible_gpus() -> int:
    """The number of GPUs that torch may use; imports torch only where the machine has one."""
    if not any(Path("/dev").glob("nvidia[0-9]*")):
        return 0
    import torch

    return torch.cuda.device_count()


@contextmanager
def calling(handler: Callable[[int, object], None]) -> Iterator[None]:
    """Call `handler` on Ctrl-C, SIGTERM and SIGHUP."""
    numbers = [n for n in asking() if n != signal.SIGUSR2]
    before = {n: signal.signal(n, handler) for n in numbers}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
