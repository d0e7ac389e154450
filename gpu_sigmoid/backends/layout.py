"""Index arithmetic for nested loops over operands of different shapes and strides."""

from dataclasses import dataclass

from gpu_sigmoid.backends.placed import Placed


@dataclass(frozen=True)
class Layout:
    """Nested loops, outermost first."""

    extents: tuple[int, ...]
    columns: tuple[tuple[int, ...], ...]
    """For each loop, the operands' strides in bytes."""

    @property
    def steps(self) -> tuple[int, ...]:
        """The strides of the first operand in all loops, then of the second, and so on."""
        return tuple(step for steps in zip(*self.columns, strict=True) for step in steps)


def layout_of(shape: tuple[int, ...], places: list[Placed]) -> Layout:
    """Return the fewest loops that go over operands broadcast to `shape`, in the order of the last."""
    strides = [stretched(p, shape) for p in places]
    # the results are the last of them
    order = sorted(range(len(shape)), key=lambda axis: -abs(strides[-1][axis]))
    extents: list[int] = []
    columns: list[tuple[int, ...]] = []
    for axis in order:
        column = tuple(s[axis] for s in strides)
        if shape[axis] == 1:
            continue
        if columns and columns[-1] == tuple(step * shape[axis] for step in column):
            extents[-1] *= shape[axis]
            columns[-1] = column
        else:
            extents.append(shape[axis])
            columns.append(column)
    return Layout(tuple(extents), tuple(columns))


def stretched(place: Placed, shape: tuple[int, ...]) -> list[int]:
    """Return the strides of an array broadcast to a shape."""
    missing = len(shape) - len(place.shape)
    own = [0 if n == 1 else s for n, s in zip(place.shape, place.strides, strict=True)]
    return [0] * missing + own
