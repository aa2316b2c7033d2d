"""A recipe of the guide, run as it stands on its page but for the address."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from types import ModuleType

from tests.apps.served.options import FOLDER
from tests.guide import blocks, section


def recipe(page: str, heading: str) -> ModuleType:
    """Run the blocks below a heading, and return them as a module.

    A block that begins with the name of a file is written there instead, in this server's folder,
    which becomes the current one.
    """
    os.environ.setdefault("PWLESS_SECRET_KEY", "a key for tests, and for nothing else at all")
    os.chdir(FOLDER)
    module = sys.modules["guide_recipe"] = ModuleType("guide_recipe")  # some look themselves up
    base_url = os.environ.get("PWLESS_TEST_BASE_URL", "http://localhost:8000")
    for block in blocks("py", text=section(page, heading)):
        code = block.replace("http://localhost:8000", base_url)
        if file := re.match(r"# ([\w/]+\.py)\n", code):
            Path(file[1]).parent.mkdir(exist_ok=True)
            Path(file[1]).write_text(code)
        else:
            exec(compile(code, "main.py", "exec", dont_inherit=True), module.__dict__)
    return module
