"""Blocks of one job that several threads draw, without Python and its lock; Numba compiles it.

`compute` is the caller's part, `help_out` that of the others. They meet on the `board`, whose words are
atomic. Who counts as busy before it looks whether a job is open is waited for by whoever closes the job
before it looks for busy threads. Who says that it sleeps before it looks is woken by whoever opens a job
before it looks for sleepers.
"""

from gpu_sigmoid.backends.cpu.memory import call, exchange, fetch, fetch_add, pause, set_word, word
from gpu_sigmoid.backends.cpu.native import jitted

LINE = 64
CLAIMED, OPEN, BUSY, NEXT, LOOPS, LOCKS = range(0, 6 * LINE, LINE)
"""Byte offsets in the board, each in a line of the cache of its own: threads write them at the same time."""
JOB, LENGTH, STEP = LOOPS + 8, LOOPS + 16, LOOPS + 24
ACQUIRE, RELEASE, TURNS, YIELD = range(LOCKS, LOCKS + 32, 8)
"""Of C functions that take and give back a lock, the addresses; how often a thread looks in vain; and the
address of the C function that lets other threads have the CPU."""
SLOTS = 6 * LINE
SLEEPS, BELL = 0, 8
"""Byte offsets in a thread's slot: whether it sleeps, and the lock that it waits for then."""


@jitted
def draw(board: int) -> None:
    loops, job = word(board, LOOPS), word(board, JOB)
    length, step = word(board, LENGTH), word(board, STEP)
    while True:
        start = fetch_add(board, NEXT, step)
        if start >= length:
            break
        call(loops, (job, start, min(start + step, length)))


def look(board: int, turns: int) -> None:
    """Look at the board so many times, as a thread does that has nothing to compute."""
    for _ in range(turns):
        if fetch(board, OPEN) == 1:
            break
        pause()


def compute(board: int, threads: int, loops: int, job: int, length: int, step: int) -> None:
    """Compute a job, with the help of all that are awake; alone where another caller has them.

    So many threads are woken if they sleep.
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
                # whoever is waited for may have been moved to this CPU
                call(word(board, YIELD), ())
    else:
        call(loops, (job, 0, length))
    fetch_add(board, CLAIMED, -1)


def help_out(board: int, slot: int) -> None:
    """Draw blocks of all jobs that come, for ever."""
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
            # else whoever has opened a job since has taken the word back, and rings
            if fetch(board, OPEN) == 0 or exchange(slot, SLEEPS, 0) == 0:
                call(word(board, ACQUIRE), (word(slot, BELL), 1))
            turn = 0
