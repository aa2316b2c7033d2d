"""FastMCP: `http_app` is the ASGI object; clients are programs, which bring a session token."""

from __future__ import annotations

from fastmcp import FastMCP
from fastmcp.server.dependencies import get_http_request

from pwless_middleware import PasswordlessMiddleware
from tests.apps.served.options import options

server: FastMCP = FastMCP("tools")


@server.tool
def whoami() -> str:
    """Tell who calls: the guide's recipe."""
    return str(get_http_request().state.user.email)


app = PasswordlessMiddleware(
    server.http_app(), **options(bearer=True, api_keys={"tools": "pwk_Mx3vQ8sLw2Yt6Rb9Xn4Mc7Jd"})
)
