"""A Dockerfile, taken apart and done step by step in a folder: no container, but the same steps.

What is done for real: files are copied, commands run in a shell, the environment is set, the
command starts, and the health check asks it. What is not: users are not made, and the libraries are
those of the running Python, so that nothing is fetched.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

KNOWN = {
    "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "RUN",
    "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
}  # fmt: skip
AS_ROOT = {"useradd": "", "groupadd": "", "adduser": "", "addgroup": "", "chown": ""}
"""What only root can do, and nobody has to see done."""
INSTALL = """#!/bin/sh
for last; do :; done
mkdir -p "$last"
"""
"""`install -d -o app /data`, without the owner."""


@dataclass
class Image:
    """Hold what the steps have made.

    Attributes:
        folder: stands for the root of the image.
        environ: of its processes.
        workdir: where they run, in the folder.
        base: what it is made from.
        user: who runs the command; empty is root.
        command: what is started.
        health: what asks whether it is well.
        ports: those that are named.
    """

    folder: Path
    environ: dict[str, str]
    workdir: Path
    base: str = ""
    user: str = ""
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    ports: list[str] = field(default_factory=list)


def instructions(text: str) -> list[tuple[str, str]]:
    """Return each instruction with its argument, as one line.

    Raises:
        ValueError: a line is none.
    """
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    found = []
    for line in re.sub(r"\s*\\\n\s*", " ", "\n".join(lines)).splitlines():
        if line.strip():
            name, _, argument = line.strip().partition(" ")
            if name not in KNOWN or not argument:
                raise ValueError(f"no instruction: {line}")
            found.append((name, argument.strip()))
    return found


def build(text: str, context: Path, folder: Path) -> Image:
    """Do the steps of a Dockerfile.

    Args:
        text: the Dockerfile.
        context: the folder that it copies from.
        folder: an empty one, which stands for the root of the image.
    """
    steps = instructions(text)
    places = {a for n, a in steps if n == "WORKDIR"} | {
        a.strip('[]"') for n, a in steps if n == "VOLUME"
    }
    commands = folder / "commands"
    _make_commands(commands)
    path = f"{commands}:{os.environ['PATH']}"
    image = Image(folder, {"PATH": path, "HOME": str(folder), "LANG": "C.UTF-8"}, folder)
    for name, argument in steps:
        told = within(argument, places, folder)
        if name == "FROM":
            image.base = argument
        elif name == "WORKDIR":
            image.workdir = Path(told)
            image.workdir.mkdir(parents=True, exist_ok=True)
        elif name == "COPY":
            *sources, to = [word for word in shlex.split(told) if not word.startswith("--")]
            for source in sources:
                _copy(context / source, image.workdir / to, is_folder=to.endswith(("/", ".")))
        elif name == "ENV":
            pairs = [word.partition("=") for word in shlex.split(told)]
            image.environ.update({key: value for key, _, value in pairs})
        elif name == "RUN":
            subprocess.run(
                _words(told), env=image.environ, cwd=image.workdir, check=True, timeout=50
            )
        elif name == "USER":
            image.user = argument
        elif name == "EXPOSE":
            image.ports = argument.split()
        elif name == "HEALTHCHECK":
            image.health = _words(told.partition("CMD ")[2])
        elif name in ("CMD", "ENTRYPOINT"):
            image.command = [*image.command, *_words(told)]
    return image


def within(text: str, places: set[str], folder: Path) -> str:
    """Return a text with the image's own folders where this machine has them."""
    for place in places:
        text = re.sub(rf"(?<![\w.:-]){re.escape(place)}(?![\w-])", f"{folder}{place}", text)
    return text


def _words(text: str) -> list[str]:
    if text.startswith("["):
        words: list[str] = json.loads(text)
        return words
    return ["/bin/sh", "-c", text]


def _copy(source: Path, to: Path, *, is_folder: bool) -> None:
    assert source.exists(), f"COPY {source.name}: not in the context"
    if source.is_dir():
        shutil.copytree(source, to, dirs_exist_ok=True)
    else:
        target = to / source.name if is_folder else to
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def _make_commands(folder: Path) -> None:
    """Put the image's Python in front of the machine's, and what needs root out of the way."""
    folder.mkdir(parents=True)
    python = f'exec "{sys.executable}"'
    scripts = {
        **{name: f"#!/bin/sh\n{what}\n" for name, what in AS_ROOT.items()},
        "install": INSTALL,
        "python": f'#!/bin/sh\n{python} "$@"\n',
        "python3": f'#!/bin/sh\n{python} "$@"\n',
        "pip": f'#!/bin/sh\nPIP_NO_INDEX=1 PIP_NO_DEPS=1 {python} -m pip "$@"\n',
        "uvicorn": f'#!/bin/sh\n{python} -m uvicorn "$@"\n',
        "pwless": f'#!/bin/sh\n{python} -m pwless_middleware "$@"\n',
    }
    for name, script in scripts.items():
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
