"""The documents, their links and their commands."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "sdk/python/README.md"],
)


def links(page: Path) -> list[str]:
    """The addresses of its links, without those in code."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)\)", text)


def anchors(page: Path) -> set[str]:
    """Of its headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), flags=re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-").strip() for heading in headings
    }


def commands(page: Path) -> list[str]:
    """Its blocks of shell commands, whole."""
    return re.findall(r"```sh\n(.*?)```", page.read_text(), flags=re.DOTALL)
