"""Give a connection the key that signs its requests, where its provider wants them signed.

Nobody has to think of it: whenever a connection is saved, by whichever page or call, it is given
what it lacks. Our metadata then have the certificate.
"""

from __future__ import annotations

import asyncio

from pwless_middleware.core.organizations.connection import Connection
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.saml.certificates import read_certificates
from pwless_middleware.features.sso.saml.signing_keys import (
    certify,
    make_signing_key,
    read_signing_key,
)
from pwless_middleware.flows.organizations.floor import OrganizationFloor


async def give_signing_key(
    floor: OrganizationFloor, connection: Connection, *, host: str, now: int, by: str
) -> Connection:
    """Give a connection by SAML its key and the certificate of it, if requests are to be signed.

    A secret that is no RSA key of 2048 bits or more gives way to one that is.

    Args:
        floor: keeps it; what is changed there leads here again (`Connections.prepare_by`).
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
    secret = await floor.connection_secrets.of(connection.id)
    key = await asyncio.to_thread(read_signing_key, secret)
    if key is None:
        secret = await asyncio.to_thread(make_signing_key)
        return await floor.connections.set_secret(
            connection.id, secret, seen=connection.version, by=by
        )
    if _public_key_of(str(config.get("signing_certificate", ""))) == key.public_key():
        return connection
    return await floor.connections.change(
        connection.id,
        config={**config, "signing_certificate": certify(key, host, now=now)},
        seen=connection.version,
        still_tested=True,
        by=by,
    )


def _public_key_of(certificate: str) -> object:
    try:
        return read_certificates(certificate)[0].x509.public_key()
    except SSOFault:
        return None
