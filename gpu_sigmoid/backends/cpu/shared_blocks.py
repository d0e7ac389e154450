"""Several threads compute blocks of one job, without Python and its lock; Numba compiles this.

The caller runs `compute`, the other threads `help_out`. They communicate by the `board`, whose words are
read and written atomically and in one order that all threads see. Two pairs of steps rely on that order:

- A helper counts itself as busy, then checks that the job is still open. The caller closes the job, then
  waits until no helper is busy. So no helper works on a job that the caller has left.
- A helper marks itself as asleep, then checks once more for an open job. The caller opens a job, then wakes
  those marked as asleep. So no helper sleeps on a job that it should have seen.
"""

from gpu_sigmoid.backends.cpu.memory import call, exchange, fetch, fetch_add, pause, set_word, word
from gpu_sigmoid.backends.cpu.native import jitted

LINE = 64
CLAIMED, OPEN, BUSY, NEXT, LOOPS, LOCKS = range(0, 6 * LINE, LINE)
"""Byte offsets in the board, each in a cache line of its own, since threads write them at the same time."""
JOB, LENGTH, STEP = LOOPS + 8, LOOPS + 16, LOOPS + 24
ACQUIRE, RELEASE, TURNS, YIELD = range(LOCKS, LOCKS + 32, 8)
"""The addresses of the C functions that acquire and release a lock, how many turns a thread spins, and the
address of the C function that lets other threads have the CPU."""
SLOTS = 6 * LINE
SLEEPS, BELL = 0, 8
"""Byte offsets in a thread's slot: whether it sleeps, and the lock that it acquires to sleep."""


@jitted
def draw(board: int) -> None:
    """Compute blocks of the open job until none is left; each thread takes the next one."""
    loops, job = word(board, LOOPS), word(board, JOB)
    length, step = word(board, LENGTH), word(board, STEP)
    while True:
        start = fetch_add(board, NEXT, step)
        if start >= length:
            break
        call(loops, (job, start, min(start + step, length)))


def spin(board: int, turns: int) -> None:
    """Spin for so many turns, as `help_out` does; their time is measured."""
    for _ in range(turns):
        if fetch(board, OPEN) == 1:
            break
        pause()


def compute(board: int, threads: int, loops: int, job: int, length: int, step: int) -> None:
    """Compute a job with the help of all threads that are awake, or alone if they help another caller.

    Of the sleeping threads, the first `threads` are woken.
    """
    if fetch_add(board, CLAIMED, 1) == 0:
        set_word(board, LOOPS, loops)
        set_word(board, JOB, job)
        set_word(board, LENGTH, length)
        set_word(board, STEP, step)
        exchange(board, NEXT, 0)
        exchange(board, OPEN, 1)
        for k in range(threads):
            slot = board + SLOTS + k * LINE
            if exchange(slot, SLEEPS, 0) == 1:
                call(word(board, RELEASE), (word(slot, BELL),))
        draw(board)
        exchange(board, OPEN, 0)
        turn = 0
        while fetch(board, BUSY) != 0:
            if turn < word(board, TURNS):
                pause()
                turn += 1
            else:
                # the busy thread may be waiting for this CPU
                call(word(board, YIELD), ())
    else:
        call(loops, (job, 0, length))
    fetch_add(board, CLAIMED, -1)


def help_out(board: int, slot: int) -> None:
    """Compute blocks of all jobs, for ever."""
    turn = 0
    while True:
        if fetch(board, OPEN) == 1 and fetch(board, NEXT) < word(board, LENGTH):
            fetch_add(board, BUSY, 1)
            if fetch(board, OPEN) == 1:
                draw(board)
            fetch_add(board, BUSY, -1)
            turn = 0
        elif turn < word(board, TURNS):
            pause()
            turn += 1
        else:
            exchange(slot, SLEEPS, 1)
            # if a caller has opened a job meanwhile and reset the word, it releases the bell
            if fetch(board, OPEN) == 0 or exchange(slot, SLEEPS, 0) == 0:
                call(word(board, ACQUIRE), (word(slot, BELL), 1))
            turn = 0
