"""`pwless keys`: a key is printed once; what is listed and refused."""

from __future__ import annotations

import json

import pytest

from pwless_middleware.core.operators.api_key import id_of_key
from tests.cli.conftest import Project

APP = ("--app", "site_app:app")


@pytest.fixture
def installation(project: Project) -> Project:
    project.wrapped(
        "base_url='http://localhost:8000', mailer=Outbox(), database='sqlite:///pwless.db'"
    )
    return project


def listed(project: Project) -> list[dict[str, object]]:
    code, out, _ = project.run("keys", "list", "--json", *APP)
    assert code == 0
    rows: list[dict[str, object]] = json.loads(out)
    return rows


def test_a_key_is_printed_once_and_listed_without_its_secret(installation: Project) -> None:
    args = ("shop", "--scope", "events", "--scope", "users:read", "--expires-in", "90d")
    code, out, err = installation.run("keys", "create", *args, "--by", "operator:ana", *APP)
    assert (code, err) == (0, "")
    key = out.strip()
    (row,) = listed(installation)
    assert (row["id"], row["scopes"]) == (id_of_key(key), ["events", "users:read"])
    assert (row["state"], row["by"]) == ("live", "operator:ana")
    assert int(str(row["expires_at"])) - int(str(row["created_at"])) == 90 * 86400
    _, out, _ = installation.run("keys", "list", *APP)
    head, line = out.splitlines()
    assert head.split()[:4] == ["NAME", "ID", "SCOPES", "STATE"]
    assert line.split()[:4] == ["shop", id_of_key(key), "events,users:read", "live"]
    assert key.partition(".")[2] not in out


def test_a_key_is_rotated_and_revoked(installation: Project) -> None:
    installation.run("keys", "create", "shop", "--scope", "events", *APP)
    code, out, _ = installation.run("keys", "rotate", "shop", "--overlap", "1h", *APP)
    assert (code, out.startswith("pwk_")) == (0, True)
    assert [row["state"] for row in listed(installation)] == ["live", "live"]
    assert installation.run("keys", "revoke", "shop", *APP) == (0, "", "")
    assert [row["state"] for row in listed(installation)] == ["revoked", "revoked"]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("create", "shop"), "--scope"),
        (("create", "shop", "--scope", "all"), "invalid choice"),
        (("create", "s p", "--scope", "events"), "name keys by"),
        (("create", "shop", "--scope", "events", "--expires-in", "soon"), "write a time"),
        (("rotate", "shop"), "no key 'shop'"),
        (("revoke", "shop"), "no key 'shop'"),
    ],
)
def test_a_mistake_is_one_line(args: tuple[str, ...], says: str, installation: Project) -> None:
    code, out, err = installation.run("keys", *args, *APP)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert says in err
