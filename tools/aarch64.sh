#!/bin/sh
# Run the library on ARM, emulated by QEMU: info, digests beside this machine's, the demo, tests.
#
#     tools/aarch64.sh FOLDER [TESTS ...]
#
# For root on Debian for x86-64, with the packages debootstrap, qemu-user-static and binfmt-support, in an
# environment in which the library is installed. FOLDER becomes a Debian for ARM, which the next run takes
# as it is. Without TESTS these are tests/cpu.
set -eu
folder=$(realpath -m "$1")
shift
test $# -gt 0 || set -- tests/cpu
cd "$(dirname "$0")/.."

inside() {
    # the mounts are gone when the command ends
    unshare --mount sh -euc '
        folder=$1
        shift
        mkdir -p "$folder/src"
        mount --bind . "$folder/src"
        mount --bind /dev "$folder/dev"
        mount -t proc proc "$folder/proc"
        exec chroot "$folder" env -i --chdir=/src PATH=/usr/bin:/bin HOME=/root LANG=C.UTF-8 \
            PYTHONPATH=/src PYTHONDONTWRITEBYTECODE=1 NUMBA_CACHE_DIR=/var/cache/numba "$@"
    ' sh "$folder" "$@"
}

# programs for ARM start by the emulator, also those that a test starts
test -e /proc/sys/fs/binfmt_misc/status || mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
test -e /proc/sys/fs/binfmt_misc/qemu-aarch64 || update-binfmts --enable qemu-aarch64

if ! test -e "$folder/ready"; then
    debootstrap --arch=arm64 --variant=minbase --include=python3,g++ bookworm "$folder"
    # by this machine's pip, which needs no emulation; the C library there is 2.36
    platforms=$(seq -f "--platform=manylinux_2_%.0f_aarch64" 17 36)
    # shellcheck disable=SC2086
    pip install --python-version 3.11 $platforms --only-binary=:all: \
        --target "$folder/usr/local/lib/python3.11/dist-packages" ".[test]"
    touch "$folder/ready"
fi

inside python3 -m gpu_sigmoid info
python tools/digests.py > "$folder/digests-here.txt"
inside python3 tools/digests.py > "$folder/digests-arm.txt"
diff "$folder/digests-here.txt" "$folder/digests-arm.txt"
wc -l "$folder/digests-arm.txt"
inside python3 -m gpu_sigmoid demo -o /tmp/demo.png
inside python3 -m pytest -p no:cacheprovider "$@"
