"""Write the catalogues anew.

`python -m tests.languages` does so for all, `python -m tests.languages fr` for one, new or not.
"""

from __future__ import annotations

import sys

from tests.languages.extraction import FOLDER, update


def main(names: list[str]) -> None:
    """Update the catalogues of these languages, or of all that there are."""
    for language in names or sorted(file.stem for file in FOLDER.glob("*.po")):
        catalog = update(language)
        left = [m for m in catalog if m.id and (m.fuzzy or not m.string or not all(m.string))]
        print(f"{language}: {len(catalog)} messages, {len(left)} to translate")


main(sys.argv[1:])
