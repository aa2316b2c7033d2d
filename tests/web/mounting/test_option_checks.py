"""A store or mailer that lacks a verb is told as the middleware is made, not at the first login."""

from __future__ import annotations

from typing import Any

import pytest

from pwless_middleware import ConfigError, MemoryStore
from pwless_middleware.web.mounting.option_checks import FEED_VERBS, JOB_VERBS, STORE_VERBS
from tests.support import KEY, make_site


class Lacking:
    """Something with all that another object has, but for one verb."""

    def __init__(self, whole: object, verb: str, **parts: object) -> None:
        self.__dict__.update(parts)
        self._whole = whole
        self._verb = verb

    def __getattr__(self, name: str) -> Any:
        if name == self._verb:
            raise AttributeError(name)
        return getattr(self._whole, name)


@pytest.mark.parametrize("verb", STORE_VERBS)
def test_a_store_that_lacks_a_verb_is_refused(verb: str) -> None:
    with pytest.raises(ConfigError, match=rf"store: {verb} is missing"):
        make_site(store=Lacking(MemoryStore(), verb))


@pytest.mark.parametrize(
    ("part", "verb"),
    [*(("feed", verb) for verb in FEED_VERBS), *(("jobs", verb) for verb in JOB_VERBS)],
)
def test_a_store_whose_feed_or_queue_lacks_a_verb_is_refused(part: str, verb: str) -> None:
    whole = MemoryStore()
    lacking = Lacking(getattr(whole, part), verb)
    with pytest.raises(ConfigError, match=rf"store: {part}\.{verb} is missing"):
        make_site(store=Lacking(whole, "", **{part: lacking}))


@pytest.mark.parametrize("part", ["feed", "jobs"])
def test_a_store_without_feed_or_queue_is_refused(part: str) -> None:
    with pytest.raises(ConfigError, match=rf"store: {part}\."):
        make_site(store=Lacking(MemoryStore(), part))


class Mailer:
    """A mailer of somebody else's."""

    def __init__(self, **attributes: object) -> None:
        self.__dict__.update(attributes)

    async def send(self, message: object) -> None: ...


@pytest.mark.parametrize(
    "attributes",
    [{"parallel": 0}, {"parallel": "8"}, {"parallel": True}, {"aclose": None}, {"check": 5}],
)
def test_a_mailer_whose_optional_parts_are_wrong_is_refused(attributes: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=rf"mailer: Mailer\.{next(iter(attributes))} is"):
        make_site(mailer=Mailer(**attributes))


def test_a_mailer_with_one_verb_is_one() -> None:
    make_site(mailer=Mailer())


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("secret_key", KEY + "\udce9"),
        ("secret_key", [KEY, KEY[::-1] + "\udce9"]),
        ("id_salt", "sixteen bytes or more\udce9"),
        ("cookie_name", "caf\udce9"),
        ("base_url", "https://caf\udce9.example.com"),
    ],
    ids=["key", "keys", "salt", "cookie", "url"],
)
def test_an_environment_variable_that_is_no_utf_8_is_told_without_its_text(
    option: str, value: Any
) -> None:
    with pytest.raises(ConfigError, match=f"{option}: ") as refused:
        make_site(**{option: value})
    assert refused.value.__context__ is None
    assert "\udce9" not in str(refused.value)


@pytest.mark.parametrize(
    ("option", "value"),
    [("api_keys", ""), ("api_keys", False), ("api_keys", []), ("templates", "")],
)
def test_an_empty_variable_is_no_option_left_out(option: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"{option}: set "):
        make_site(**{option: value})


@pytest.mark.parametrize(
    "url",
    ["https://..", "https://a..example", "https://-", "https://a-.example", "https://a.example:0",
     f"https://{'a' * 64}.example"],
    ids=["dots", "empty", "dash", "end", "port", "long"],
)  # fmt: skip
@pytest.mark.parametrize("option", ["base_url", "allowed_origins"])
def test_a_host_that_no_browser_finds_is_refused(option: str, url: str) -> None:
    with pytest.raises(ConfigError, match=f"{option}: set an absolute URL"):
        make_site(**{option: url if option == "base_url" else [url]})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name",
    ["Transfer-Encoding", "Upgrade", "Origin", "Set-Cookie", "X-Forwarded-For", "Accept-Language",
     "If-None-Match", "Sec-WebSocket-Key", "Content-Encoding", "Proxy-Authorization"],
)  # fmt: skip
def test_the_identity_takes_the_place_of_no_header_that_others_read(name: str) -> None:
    with pytest.raises(ConfigError, match="identity_header: set a header name of its own"):
        make_site(identity_header=name)
