"""A backend of your own that signs its users in by three HTTP calls, and keeps its own sessions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx
from fastapi import Depends, FastAPI, Form, HTTPException, Request
from starlette.middleware.sessions import SessionMiddleware

Text = Annotated[str, Form()]


class Login:
    """Call the login over HTTP.

    Args:
        base_url: where the login is served, `https://login.example.com/auth`.
        api_key: `pwk_…`; never leaves this backend.
    """

    def __init__(self, base_url: str, api_key: str) -> None:
        self._http = httpx.AsyncClient(
            base_url=f"{base_url}/api/v1/passwordless/email",
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=5,
        )

    async def aclose(self) -> None:
        """Close the connections that are kept for the next call."""
        await self._http.aclose()

    async def call(self, verb: str, **fields: object) -> dict[str, Any]:
        """Call `send`, `resend` or `verify`; what is refused there is refused here."""
        answer = await self._http.post(f"/{verb}", json=fields)
        if answer.is_success:
            return dict(answer.json())
        error = answer.json()
        detail = {"error": error["details"][0]["error_code"], "message": error["message"]}
        headers = {k: v for k, v in answer.headers.items() if k == "retry-after"}
        # Bad credentials are this backend's own fault, and nothing to tell its visitors.
        status = 502 if answer.status_code == 401 else answer.status_code
        raise HTTPException(status, detail, headers)


def current_user(request: Request) -> dict[str, str]:
    """Return the user of this backend's own session."""
    if "user" not in request.session:
        raise HTTPException(401)
    return dict(request.session["user"])


CurrentUser = Annotated[dict[str, str], Depends(current_user)]


def create_backend(login_url: str, api_key: str, session_key: str) -> FastAPI:
    """Make the backend: `/ask` and `/enter` sign in, `/me` is private."""
    login = Login(login_url, api_key)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await login.aclose()

    app = FastAPI(lifespan=lifespan)
    # The request id lives in the asking browser's own session: a code works nowhere else.
    app.add_middleware(SessionMiddleware, secret_key=session_key, same_site="lax")

    @app.post("/ask")
    async def ask(request: Request, email: Text) -> dict[str, int]:
        sent = await login.call("send", email=email, state=request.url.path)
        request.session["asked"] = sent["auth_request_id"]
        return {"resend_after": sent["resend_after"]}

    @app.post("/again")
    async def again(request: Request) -> dict[str, int]:
        sent = await login.call("resend", auth_request_id=request.session.get("asked", "none"))
        request.session["asked"] = sent["auth_request_id"]
        return {"resend_after": sent["resend_after"]}

    @app.post("/enter")
    async def enter(request: Request, code: Text) -> Mapping[str, str]:
        asked = request.session.get("asked", "none")
        done = await login.call("verify", auth_request_id=asked, code=code)
        user = {"id": done["user_id"], "email": done["email"]}
        request.session.clear()
        request.session["user"] = user
        return user

    @app.get("/me")
    async def me(user: CurrentUser) -> dict[str, str]:
        return user

    @app.post("/leave")
    async def leave(request: Request) -> None:
        request.session.clear()

    return app
