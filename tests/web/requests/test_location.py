"""Where a request is, in the forms in which servers and proxies hand on its path."""

from __future__ import annotations

import pytest

from pwless_middleware.web.requests.location import locate
from tests.support import http_scope


@pytest.mark.parametrize(
    ("path", "root_path", "base_path", "located"),
    [
        ("/x", "", "", ("/x", "/x", "")),
        # The server puts the root path into the path, or does not.
        ("/app/x", "/app", "", ("/x", "/x", "/app")),
        ("/x", "/app", "", ("/x", "/x", "/app")),
        ("/apples", "/app", "", ("/apples", "/apples", "/app")),
        ("/app", "/app", "", ("/", "/", "/app")),
        # The server knows no root path; only our own pages are looked for below that of base_url.
        ("/app/x", "", "/app", ("/app/x", "/x", "/app")),
        ("/x", "", "/app", ("/x", "/x", "/app")),
        # It knows one: base_url adds nothing.
        ("/app/x", "/app", "/app", ("/x", "/x", "/app")),
        ("/app/app/x", "/app", "/app", ("/app/x", "/app/x", "/app")),
        # A slash at the end of the root path.
        ("/app//x", "/app/", "", ("/x", "/x", "/app")),
        ("/app/x", "/app/", "/app", ("/x", "/x", "/app")),
        ("/x", "/", "", ("/x", "/x", "")),
        ("/app/x", "/", "/app", ("/app/x", "/x", "/app")),
    ],
)
def test_a_request_is_located(
    path: str, root_path: str, base_path: str, located: tuple[str, str, str]
) -> None:
    scope = http_scope(path, root_path=root_path)
    before = dict(scope)
    app_scope, *found = locate(scope, base_path)
    assert tuple(found) == located
    assert scope == before, "the caller's scope is the caller's"
    assert not app_scope["root_path"].endswith("/")


def test_a_server_may_give_no_root_path_at_all() -> None:
    scope = http_scope("/x")
    del scope["root_path"]
    assert locate(scope, "/app")[1:] == ("/x", "/x", "/app")
