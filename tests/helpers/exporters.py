"""Stand-ins for other libraries' arrays in a GPU's memory, with their protocols alone."""

from typing import Any


class Exporter:
    """An array that offers `__cuda_array_interface__` alone, with some entries changed."""

    def __init__(
        self, array: Any, stream: int | None = None, read_only: bool = False, **changes: Any
    ) -> None:
        self.array = array
        interface = {**array.__cuda_array_interface__, "data": (array.data.ptr, read_only), "stream": stream}
        self.interface = {**interface, **changes}

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return self.interface


class Typed(Exporter):
    dtype = "library.bfloat16"


class Packed:
    """An array that offers DLPack alone."""

    def __init__(self, array: Any, kind: int = 2) -> None:
        self.array, self.kind = array, kind

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.kind, getattr(self.array.device, "id", 0)
