"""A device that keeps passkeys, as Chromium simulates one for a tab (CDP, domain `WebAuthn`)."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page


class Device:
    """Answer for the person in front of a tab: touched and verified at once, until told otherwise.

    Args:
        page: the tab.
        options: of the authenticator, as CDP names them, over those of a phone's own.
    """

    def __init__(self, page: Page, **options: Any) -> None:
        self._page = page
        self._session = page.context.new_cdp_session(page)
        self._session.send("WebAuthn.enable")
        made = self._session.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "transport": "internal",
                    "hasResidentKey": True,
                    "hasUserVerification": True,
                    "isUserVerified": True,
                    "automaticPresenceSimulation": True,
                    **options,
                }
            },
        )
        self._id = made["authenticatorId"]

    @property
    def credentials(self) -> list[dict[str, Any]]:
        """What it keeps."""
        found: list[dict[str, Any]] = self._send("getCredentials")["credentials"]
        return found

    def expect_nothing(self) -> None:
        """Wait until it has been told to forget all that it keeps."""
        for _ in range(100):
            if not self.credentials:
                return
            self._page.wait_for_timeout(20)
        raise AssertionError("it still keeps a passkey")

    def touch(self, is_touched: bool) -> None:
        """Have the person touch it whenever it asks, or not at all."""
        self._send("setAutomaticPresenceSimulation", enabled=is_touched)

    def know(self, is_verified: bool) -> None:
        """Have it find the person's finger right, or wrong."""
        self._send("setUserVerified", isUserVerified=is_verified)

    def put(self, credential: dict[str, Any], **changed: Any) -> None:
        """Have it keep a credential, in place of what it had of it."""
        if any(one["credentialId"] == credential["credentialId"] for one in self.credentials):
            self._send("removeCredential", credentialId=credential["credentialId"])
        self._send("addCredential", credential={**credential, **changed})

    def back_up(self, credential: dict[str, Any]) -> None:
        """Have a credential that may be synced be synced from now on."""
        self._send(
            "setCredentialProperties",
            credentialId=credential["credentialId"],
            backupEligibility=True,
            backupState=True,
        )

    def _send(self, name: str, **values: Any) -> Any:
        return self._session.send(f"WebAuthn.{name}", {"authenticatorId": self._id, **values})
