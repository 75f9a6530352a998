"""The command line: `python -m dev.functions_host APP_DIR --port N`."""

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from dev.functions_host.configuration import ConfigurationError, apply_local_settings


def main() -> int:
    arguments = _parse_arguments()
    _log_to_stderr(verbose=arguments.verbose)
    # the HTTP server and the worker library are imported once the settings are in place
    try:
        if arguments.settings is not None:
            apply_local_settings(arguments.settings)
        return _serve(arguments)
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _serve(arguments: argparse.Namespace) -> int:
    from dev.functions_host.server import serve
    from dev.functions_host.worker import WorkerError

    try:
        asyncio.run(
            serve(
                arguments.app_dir.resolve(),
                arguments.host,
                arguments.port,
                with_timers=arguments.timers,
            )
        )
    except (WorkerError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m dev.functions_host",
        description="Runs a function app on the real Python worker library, without the host.",
    )
    parser.add_argument("app_dir", type=Path, help="folder with function_app.py and host.json")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=7071, help="0: a free one, which is logged")
    parser.add_argument("--timers", action="store_true", help="run timers on their schedules")
    parser.add_argument("--settings", type=Path, help="a file like local.settings.json")
    parser.add_argument("--verbose", action="store_true", help="log every invocation")
    return parser.parse_args()


def _log_to_stderr(*, verbose: bool) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    if verbose:
        logging.getLogger("functions_host").setLevel(logging.DEBUG)
    else:
        # the worker library writes a line for every invocation at INFO
        logging.getLogger("azure.functions").setLevel(logging.WARNING)


if __name__ == "__main__":
    sys.exit(main())
