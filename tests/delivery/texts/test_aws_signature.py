"""Requests to AWS are signed as AWS's own library signs them."""

from __future__ import annotations

import datetime as dates
from typing import Any

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as TheirCredentials

from pwless_middleware.delivery.texts.aws_signature import Credentials, sign

NOW = 1_800_000_000


@pytest.mark.parametrize("token", ["", "a+session/token=="])
@pytest.mark.parametrize(
    ("url", "content"),
    [
        ("https://sns.eu-central-1.amazonaws.com/", b"Action=Publish&Message=Gr%C3%BC%C3%9Fe"),
        ("http://localhost:5000/", b""),
        ("https://sns.example.com/a/path", bytes(range(256))),
    ],
)
@pytest.mark.parametrize("region", ["eu-central-1", "us-gov-west-1"])
def test_the_signature_is_botocores(
    monkeypatch: pytest.MonkeyPatch, token: str, url: str, content: bytes, region: str
) -> None:
    now = dates.datetime.fromtimestamp(NOW, dates.UTC).replace(tzinfo=None)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: now)
    headers = {"content-type": "application/x-www-form-urlencoded"}
    theirs: Any = AWSRequest("POST", url, headers=headers, data=content)
    given = TheirCredentials("AKIAEXAMPLE", "aws/S3cret+Key", token or None)
    botocore.auth.SigV4Auth(given, "sns", region).add_auth(theirs)

    ours = sign(
        url,
        headers,
        content,
        credentials=Credentials("AKIAEXAMPLE", "aws/S3cret+Key", token),
        region=region,
        service="sns",
        now=NOW,
    )

    assert ours["authorization"] == theirs.headers["Authorization"]
    assert ours["x-amz-date"] == theirs.headers["X-Amz-Date"]
    assert ours.get("x-amz-security-token") == theirs.headers.get("X-Amz-Security-Token")


def test_no_secret_is_shown() -> None:
    shown = repr(Credentials("AKIAEXAMPLE", "aws/S3cret+Key", "token"))
    assert "S3cret" not in shown
    assert "token'" not in shown
