"""Whether arrays share memory, beside what NumPy finds by trying."""

import random

import numpy as np

from gpu_sigmoid.backends.placed import Overlaps, Placed, apart, common_axes, memory_of


def drawn(random: random.Random) -> tuple[Placed, Placed]:
    """Return two arrays near each other, mostly of equal strides: parts of one array, or of two."""
    itemsize = random.choice([2, 4, 8])
    dtype = np.dtype(f"V{itemsize}")
    shape = [random.choice([1, 2, 3, 5, 8]) for _ in range(random.choice([1, 1, 2, 2, 3]))]
    other = [random.choice([n, n, random.choice([1, 2, 4])]) for n in shape]
    strides, reach = [], itemsize
    for n, m in zip(reversed(shape), reversed(other), strict=True):
        step = reach * random.choice([1, 1, 2, 3]) + random.choice([0, 0, itemsize, 1])
        strides.insert(0, step * random.choice([1, 1, -1]))
        reach = step * max(n, m)
    others = [2 * s for s in strides] if random.random() < 0.1 else strides
    far = random.randrange(-2 * reach, 2 * reach)
    return (
        Placed(1 << 20, tuple(shape), tuple(strides), dtype),
        Placed((1 << 20) + far, tuple(other), tuple(others), dtype),
    )


def test_equal_strides_are_decided_exactly() -> None:
    found = []
    for _ in range(5000):
        a, b = drawn(random.Random(len(found)))
        share = bool(np.shares_memory(memory_of(a), memory_of(b)))
        found.append((share, apart(a, b)))
        assert not (share and apart(a, b)), (a, b)
        alike = a._replace(address=0) == b._replace(address=0)
        overlaps = Overlaps([a, b], 1).among([a.address, b.address])
        assert bool(overlaps) == (not apart(a, b) and not (alike and a.address == b.address)), (a, b)
        if common_axes(a, b) is not None:
            assert share != apart(a, b), (a, b)
    # parts of an array that lie between each other, too
    assert {(True, False), (False, True)} <= set(found)


def test_halves_of_one_array() -> None:
    both = np.zeros((1000, 2000), np.float32)
    left, right = (
        Placed(half.ctypes.data, half.shape, half.strides, half.dtype)
        for half in (both[:, :1000], both[:, 1000:])
    )
    assert apart(left, right) and not apart(left, right._replace(address=right.address - 4))
    assert apart(left, left._replace(address=left.address + 4000)) and not apart(left, left)
