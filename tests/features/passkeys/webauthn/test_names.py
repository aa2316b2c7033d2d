"""What keeps a passkey has a name, as a hint."""

from __future__ import annotations

from pwless_middleware.features.passkeys.webauthn.names import name_of


def test_the_name_of_a_model() -> None:
    assert name_of("ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4") == "Google Password Manager"
    assert name_of("fbfc3007-154e-4ecc-8c0b-6e020557d7bd").endswith("Passwords")  # of Apple
    assert name_of("00000000-0000-0000-0000-000000000000") == ""
    assert name_of("") == ""
