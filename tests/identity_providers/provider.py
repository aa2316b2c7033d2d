"""What tests know of a real identity provider that they have started, and a person at it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx

CLIENT_ID = "acme-app"
CLIENT_SECRET = "only-for-tests-0123456789abcdef"

_FORM = re.compile(r"<form\b[^>]*>.*?</form>", re.S)
_INPUT = re.compile(r"<input\b[^>]*>", re.S)
_ATTRIBUTE = re.compile(r"""([a-z-]+)=["']([^"']*)["']""")
_MOST_PAGES = 12


@dataclass(frozen=True)
class IdentityProvider:
    """A provider that runs.

    Attributes:
        issuer: as it names itself.
        client_id, client_secret: as which it knows the app.
    """

    issuer: str
    client_id: str = CLIENT_ID
    client_secret: str = CLIENT_SECRET

    def config(self, **more: Any) -> dict[str, Any]:
        """Return the configuration of a connection to it by OpenID Connect."""
        return {"issuer": self.issuer, "client_id": self.client_id, **more}

    async def sign_in(self, url: str, login: str, password: str = "password") -> str:
        """Sign in at it, as a person who is led there, and return the URL that it leads back to.

        Args:
            url: where the person is led.
            login: the name to type.
            password: the password to type.
        """
        async with httpx.AsyncClient(timeout=30) as client:
            request = client.build_request("GET", url)
            for _ in range(_MOST_PAGES):
                answer = await client.send(request)
                if answer.is_redirect:
                    url = urljoin(str(answer.url), answer.headers["location"])
                    if urlsplit(url).netloc != urlsplit(self.issuer).netloc:
                        return url
                    request = client.build_request("GET", url)
                else:
                    request = _submit(client, answer, login, password)
        raise AssertionError(f"{url} leads nowhere")

    async def post_back(
        self, url: str, login: str, password: str = "password"
    ) -> tuple[str, dict[str, str]]:
        """Sign in at it by SAML, and return where it has the browser post its answer, and that.

        Args:
            url: where the person is led.
            login: the name to type.
            password: the password to type.
        """
        async with httpx.AsyncClient(timeout=30) as client:
            request = client.build_request("GET", url)
            for _ in range(_MOST_PAGES):
                answer = await client.send(request)
                if "SAMLResponse" in answer.text:
                    request = _submit(client, answer, login, password)
                    return str(request.url), dict(parse_qsl(request.content.decode()))
                request = _submit(client, answer, login, password)
        raise AssertionError(f"{url} leads nowhere")


def query_of(url: str) -> dict[str, str]:
    """Return the query of a URL."""
    return dict(parse_qsl(urlsplit(url).query))


def _submit(
    client: httpx.AsyncClient, page: httpx.Response, login: str, password: str
) -> httpx.Request:
    """Fill the form of a page in, and press its first button."""
    forms = [form for form in _FORM.findall(page.text) if "post" in form.lower()]
    assert forms, f"{page.status_code} {page.text}"
    head = forms[0].partition(">")[0]
    fields: dict[str, str] = {}
    for one in _INPUT.findall(forms[0]):
        given = {name: unescape(value) for name, value in _ATTRIBUTE.findall(one)}
        if "name" in given:
            kind = given.get("type", "text")
            typed = {"text": login, "email": login, "password": password}
            fields[given["name"]] = typed.get(kind, given.get("value", ""))
    action = dict(_ATTRIBUTE.findall(head)).get("action") or str(page.url)
    return client.build_request("POST", urljoin(str(page.url), unescape(action)), data=fields)
