"""The documents, their links and their commands."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("examples/*/README.md"),
        ROOT / "sdk/python/README.md",
    ],
)

_BLOCK = re.compile(r"```sh\n(?P<commands>.*?)```(?:\n\n```text\n(?P<shown>.*?)```)?", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """Shell commands, and what they print where a block of text follows at once.

    In that, `…` stands for anything in a line, and a line of its own for any lines.
    """

    commands: str
    shown: str | None

    def shows(self, printed: str) -> bool:
        if self.shown is None:
            return True
        lines = (_any_of(line) for line in self.shown.splitlines())
        return re.fullmatch("".join(lines), f"{printed.strip()}\n") is not None


def _any_of(line: str) -> str:
    return r"(?:.*\n)*" if line == "…" else re.escape(line).replace("…", ".*") + r"\n"


def links(page: Path) -> list[str]:
    """The addresses of its links, without those in code."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)\)", text)


def anchors(page: Path) -> set[str]:
    """Of its headings, as GitHub makes them."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-").strip() for heading in headings
    }


def blocks(page: Path) -> list[Block]:
    """Its blocks of shell commands, whole."""
    found = _BLOCK.finditer(page.read_text())
    return [Block(one["commands"], one["shown"]) for one in found]
