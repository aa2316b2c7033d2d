"""Whether a path stands on a network file system, where SQLite's locks cannot be relied on.

Several machines that write one file damage it, and its write-ahead log needs memory that they share
(https://www.sqlite.org/wal.html, "all processes using a database must be on the same host").
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

_MOUNTS: Final = Path("/proc/self/mountinfo")
_NETWORK: Final = frozenset(
    {
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "fuse.ceph",
        "fuse.glusterfs",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.sshfs",
        "gfs2",
        "glusterfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "smb3",
        "smbfs",
    }
)
_ESCAPED: Final = re.compile(r"\\([0-7]{3})")


def find_network_file_system(path: str, mounts: Path | None = None) -> str | None:
    """Return the type of the network file system that a path stands on, or `None`.

    Args:
        path: absolute, without symbolic links.
        mounts: what is mounted, in the format of proc(5), `/proc/[pid]/mountinfo`; `None` takes
            this process's. Where there is no such file (not Linux), nothing is found.
    """
    try:
        lines = (mounts or _MOUNTS).read_text(errors="surrogateescape").splitlines()
    except OSError:
        return None
    longest, found = "", ""
    for line in lines:
        fields, _, after = line.partition(" - ")
        point = _ESCAPED.sub(lambda octal: chr(int(octal[1], 8)), fields.split(" ")[4])
        # What was mounted later over the same place hides what was there.
        if len(point) >= len(longest) and os.path.commonpath([point, path]) == point:
            longest, found = point, after.split(" ")[0]
    return found if found in _NETWORK else None
