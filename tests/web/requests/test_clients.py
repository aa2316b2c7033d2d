"""Whose address counts where a proxy stands in front that nobody configured (security rule 7)."""

from __future__ import annotations

import pytest
from starlette.types import Scope

from pwless_middleware.core.logins.client import Client
from pwless_middleware.web.requests import clients as clients_module
from pwless_middleware.web.requests.clients import Clients

FORWARDED = [(b"x-forwarded-for", b"198.51.100.7")]


def scope(client: tuple[str, int] | None, headers: list[tuple[bytes, bytes]] = []) -> Scope:  # noqa: B006 # not changed
    return {"type": "http", "client": client, "headers": headers}


@pytest.mark.parametrize(
    "name",
    [
        b"x-forwarded-for",
        b"x-forwarded-proto",
        b"forwarded",
        b"x-real-ip",
        b"x-client-ip",
        b"cf-connecting-ip",
        b"true-client-ip",
    ],
)
@pytest.mark.parametrize("peer", ["10.0.0.1", "100.64.0.9", "127.0.0.1", "::1", "testclient"])
def test_a_local_peer_that_forwards_is_one_shared_client_from_then_on(
    peer: str, name: bytes
) -> None:
    clients = Clients(0)
    before = clients.of(scope((peer, 1)))
    assert not before.is_shared
    shared = Client(before.network, is_shared=True)
    assert clients.of(scope((peer, 1), [(name, b"198.51.100.7")])) == shared
    assert clients.of(scope((peer, 1))) == shared, "for the life of the process"
    assert not clients.of(scope(("10.0.0.2", 1))).is_shared, "another peer is not it"


def test_a_peer_of_the_internet_is_itself_whatever_it_writes() -> None:
    clients = Clients(0)
    assert clients.of(scope(("8.8.8.8", 1), FORWARDED)) == Client("8.8.8.8")
    assert clients.of(scope(("64:ff9b::8.8.8.8", 1), FORWARDED)) == Client("8.8.8.8")


def test_a_peer_without_an_address_is_a_shared_client(caplog: pytest.LogCaptureFixture) -> None:
    clients = Clients(0)
    for client in (None, ("", 0)):
        assert clients.of(scope(client)) == Client("unknown", is_shared=True)
    assert [record.message.count("unix socket") for record in caplog.records] == [1]
    assert "trusted_proxies=1" in caplog.text


def test_many_proxies_are_told_once_and_remembered_up_to_a_bound(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients_module, "_MAX_PROXIES", 3)
    clients = Clients(0)
    for n in range(9):
        assert clients.of(scope((f"10.0.0.{n}", 1), FORWARDED)).is_shared
    assert len(clients._proxies) == 3
    assert len(caplog.records) == 1
    assert clients.of(scope(("10.9.9.9", 1))).is_shared
    assert not clients.of(scope(("8.8.8.8", 1))).is_shared


def test_a_configured_proxy_is_never_shared() -> None:
    for trusted in (1, ["10.0.0.0/8"]):
        clients = Clients(trusted)
        assert clients.of(scope(("10.0.0.1", 1), FORWARDED)) == Client("198.51.100.7")
        assert clients.of(scope(("10.0.0.1", 1))) == Client("10.0.0.1")
