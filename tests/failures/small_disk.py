"""A disk that fills up: a file system of 2 MB in memory or, where none can be mounted, a limit on
the size of this process's files, which fails as a disk does that takes nothing more."""

from __future__ import annotations

import resource
import subprocess
from pathlib import Path
from typing import Final

_SIZE: Final = "2m"


class SmallDisk:
    """Keep files in a folder that can be filled.

    Args:
        folder: where it is mounted.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "none", str(folder)],
            capture_output=True,
        )
        self._is_mounted = mounted.returncode == 0
        self._limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(self) -> None:
        """Let nothing be added."""
        if not self._is_mounted:
            sizes = [each.stat().st_size for each in self.folder.iterdir()]
            resource.setrlimit(resource.RLIMIT_FSIZE, (max(sizes), self._limits[1]))
            return
        with (self.folder / "ballast").open("wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(bytes(4096))
            except OSError:
                return

    def make_room(self) -> None:
        """Let something be added again."""
        resource.setrlimit(resource.RLIMIT_FSIZE, self._limits)
        (self.folder / "ballast").unlink(missing_ok=True)

    def close(self) -> None:
        """Take it away."""
        self.make_room()
        if self._is_mounted:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=True)
