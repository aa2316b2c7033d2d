"""Your own backend: three calls with an API key, from any language that speaks HTTP."""

import os
from collections.abc import Callable
from typing import Any

import httpx


def sign_in(base_url: str, api_key: str, email: str, ask: Callable[[], str]) -> dict[str, Any]:
    """Send a code, ask for it, and give the session: `user_id`, `session_token` and more."""
    api = httpx.Client(
        base_url=f"{base_url}/auth/api/v1/passwordless/email",
        headers={"Authorization": f"Bearer {api_key}"},
    )
    with api:
        answer = api.post("/send", json={"email": email, "state": "cart-42"})
        while answer.is_success:
            request_id = answer.json()["auth_request_id"]
            code = ask()
            if code:
                break
            answer = api.post("/resend", json={"auth_request_id": request_id})
        answer.raise_for_status()
        answer = api.post("/verify", json={"auth_request_id": request_id, "code": code})
        answer.raise_for_status()
        session: dict[str, Any] = answer.json()
        return session


if __name__ == "__main__":
    who = input("Email: ")
    key = os.environ["PWLESS_API_KEY"]
    print(sign_in("http://localhost:8000", key, who, lambda: input("Code (empty: again): ")))
