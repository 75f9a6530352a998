"""The program `lkps`: runs the command line, and turns an error into its exit code."""

import logging
import sys
from collections.abc import Sequence

from lkps.errors import LkpsError


def main(arguments: Sequence[str] | None = None) -> None:
    """Always ends with `SystemExit`."""
    try:
        from lkps.cli.app import app
    except ModuleNotFoundError as error:
        sys.exit(f'lkps: {error.name} is missing: pip install "lkps-sdk[cli]"')
    from lkps.cli.failures import report

    logging.getLogger().addHandler(logging.NullHandler())  # stderr is for what people can act on
    try:
        app(args=arguments, prog_name="lkps")
    except LkpsError as error:
        sys.exit(report(error))


if __name__ == "__main__":
    main()
