"""A client written for Scalekit's headless passwordless API. It knows nothing of this package.

To move it here, its base URL and its token change, and nothing else. The answers are read as
strictly as a generated client reads them: every field that Scalekit documents, of its type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import httpx


class PasswordlessType(Enum):
    OTP = "OTP"
    LINK = "LINK"
    LINK_OTP = "LINK_OTP"


class TemplateType(Enum):
    SIGNIN = "SIGNIN"
    SIGNUP = "SIGNUP"


@dataclass(frozen=True)
class SendPasswordlessResponse:
    auth_request_id: str
    expires_at: int  # int64: a string on the wire
    expires_in: int
    passwordless_type: PasswordlessType


@dataclass(frozen=True)
class VerifyPasswordlessResponse:
    email: str
    state: str | None  # optional in the protobuf: absent where send was given none
    template: TemplateType
    passwordless_type: PasswordlessType


class ScalekitError(Exception):
    """Hold what the API said: HTTP status, gRPC code, `error_code`, and the bad fields."""

    def __init__(self, response: httpx.Response) -> None:
        body = response.json()
        detail = body["details"][0]
        super().__init__(body["message"])
        self.status = response.status_code
        self.grpc_code = int(body["code"])
        self.error_code = str(detail["error_code"])
        info = detail.get("validation_error_info", {"field_violations": []})
        self.fields = [violation["field"] for violation in info["field_violations"]]


class PasswordlessClient:
    """Send, resend and verify.

    Args:
        environment_url: `https://acme.scalekit.com` there, `https://app.example.com/auth` here.
        token: an access token there, an API key here.
    """

    def __init__(self, environment_url: str, token: str) -> None:
        self._http = httpx.Client(
            base_url=f"{environment_url}/api/v1/passwordless/email",
            headers={"Authorization": f"Bearer {token}"},
        )

    def close(self) -> None:
        self._http.close()

    def send_passwordless_email(
        self,
        email: str,
        *,
        template: TemplateType | None = None,
        magiclink_auth_uri: str | None = None,
        state: str | None = None,
        expires_in: int | None = None,
        template_variables: Mapping[str, str] | None = None,
    ) -> SendPasswordlessResponse:
        body = {
            "email": email,
            "template": template.value if template else None,
            "magiclink_auth_uri": magiclink_auth_uri,
            "state": state,
            "expires_in": expires_in,
            "template_variables": template_variables,
        }
        return self._sent(self._post("/send", body))

    def resend_passwordless_email(self, auth_request_id: str) -> SendPasswordlessResponse:
        return self._sent(self._post("/resend", {"auth_request_id": auth_request_id}))

    def verify_passwordless_email(
        self,
        *,
        code: str | None = None,
        link_token: str | None = None,
        auth_request_id: str | None = None,
    ) -> VerifyPasswordlessResponse:
        body = {"code": code, "link_token": link_token, "auth_request_id": auth_request_id}
        answer = self._post("/verify", body)
        return VerifyPasswordlessResponse(
            email=_text(answer["email"]),
            state=_text(answer["state"]) if "state" in answer else None,
            template=TemplateType(answer["template"]),
            passwordless_type=PasswordlessType(answer["passwordless_type"]),
        )

    def _post(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        sent = {name: value for name, value in body.items() if value is not None}
        response = self._http.post(path, json=sent)
        if response.is_error:
            raise ScalekitError(response)
        return dict(response.json())

    def _sent(self, answer: Mapping[str, Any]) -> SendPasswordlessResponse:
        expires_in = answer["expires_in"]
        if type(expires_in) is not int:
            raise TypeError("expires_in: a number")
        return SendPasswordlessResponse(
            auth_request_id=_text(answer["auth_request_id"]),
            expires_at=int(_text(answer["expires_at"])),
            expires_in=expires_in,
            passwordless_type=PasswordlessType(answer["passwordless_type"]),
        )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a string")
    return value
