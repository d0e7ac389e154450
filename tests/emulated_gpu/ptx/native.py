"""LLVM IR to machine code of the host, and machine code to functions."""

import threading
from functools import cache
from typing import Any

import llvmlite.binding as llvm

from emulated_gpu.ptx.types import PtxError

_lock = threading.Lock()


@cache
def host() -> tuple[Any, str, str]:
    """Return LLVM's target, the host's CPU and its features."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return (
        llvm.Target.from_default_triple(),
        llvm.get_host_cpu_name(),
        llvm.get_host_cpu_features().flatten(),
    )


def target_machine() -> Any:
    target, cpu, features = host()
    return target.create_target_machine(cpu=cpu, features=features, opt=0, jit=True)


def object_code(ir: str) -> bytes:
    """Return a module's machine code."""
    with _lock:
        machine = target_machine()
        try:
            module = llvm.parse_assembly(ir)
            module.verify()
        except RuntimeError as error:
            raise PtxError(f"the LLVM IR made of this PTX is invalid: {error}") from None
        # Compiling takes longer than running: the passes that shorten the code most, and quick selection
        # of instructions.
        passes = llvm.create_new_module_pass_manager()
        passes.add_sroa_pass()
        passes.add_instruction_combine_pass()
        passes.add_simplify_cfg_pass()
        passes.run(module, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options()))
        return machine.emit_object(module)


def addresses(code: bytes, names: list[str]) -> dict[str, int]:
    """Return where functions of machine code lie, which stays loaded."""
    with _lock:
        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target_machine())
        engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        engine.finalize_object()
        found = {name: engine.get_function_address(name) for name in names}
        engine.detach()
        return found
