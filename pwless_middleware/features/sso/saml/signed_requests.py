"""Give a connection the key that signs its requests, where its provider wants them signed.

Nobody has to think of it: who saves a connection calls `give_signing_key`, which makes a key where
one is needed and none is there. Our metadata then have its certificate.
"""

from __future__ import annotations

import asyncio

from pwless_middleware.core.connection import Connection
from pwless_middleware.features.sso.saml.signing_keys import make_signing_key
from pwless_middleware.flows.organizations.connections import Connections


async def give_signing_key(
    connections: Connections, connection: Connection, *, host: str, now: int, by: str
) -> Connection:
    """Make a connection's key if requests are to be signed and it has none, and return it as it is.

    Args:
        connections: keep it.
        connection: as it was saved just now.
        host: ours, which the certificate names.
        now: unix seconds.
        by: who saves it.

    Raises:
        InvalidArgument: somebody else has changed the connection since.
        NotFound: it is gone.
        StoreError: the database cannot be asked.
    """
    config = connection.config
    if connection.kind != "saml" or config.get("sign_requests") is not True:
        return connection
    if connection.has_secret and config.get("signing_certificate"):
        return connection
    return await renew_signing_key(connections, connection, host=host, now=now, by=by)


async def renew_signing_key(
    connections: Connections, connection: Connection, *, host: str, now: int, by: str
) -> Connection:
    """Make another key for a connection by SAML, and return the connection with its certificate.

    A provider that knows the old certificate has to be given the new one before people can sign in
    again.

    Args:
        connections: keep it.
        connection: which.
        host: ours, which the certificate names.
        now: unix seconds.
        by: who does it.

    Raises:
        InvalidArgument: somebody else has changed the connection since.
        NotFound: it is gone.
        StoreError: the database cannot be asked.
    """
    key = await asyncio.to_thread(make_signing_key, host, now=now)
    kept = await connections.set_secret(connection.id, key.secret, seen=connection.version, by=by)
    return await connections.change(
        connection.id,
        config={**connection.config, "signing_certificate": key.certificate},
        seen=kept.version,
        still_tested=True,
        by=by,
    )
