"""`python -m emulated_gpu COMMAND...`: the command finds the emulated GPU, as do processes it starts."""

import os
import sys


def main(command: list[str]) -> int:
    if not command:
        print("Usage: python -m emulated_gpu COMMAND [ARGUMENT]...", file=sys.stderr)
        return 2
    os.environ["GPU_SIGMOID_EMULATE"] = "1"
    from emulated_gpu import turned_on

    if turned_on.REASON:
        print(f"Error: there is no emulated GPU: {turned_on.REASON}", file=sys.stderr)
        return 1
    try:
        os.execvp(command[0], command)
    except OSError as error:
        print(f"Error: {command[0]}: {error.strerror}", file=sys.stderr)
        return 127


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
