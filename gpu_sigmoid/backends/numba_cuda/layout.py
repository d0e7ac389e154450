"""How a kernel goes over operands of several shapes and strides: plain index arithmetic."""

from dataclasses import dataclass

from gpu_sigmoid.backends.placed import Placed


@dataclass(frozen=True)
class Layout:
    """Nested loops, outermost first; none where all operands are contiguous alike."""

    extents: tuple[int, ...]
    steps: tuple[int, ...]
    """The byte strides of the first operand in all dimensions, of the second, ..."""

    @property
    def dimensions(self) -> int:
        return len(self.extents)


def layout_of(shape: tuple[int, ...], places: list[Placed]) -> Layout:
    """Return the fewest loops that go over operands broadcast to `shape`, in the order of the last."""
    strides = [stretched(p, shape) for p in places]
    # the results are the last of them
    order = sorted(range(len(shape)), key=lambda axis: -abs(strides[-1][axis]))
    extents: list[int] = []
    columns: list[list[int]] = []
    for axis in order:
        column = [s[axis] for s in strides]
        if shape[axis] == 1:
            continue
        if columns and columns[-1] == [step * shape[axis] for step in column]:
            extents[-1] *= shape[axis]
            columns[-1] = column
        else:
            extents.append(shape[axis])
            columns.append(column)
    if not columns or columns == [[p.dtype.itemsize for p in places]]:
        return Layout((), ())
    return Layout(tuple(extents), tuple(step for steps in zip(*columns, strict=True) for step in steps))


def stretched(place: Placed, shape: tuple[int, ...]) -> list[int]:
    """Return the strides of an array broadcast to a shape."""
    missing = len(shape) - len(place.shape)
    own = [0 if n == 1 else s for n, s in zip(place.shape, place.strides, strict=True)]
    return [0] * missing + own
