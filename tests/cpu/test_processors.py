"""The number of threads: by a container's quota, which control groups tell in files, and by a variable."""

from pathlib import Path

import pytest
from helpers.processes import printed

import gpu_sigmoid as gs
from gpu_sigmoid import environment, processors

GROUPS = {
    "no control groups": ({}, None),
    "version 2, its own group at the top": (
        {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"},
        1.5,
    ),
    "version 2, no limit": ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, None),
    "version 2, a group around it has less": (
        {
            "proc/self/cgroup": "0::/pod/container\n",
            "sys/fs/cgroup/pod/cpu.max": "50000 100000\n",
            "sys/fs/cgroup/pod/container/cpu.max": "400000 100000\n",
        },
        0.5,
    ),
    "version 2, a name from outside": (
        {"proc/self/cgroup": "0::/../../system/unit\n", "sys/fs/cgroup/cpu.max": "300000 100000\n"},
        3,
    ),
    "version 1": (
        {
            "proc/self/cgroup": "5:memory:/x\n4:cpu,cpuacct:/docker/abc\n0::/\n",
            "sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us": "250000\n",
            "sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us": "100000\n",
        },
        2.5,
    ),
    "version 1, its own group at the top": (
        {
            "proc/self/cgroup": "4:cpu:/docker/abc\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "100000\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        },
        1,
    ),
    "version 1, no limit": (
        {
            "proc/self/cgroup": "4:cpu:/\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        },
        None,
    ),
    "what no kernel writes": ({"proc/self/cgroup": "\n:\n0::/\n", "sys/fs/cgroup/cpu.max": "1 0\n"}, None),
}


@pytest.mark.parametrize("name", GROUPS)
def test_quota(name: str, tmp_path: Path) -> None:
    files, quota = GROUPS[name]
    for path, content in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)
    assert processors.cpu_quota(tmp_path) == quota


@pytest.mark.parametrize(("quota", "threads"), [(None, 8), (0.5, 1), (2.5, 3), (100.0, 8)])
def test_threads_are_as_many_as_the_quota_has_work_for(
    quota: float | None, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processors.os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    monkeypatch.setattr(processors, "own_quota", lambda: quota)
    monkeypatch.setattr(environment, "_threads", None)
    monkeypatch.delenv("GPU_SIGMOID_NUM_THREADS", raising=False)
    assert gs.get_num_threads() == threads


NUMBER = "import gpu_sigmoid as gs; gs.sigmoid([0.5]); print(gs.get_num_threads())"


def test_the_environment_variable_sets_the_number_unless_it_is_empty() -> None:
    unset = printed("-c", NUMBER, GPU_SIGMOID_NUM_THREADS=None)
    assert printed("-c", NUMBER, GPU_SIGMOID_NUM_THREADS="") == unset
    assert printed("-c", NUMBER, GPU_SIGMOID_NUM_THREADS="03") == "3\n"


JUNK = ("abc", "0", "-1", "1.5", " 2", "2 ", "+2", "1_0", "\uff12", "\u00b2", "\u0663", "9" * 5000)
CALLS = (
    "gs.sigmoid(0.5)",
    "gs.sigmoid.grad(np.ones(1, np.float16))",
    "gs.device.sigmoid(np.ones((), np.float32))",
    "gs.get_num_threads()",
    "gs.show_config()",
)


def test_every_call_refuses_a_variable_that_is_no_number() -> None:
    # all in ASCII: a terminal, and a command's arguments, may take nothing else
    code = (
        "import os, numpy as np, gpu_sigmoid as gs\n"
        f"for os.environ['GPU_SIGMOID_NUM_THREADS'] in {JUNK!a}:\n"
        f"    for call in {2 * CALLS}:\n"
        "        try: eval(call)\n"
        "        except ValueError as error: print(ascii(str(error)))\n"
    )
    message = "GPU_SIGMOID_NUM_THREADS must be a positive integer, not {!r}"
    lines = printed("-X", "utf8", "-c", code).splitlines()
    assert lines == [ascii(message.format(value)) for value in JUNK for _ in 2 * CALLS]


def test_a_number_that_is_set_replaces_a_bad_variable() -> None:
    code = "import gpu_sigmoid as gs; gs.set_num_threads(1); print(gs.sigmoid(0.0))"
    assert printed("-c", code, GPU_SIGMOID_NUM_THREADS="many") == "0.5\n"
