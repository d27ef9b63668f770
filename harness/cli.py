"""The command `atlas-chaos`: parse, run, and end with an exit code that can be trusted.

0 passed, 1 failed, 2 inconclusive, 3 harness error (every uncaught exception too), 4 usage or file
error, 130 interrupted. The command-line library ends with 2 on a usage error and Python with 1 on
an exception, so both are mapped here.
"""

import sys

from harness.command_line.app import app
from harness.command_line.exit_codes import Done, ExitCode
from harness.command_line.last_words import last_words


def main() -> None:
    """Run the command line and end the process with one of our exit codes."""
    raise SystemExit(int(_run(sys.argv[1:])))


def _run(arguments: list[str]) -> int:
    try:
        app(arguments, prog_name="atlas-chaos")
    except Done as done:
        return done.code
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; everything that was started has been stopped\n")
        return ExitCode.INTERRUPTED
    except SystemExit as end:
        return _mapped(end.code)
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is ours and never a verdict
        sys.stderr.write(last_words(error))
        return ExitCode.HARNESS_ERROR
    return ExitCode.PASSED


def _mapped(code: object) -> int:
    match code:
        case 0 | None:
            return ExitCode.PASSED
        case 2:
            return ExitCode.USAGE
        case 1 | 130:
            return ExitCode.INTERRUPTED
        case _:
            return ExitCode.HARNESS_ERROR


if __name__ == "__main__":
    main()
