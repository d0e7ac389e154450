"""Which of torch's operators a call reaches."""

from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode


class Recorder(TorchDispatchMode):
    """A mode, entered by `with`, that notes the names of the operators that are called."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    def __torch_dispatch__(self, function: Any, kinds: Any, given: Any = (), named: Any = None) -> Any:
        self.calls.append(str(function))
        return function(*given, **(named or {}))
