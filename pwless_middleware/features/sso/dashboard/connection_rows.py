"""Connections as the pages show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.organizations.connection import Connection, ConnectionKind
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.saml.certificates import Certificate, read_certificates
from pwless_middleware.features.sso.setup.providers import provider_of
from pwless_middleware.features.sso.setup.steps import is_complete
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.times import format_iso, format_time
from pwless_middleware.text import Text

PROTOCOLS: Final[Mapping[ConnectionKind, str]] = {"oidc": "OpenID Connect", "saml": "SAML 2.0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRow:
    """A certificate of a provider as it is listed.

    Attributes:
        subject, fingerprint: as it says.
        ends_at, ends_iso: when it ends.
        warning, tone: that it has ended or soon will, and the tone of the badge; empty for neither.
    """

    subject: str
    fingerprint: str
    ends_at: str
    ends_iso: str
    warning: str
    tone: str

    @classmethod
    def of(cls, certificate: Certificate, now: int) -> CertificateRow:
        """Return a certificate as it is listed."""
        warning, tone = "", ""
        if certificate.has_ended(now):
            warning, tone = translate(Text("Has ended")), "bad"
        elif certificate.ends_soon(now):
            warning, tone = translate(Text("Ends soon")), "warn"
        return cls(
            subject=certificate.subject,
            fingerprint=certificate.fingerprint,
            ends_at=format_time(certificate.ends_at),
            ends_iso=format_iso(certificate.ends_at),
            warning=warning,
            tone=tone,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRow:
    """A connection as a page shows it.

    Attributes:
        id, name, is_enabled, has_secret: as they are.
        provider: what its provider is called.
        protocol: what it speaks.
        state, tone: how it stands, in words, and their tone.
        is_complete: whether all is there that a login needs.
        warnings: what is to be seen to soon, in words.
        tested_at, tested_iso: when a login by it worked last; empty for never.
        created_at, created_iso: when it was made.
    """

    id: str
    name: str
    is_enabled: bool
    has_secret: bool
    provider: str
    protocol: str
    state: str
    tone: str
    is_complete: bool
    warnings: Sequence[str]
    tested_at: str
    tested_iso: str
    created_at: str
    created_iso: str

    @classmethod
    def of(cls, connection: Connection, now: int) -> ConnectionRow:
        """Return a connection as it is shown."""
        tested = connection.tested_at
        state, tone = Text("Off"), ""
        if connection.is_enabled:
            state, tone = Text("On"), "good"
        elif not is_complete(connection):
            state, tone = Text("Not set up completely"), "warn"
        elif tested is None:
            state = Text("Off, not tested")
        return cls(
            id=connection.id,
            name=connection.name,
            is_enabled=connection.is_enabled,
            has_secret=connection.has_secret,
            provider=translate(provider_of(connection).title),
            protocol=PROTOCOLS[connection.kind],
            state=translate(state),
            tone=tone,
            is_complete=is_complete(connection),
            warnings=_warn(connection, now),
            tested_at=format_time(tested) if tested is not None else "",
            tested_iso=format_iso(tested) if tested is not None else "",
            created_at=format_time(connection.created_at),
            created_iso=format_iso(connection.created_at),
        )


def certificates_of(connection: Connection) -> Sequence[Certificate]:
    """Return the certificates that a provider signs with; none where they cannot be read."""
    texts = connection.config.get("certificates")
    if not isinstance(texts, list | tuple) or not texts:
        return ()
    try:
        return read_certificates("\n".join(map(str, texts)))
    except SSOFault:
        return ()


def _warn(connection: Connection, now: int) -> Sequence[str]:
    """Return what is to be seen to: that the last certificate ends, or has."""
    lasts = max(certificates_of(connection), key=lambda one: one.ends_at, default=None)
    if lasts is None:
        return ()
    row = CertificateRow.of(lasts, now)
    if not row.warning:
        return ()
    ended, soon = Text("Certificate has ended"), Text("Certificate ends soon")
    return (translate(ended if row.tone == "bad" else soon),)
