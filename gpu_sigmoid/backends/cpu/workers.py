"""Threads that wait for work to share.

The standard library's pool takes five times as long to hand a task over and to wait for
it: more than a kernel takes for an array of a million elements.
"""

import os
import threading
from collections.abc import Callable
from queue import SimpleQueue

from gpu_sigmoid.backends.cpu.placement import Helper, current_cpu

Work = Callable[[], None]
Outcome = BaseException | None
Task = tuple[list[Work], "SimpleQueue[Outcome]"]

_tasks: "SimpleQueue[Task]" = SimpleQueue()
_workers: list[Helper] = []
_starting = threading.Lock()


def share(work: Work, stop: Callable[[], None], helpers: int) -> None:
    """Call `work` here and on up to `helpers` other threads; return when all have returned.

    Threads that have not woken by the time it is done here are not waited for. If it
    raises anywhere, an interrupt included, `stop` is called, which is to make the other
    calls return soon, and the exception is raised here.
    """
    outcomes: SimpleQueue[Outcome] = SimpleQueue()
    ensure_workers(helpers)
    cpu = current_cpu()
    for worker in _workers[:helpers]:
        worker.keep_off(cpu)
    offers = [[work] for _ in range(helpers)]
    for offer in offers:
        _tasks.put((offer, outcomes))
    try:
        work()
    except BaseException:
        stop()
        raise
    finally:
        taken = [offer for offer in offers if claimed(offer) is None]
        failures = [outcomes.get() for _ in taken]
    for failure in failures:
        if failure is not None:
            raise failure


def claimed(offer: list[Work]) -> Work | None:
    """Take what is offered; None if another thread has."""
    try:
        return offer.pop()
    except IndexError:
        return None


def ensure_workers(number: int) -> None:
    if len(_workers) < number:
        with _starting:
            while len(_workers) < number:
                name = f"gpu_sigmoid-{len(_workers)}"
                worker = Helper(target=serve, args=(_tasks,), name=name, daemon=True)
                worker.start()
                _workers.append(worker)


def serve(tasks: "SimpleQueue[Task]") -> None:
    while True:
        offer, outcomes = tasks.get()
        work = claimed(offer)
        if work is None:
            continue
        outcome: Outcome = None
        try:
            work()
        except BaseException as error:
            outcome = error
        outcomes.put(outcome)
        # hold on to no array while waiting
        del work, outcomes, outcome


def _forget_workers() -> None:
    """A forked child has none of its parent's threads."""
    global _tasks, _workers, _starting
    _tasks, _workers, _starting = SimpleQueue(), [], threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_workers)
