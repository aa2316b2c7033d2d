"""In which country a client is: from a file, behind the request, and without its address."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet  # type: ignore[import-untyped]

from pwless_middleware import ConfigError
from pwless_middleware.core.logins.client import Client
from pwless_middleware.core.logins.client import parse_ip as ip
from pwless_middleware.features.dashboard import Dashboard
from pwless_middleware.features.dashboard.log.countries import Countries
from tests.features.dashboard.operators import OPS, make_dashboard

pytestmark = pytest.mark.anyio

GERMAN: dict[str, Any] = {"country": {"iso_code": "DE", "names": {"en": "Germany"}}}
RECORDS: dict[str, dict[str, Any]] = {
    "203.0.113.0/24": GERMAN,
    "198.51.100.0/24": {"registered_country": {"iso_code": "AT"}},
    "192.0.2.0/25": {"country_code": "FR", "country": "France"},
    "192.0.2.128/25": {"country": {"iso_code": "<script>"}},
    "2001:db8::/32": {"country": "CH"},
}


def write_file(folder: Path, *, kind: str = "GeoLite2-Country") -> str:
    """Write a file of countries, and return its path."""
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type=kind)
    for network, record in RECORDS.items():
        writer.insert_network(IPSet([network]), record)
    path = folder / "countries.mmdb"
    writer.to_db_file(str(path))
    return str(path)


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("203.0.113.7", "DE"),
        ("::ffff:203.0.113.7", "DE"),
        ("198.51.100.9", "AT"),
        ("192.0.2.1", "FR"),
        ("192.0.2.200", None),
        ("2001:db8:1:2::3", "CH"),
        ("10.0.0.1", None),
    ],
)
def test_a_client_is_where_the_file_says(tmp_path: Path, address: str, country: str | None) -> None:
    parsed = ip(address)
    assert parsed is not None
    assert Countries(write_file(tmp_path))(Client.at(parsed).network) == country


@pytest.mark.parametrize("network", ["", "unknown", "testclient", "a" * 300, "203.0.113.7.9", "\0"])
def test_what_is_no_address_is_nowhere(tmp_path: Path, network: str) -> None:
    assert Countries(write_file(tmp_path))(network) is None


async def test_an_event_has_the_country_and_never_the_address(tmp_path: Path) -> None:
    path = write_file(tmp_path)
    site, ops = await make_dashboard(tmp_path, dashboard=Dashboard(operators=[OPS], geoip=path))
    await site.browser(ip="203.0.113.7").ask("jo@example.com")
    await site.browser(ip="198.51.100.9").ask("al@example.com")
    found = await site.passwordless.events.find(kind="send.requested", limit=2)
    assert [stored.event.country for stored in found.events] == ["AT", "DE"]
    everything = await site.passwordless.events.find(limit=100)
    told = json.dumps([stored.to_dict() for stored in everything.events])
    assert "203.0.113" not in told
    listed = (await ops.get("/auth/dashboard/log?country=at")).text
    assert "al@example.com" in listed
    assert "jo@example.com" not in listed


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda path: None, "No such file"),
        (lambda path: path.mkdir(), "no file in MaxMind's format|directory"),
        (lambda path: path.write_bytes(b""), "no file in MaxMind's format|cannot be read"),
        (lambda path: path.write_bytes(b"PK" * 500), "no file in MaxMind's format"),
    ],
)
def test_a_bad_file_is_a_clear_error(tmp_path: Path, write: Any, said: str) -> None:
    path = tmp_path / "x.mmdb"
    write(path)
    with pytest.raises(ConfigError, match=f"geoip.*({said})"):
        Countries(str(path))


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"geoip.*no countries.*GeoLite2-ASN"):
        Countries(write_file(tmp_path, kind="GeoLite2-ASN"))


def test_what_is_no_path_is_refused() -> None:
    with pytest.raises(ConfigError, match="geoip"):
        Dashboard(geoip=5)  # type: ignore[arg-type]


def test_a_damaged_file_stops_no_login(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_file(tmp_path)
    content = bytearray(Path(path).read_bytes())
    middle = content.index(b"\xab\xcd\xefMaxMind.com")
    content[40:middle] = b"\xff" * (middle - 40)
    Path(path).write_bytes(content)
    find = Countries(path)
    assert [find("203.0.113.7"), find("198.51.100.9")] == [None, None]
    assert caplog.text.count("damaged") <= 1


def test_no_damage_ends_the_process(tmp_path: Path) -> None:
    """The reader in C crashes on some of these, and any that maps the file if it is cut short."""
    path = Path(write_file(tmp_path))
    good, damage = path.read_bytes(), random.Random(1)
    for number in range(300):
        content = bytearray(good)
        for _ in range(damage.choice((1, 2, 8))):
            content[damage.randrange(len(content))] = damage.randrange(256)
        bad = tmp_path / f"{number}.mmdb"
        bad.write_bytes(content)
        try:
            find = Countries(str(bad))
        except ConfigError:
            continue
        bad.write_bytes(b"")
        assert all(
            found is None or len(found) == 2
            for found in map(find, ("203.0.113.0", "2001:db8:1:2::/64", "192.0.2.1"))
        )
