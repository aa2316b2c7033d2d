"""Records with a MAC: one that was changed or moved in the store counts as absent.

A store is another lock than the secret key: who can write to it must gain nothing by that. A record
that is not as we wrote it, or stands where we did not write it, is therefore as if it were absent:
the login has expired, the session is over. It is no `StoreError`, which would keep the person who
holds the handle out for as long as the record stands.
"""

from __future__ import annotations

import logging

from pwless_middleware.core.keys.keyring import Keyring, RecordKind

logger = logging.getLogger("pwless.records")


def open_record(
    keyring: Keyring, kind: RecordKind, place: str, stored: bytes | None, *, key_id: str | None
) -> bytes | None:
    """Return a record without its MAC, or `None` if there is none to be believed.

    Args:
        keyring: checks the MAC.
        kind: what the record is.
        place: its key in the store.
        stored: what stands there; `None` if nothing does.
        key_id: fingerprint of the key that sealed the handle; `None` where no handle leads to it,
            and any key of ours may have bound it.
    """
    if stored is None:
        return None
    opened = keyring.unbind(kind, place, stored)
    if opened is None:
        # No handle of ours leads to a record of a key that has left the list.
        logger.warning(
            "a record in the store was changed or moved; it is ignored: %s",
            kind,
            extra={"event": "record_refused", "record": kind},
        )
        return None
    return opened.payload if key_id in (opened.key_id, None) else None
