"""The structs that XLA passes to a handler, checked against the header of the installed jaxlib.

They are those of xla/ffi/api/c_api.h with 64-bit pointers: byte offsets of the fields that the handlers
read or write.
"""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

HEADER = "include/xla/ffi/api/c_api.h"

EXTENSION, API, CONTEXT = 8, 16, 24
INPUTS, OUTPUTS, ATTRIBUTES, FUTURE = 40, 80, 120, 168
SIZE, ITEMS, ATTRIBUTE_ITEMS = 16, 32, 40
EXTENSION_TYPE, NEXT_EXTENSION, METADATA = 8, 16, 24
MAJOR, MINOR, TRAITS = 24, 28, 32
DATA, RANK, DIMS = 24, 32, 40
VALUE = 8

CREATE_ERROR, DESTROY_ERROR, GET_STREAM = 48, 64, 80
SCHEDULE, COUNT_THREADS, CREATE_FUTURE, SET_FUTURE, GET_DEVICE = 136, 144, 152, 160, 184
"""The functions of XLA_FFI_Api that the handlers call."""

FIELDS = {
    "XLA_FFI_CallFrame": {
        "extension_start": EXTENSION,
        "api": API,
        "ctx": CONTEXT,
        "args": INPUTS,
        "rets": OUTPUTS,
        "attrs": ATTRIBUTES,
        "future": FUTURE,
    },
    "XLA_FFI_Args": {"size": SIZE, "args": ITEMS},
    "XLA_FFI_Rets": {"size": SIZE, "rets": ITEMS},
    "XLA_FFI_Attrs": {"size": SIZE, "attrs": ATTRIBUTE_ITEMS},
    "XLA_FFI_Buffer": {"data": DATA, "rank": RANK, "dims": DIMS},
    "XLA_FFI_Scalar": {"value": VALUE},
    "XLA_FFI_Metadata_Extension": {"metadata": METADATA},
    "XLA_FFI_Metadata": {"api_version": 8, "traits": TRAITS},
    "XLA_FFI_Api_Version": {"major_version": MAJOR - 8, "minor_version": MINOR - 8},
    "XLA_FFI_Error_Create_Args": {"message": 16, "errc": 24},
    "XLA_FFI_Error_Destroy_Args": {"error": 16},
    "XLA_FFI_Stream_Get_Args": {"ctx": 16, "stream": 24},
    "XLA_FFI_ThreadPool_Schedule_Args": {"ctx": 16, "task": 24, "data": 32},
    "XLA_FFI_ThreadPool_NumThreads_Args": {"ctx": 16, "num_threads": 24},
    "XLA_FFI_Future_Create_Args": {"future": 16},
    "XLA_FFI_Future_SetAvailable_Args": {"future": 16},
    "XLA_FFI_DeviceOrdinal_Get_Args": {"ctx": 16, "device_ordinal": 24},
    "XLA_FFI_Api": {
        "XLA_FFI_Error_Create": CREATE_ERROR,
        "XLA_FFI_Error_Destroy": DESTROY_ERROR,
        "XLA_FFI_Stream_Get": GET_STREAM,
        "XLA_FFI_ThreadPool_Schedule": SCHEDULE,
        "XLA_FFI_ThreadPool_NumThreads": COUNT_THREADS,
        "XLA_FFI_Future_Create": CREATE_FUTURE,
        "XLA_FFI_Future_SetAvailable": SET_FUTURE,
        "XLA_FFI_DeviceOrdinal_Get": GET_DEVICE,
    },
}

# the same under two names: in API versions up to 0.3, and from 0.4 on
EXTENSION_STRUCTS = ("XLA_FFI_Extension_Base", "XLA_FFI_InternalExtension")
EXTENSION_FIELDS = {"type": EXTENSION_TYPE, "next": NEXT_EXTENSION}

SIZES = {
    "XLA_FFI_Error_Create_Args": 32,
    "XLA_FFI_Error_Destroy_Args": 24,
    "XLA_FFI_Stream_Get_Args": 32,
    "XLA_FFI_ThreadPool_Schedule_Args": 40,
    "XLA_FFI_ThreadPool_NumThreads_Args": 32,
    "XLA_FFI_Future_Create_Args": 24,
    "XLA_FFI_Future_SetAvailable_Args": 24,
    "XLA_FFI_DeviceOrdinal_Get_Args": 32,
}
"""The structs of arguments of the API's functions."""


