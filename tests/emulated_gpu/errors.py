"""CUDA's status codes, of the runtime and the driver alike, and the exception that carries one."""

from enum import IntEnum


class Status(IntEnum):
    """Named as the driver names them, without CUDA_ERROR_."""

    SUCCESS = 0
    INVALID_VALUE = 1
    OUT_OF_MEMORY = 2
    INVALID_DEVICE = 101
    PEER_ACCESS_UNSUPPORTED = 217
    INVALID_PTX = 218
    INVALID_HANDLE = 400
    NOT_FOUND = 500
    NOT_READY = 600
    ILLEGAL_ADDRESS = 700
    MISALIGNED_ADDRESS = 716
    LAUNCH_FAILED = 719
    NOT_SUPPORTED = 801
    STREAM_CAPTURE_UNSUPPORTED = 900
    STREAM_CAPTURE_INVALIDATED = 901
    STREAM_CAPTURE_MERGE = 902
    STREAM_CAPTURE_UNMATCHED = 903
    STREAM_CAPTURE_UNJOINED = 904
    STREAM_CAPTURE_ISOLATION = 905
    STREAM_CAPTURE_IMPLICIT = 906
    CAPTURED_EVENT = 907
    STREAM_CAPTURE_WRONG_THREAD = 908
    UNKNOWN = 999


class CudaError(Exception):
    """What CUDA refuses or fails at, with the reason that CUDA does not give."""

    def __init__(self, status: Status, reason: str = "") -> None:
        super().__init__(f"CUDA_ERROR_{status.name}: {reason}" if reason else f"CUDA_ERROR_{status.name}")
        self.status = status
