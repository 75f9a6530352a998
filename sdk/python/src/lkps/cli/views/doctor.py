"""How findings are shown: a line each, and one more of how to mend what failed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.text import Text

from lkps.cli.printing import text

if TYPE_CHECKING:
    from lkps.doctor import Finding

_STYLES = {"ok": "green", "failed": "bold red", "not checked": "dim"}
_STATE, _STEP = 11, 22


def line(finding: "Finding") -> Iterator[Text]:
    state = Text(f"{finding.state:<{_STATE}}  ", _STYLES[finding.state])
    said = text(f"{finding.step:<{_STEP}}  {finding.said}")
    yield _whole(Text.assemble(state, said))
    if finding.fix:
        yield _whole(Text.assemble(" " * (_STATE + 2), ("-> ", "bold"), text(finding.fix)))


def summary(findings: "list[Finding]") -> Text:
    failed = sum(1 for one in findings if one.fix)
    unchecked = sum(1 for one in findings if one.state == "not checked")
    if not failed:
        return Text(f"\nNothing is wrong; {unchecked} not checked.")
    return Text(f"\n{failed} failed, {unchecked} not checked. Begin with the first that failed.")


def _whole(line: Text) -> Text:
    line.no_wrap = True
    return line
