"""Which places are network file systems, by what Linux says is mounted."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware.database.sqlite.mounts import find_network_file_system

MOUNTS = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
23 22 0:40 / /mnt/share rw,relatime shared:7 master:2 - nfs4 server:/share rw
24 22 0:41 / /mnt/my\\040disk rw - cifs //server/disk rw
25 22 0:42 / /mnt/c rw - 9p C:\\134 rw
26 23 0:43 / /mnt/share/local rw - ext4 /dev/vdb rw
27 22 0:44 / /mnt/twice rw - fuse.sshfs me@host: rw
28 22 0:45 / /mnt/twice rw - tmpfs none rw
"""


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/var/lib/app", None),
        ("/mnt/share", "nfs4"),
        ("/mnt/share/app/data", "nfs4"),
        ("/mnt/shared", None),
        ("/mnt/share/local/app", None),
        ("/mnt/my disk/app", "cifs"),
        ("/mnt/c/app", "9p"),
        ("/mnt/twice/app", None),
    ],
)
def test_what_is_mounted_nearest_counts(path: str, found: str | None, tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert find_network_file_system(path, mounts) == found


def test_where_nothing_is_said_nothing_is_found(tmp_path: Path) -> None:
    assert find_network_file_system("/mnt/share", tmp_path / "missing") is None
    assert find_network_file_system(str(tmp_path)) is None
