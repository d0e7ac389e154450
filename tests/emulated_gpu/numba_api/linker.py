"""numba-cuda links PTX to a cubin, for a real GPU: here it loads the PTX."""

from typing import Any


def install() -> None:
    from cuda.core import ObjectCode
    from numba.cuda import codegen

    def get_cubin(self: Any, cc: Any = None) -> Any:
        capability = self._ensure_cc(cc)
        found = self._cubin_cache.get(capability)
        if found is None:
            if self._linking_files:
                raise NotImplementedError(f"the emulated GPU cannot link {self._linking_files}")
            found = self._cubin_cache[capability] = ObjectCode.from_ptx(
                self.get_asm_str(cc=capability).encode()
            )
            self._linkerinfo_cache[capability] = ""
        return found

    codegen.CUDACodeLibrary.get_cubin = get_cubin