class Layout(NamedTuple):
    """The contents of a header: its version, and the field offsets and size of each struct."""

    version: tuple[int, int]
    fields: dict[str, dict[str, int]]
    sizes: dict[str, int]


def read_header() -> str:
    """Return the text of the installed jaxlib's header, without importing jaxlib."""
    found = find_spec("jaxlib")
    places = found.submodule_search_locations if found else None
    if not places:
        raise ValueError("jaxlib is not installed")
    path = Path(next(iter(places))) / HEADER
    if not path.is_file():
        raise ValueError(f"jaxlib has no {HEADER}")
    return path.read_text(encoding="utf-8")


def parsed(header: str) -> Layout:
    """Return the C layout of a header's structs with 64-bit pointers."""
    text = re.sub(r"//.*", "", header)
    version = tuple(int(n) for n in re.findall(r"#define XLA_FFI_API_(?:MAJOR|MINOR) (\d+)", text))
    if len(version) != 2:
        raise ValueError("its version is not found")
    widths = {"int64_t": 8, "size_t": 8, "int": 4, "int32_t": 4, "uint32_t": 4}
    widths |= {name: 4 for name in re.findall(r"typedef enum \{[^}]*\} (\w+);", text)}
    widths |= {name: widths[kind] for kind, name in re.findall(r"typedef (\w*int\w*) (\w+);", text)}
    bodies = dict(re.findall(r"struct (\w+) \{([^{}]*)\}", text))
    fields: dict[str, dict[str, int]] = {}
    sizes: dict[str, int] = {}
    for struct in bodies:
        lay_out(struct, bodies, widths, fields, sizes)
    return Layout((version[0], version[1]), fields, sizes)


def lay_out(struct: str, bodies: dict, widths: dict, fields: dict, sizes: dict) -> int:
    """Note the offsets of a struct's fields, and return its size; structs begin at multiples of 8 bytes."""
    if struct in sizes:
        return sizes[struct]
    offsets: dict[str, int] = {}
    end = 0
    for statement in filter(str.strip, bodies[struct].split(";")):
        macro = re.search(r"_API_STRUCT_FIELD\((\w+)\)|\(\*(\w+)\)", statement)
        declared = re.search(r"(\w+)\s*(\**)\s*(\w+)\s*$", statement)
        if macro:
            kind, stars, name = "", "*", macro[1] or macro[2]
        elif declared:
            kind, stars, name = declared.groups()
        else:
            raise ValueError(f"{struct} has a field that is not understood: {' '.join(statement.split())}")
        if not stars and kind not in bodies and kind not in widths:
            raise ValueError(f"{struct}.{name} has a type that is not known: {kind}")
        nested = kind in bodies and not stars
        size = lay_out(kind, bodies, widths, fields, sizes) if nested else 8 if stars else widths[kind]
        alignment = 8 if nested else min(size, 8)
        offsets[name] = -(-end // alignment) * alignment
        end = offsets[name] + size
    fields[struct], sizes[struct] = offsets, -(-end // 8) * 8
    return sizes[struct]


def version_of(header: str) -> tuple[int, int]:
    """Return the version of the API that a header describes.

    Raises
    ------
    ValueError
        If its structs differ from those that the handlers read, or are of an unknown newer version.
    """
    layout = parsed(header)
    if layout.version[0] != 0:
        raise ValueError(f"version {layout.version[0]}.{layout.version[1]} is not known, only 0.x")
    extension = next((name for name in EXTENSION_STRUCTS if name in layout.fields), EXTENSION_STRUCTS[0])
    for struct, wanted in {**FIELDS, extension: EXTENSION_FIELDS}.items():
        found = layout.fields.get(struct, {})
        for name, offset in wanted.items():
            if found.get(name) != offset:
                raise ValueError(f"{struct}.{name} is at {found.get(name)}, not at {offset}")
    for struct, size in SIZES.items():
        if layout.sizes.get(struct) != size:
            raise ValueError(f"{struct} has {layout.sizes.get(struct)} bytes, not {size}")
    return layout.version
