"""An authenticator app that is being added, as its page shows it."""

from __future__ import annotations

from dataclasses import field
from typing import Final

from markupsafe import Markup

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.features.second_factors.totp.enrollment import TOTPEnrollment
from pwless_middleware.text import Text

OVER: Final = Text("That took too long, or was begun anew elsewhere. Begin again.")
"""What is said of an enrollment that waits no more."""


@dataclass(frozen=True, slots=True)
class ShownTOTP:
    """What the page shows until the app is confirmed.

    Attributes:
        id: of the enrollment, which goes back with the code.
        qr: an `<svg>`.
        uri: the `otpauth:` link, for an app on this very device.
        secret: in groups of four, for who cannot scan.
    """

    id: str
    qr: Markup = field(repr=False)
    uri: str = field(repr=False)
    secret: str = field(repr=False)

    @classmethod
    def of(cls, enrollment: TOTPEnrollment) -> ShownTOTP:
        """Return an enrollment as it is shown."""
        # Segno writes numbers and colors of ours alone.
        qr = Markup(enrollment.qr_svg)  # noqa: S704
        return cls(enrollment.enrollment_id, qr, enrollment.uri, enrollment.groups)
