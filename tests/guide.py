"""The README and the pages of the guide, as the tests that hold them against the code read them.

`python -m tests.guide` writes those pages anew that are made from the code.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
FOLDER: Final = ROOT / "demo_app" / "guide"
README: Final = (ROOT / "README.md").read_text("utf-8")
CONTENTS: Final = (FOLDER / "README.md").read_text("utf-8")
"""The list of the pages, in order."""
PAGES: Final = {
    file.stem: file.read_text("utf-8")
    for file in sorted(FOLDER.glob("*.md"))
    if file.stem != "README"
}
"""The pages' text by their names, `options` for `options.md`."""
TEXT: Final = "\n\n".join([README, CONTENTS, *PAGES.values()])
"""All of it, the README first."""


def blocks(language: str, containing: str = "", text: str = TEXT) -> list[str]:
    """Return the code blocks of a language that contain something, in order."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [block for block in found if containing in block]


def table(marker: str) -> list[list[str]]:
    """Return the rows of the table behind a marker, without its two head lines."""
    text = TEXT.split(f"<!-- {marker} -->\n", 1)[1].split("\n\n", 1)[0]
    rows = [re.split(r"(?<!\\)\|", line.strip("|")) for line in text.splitlines()[2:]]
    return [[cell.strip() for cell in row] for row in rows]


def section(page: str, heading: str) -> str:
    """Return what stands on a page below a heading of the second level, up to the next one."""
    text = PAGES[page].split(f"\n## {heading}\n", 1)[1]
    return re.split(r"^## ", text, maxsplit=1, flags=re.MULTILINE)[0]


if __name__ == "__main__":
    from tests.languages.guide_table import write_table
    from tests.reference.pages import write

    write()
    write_table(FOLDER / "languages.md")
