"""Failures: an error's exit code, and what stderr says about it: what, which, and what to do."""

from collections.abc import Iterator

from rich.text import Text

from lkps.cli.advice import advice
from lkps.cli.answers import AlreadyThere
from lkps.cli.exits import Exit
from lkps.cli.printing import details, tell, text
from lkps.errors import ConfigurationError, CredentialError, LkpsError, Refused, Unavailable


def report(error: LkpsError) -> Exit:
    what = error.detail if isinstance(error, Refused) else str(error)
    tell(Text.assemble(("error: ", "bold red"), text(what)))
    rows = list(_rows(error))
    if rows:
        tell(details(rows))
    return exit_of(error)


def exit_of(error: LkpsError) -> Exit:
    match error:
        case Refused(status=401) | CredentialError():
            return Exit.NOT_SIGNED_IN
        case AlreadyThere():
            return Exit.REFUSED
        case Refused(status=412) | Refused(code="edited_meanwhile"):
            return Exit.EDITED_MEANWHILE
        case Unavailable():
            return Exit.UNREACHABLE
        case ConfigurationError():
            return Exit.USAGE
        case _:
            return Exit.REFUSED


def _rows(error: LkpsError) -> Iterator[tuple[str, object]]:
    if isinstance(error, Refused):
        yield "code", f"{error.code} ({error.status})"
        yield "request", error.request_id
        for one in error.errors:
            where = " ".join(one[key] for key in ("line", "pointer") if one.get(key))
            yield "member", f"{where}: {one.get('detail', one.get('code', ''))}"
    for step in advice(error):
        yield "next", step
