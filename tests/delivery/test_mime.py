"""What is written is read back by the standard library's parser exactly, and injects nothing.

Security rule 16.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pwless_middleware.delivery.base import Message
from pwless_middleware.delivery.mime import Sender, compose
from pwless_middleware.errors import ConfigError

SENDER = Sender.parse("Acme <login@acme.example>")
NOW = 1_700_000_000

# What may stand in a subject: no control characters, no surrogates, no Unicode line ends.
line = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=200)
body = st.text(st.characters(exclude_categories=["Cs"]), max_size=2000)
local = st.from_regex(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}(\.[a-z0-9+_-]{1,20}){0,2}", fullmatch=True
)
domain = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z]{2,10}){0,3}", fullmatch=True)
address = st.builds("{}@{}".format, local, domain)

unhurried = settings(deadline=None)  # a shared machine may stall for longer than an example takes


def parse(data: bytes) -> EmailMessage:
    return message_from_bytes(data, policy=policy.default)


def write(subject: str = "Hi", text: str = "t", html: str = "h", to: str = "a@b.example") -> bytes:
    return compose(Message(to=to, subject=subject, text=text, html=html), sender=SENDER, now=NOW)


def lines_as_sent(text: str) -> str:
    return re.sub("\r\n|\r|\n", "\r\n", text)


@unhurried
@given(subject=line, text=body, html=body, to=address)
@example(subject="=?utf-8?q?x?=", text=".\n..\n", html=" \t\n \n", to="a@b.example")
@example(subject=" lead and trail ", text="a" * 5000, html="é" * 3000, to="a@b.example")
@example(subject="\U0001f511" * 60, text="tail ", html="\r", to="a@b.example")
def test_a_parser_gives_back_what_was_written(subject: str, text: str, html: str, to: str) -> None:
    data = write(subject=subject, text=text, html=html, to=to)
    parsed = parse(data)

    assert parsed["subject"] == subject
    assert parsed["to"] == to
    assert parsed.get_content_type() == "multipart/alternative"
    plain, rich = cast(list[EmailMessage], list(parsed.iter_parts()))
    assert (plain.get_content_type(), rich.get_content_type()) == ("text/plain", "text/html")
    assert plain.get_content() == lines_as_sent(text)
    assert rich.get_content() == lines_as_sent(html)
    assert not parsed.defects
    assert not plain.defects
    assert not rich.defects


@unhurried
@given(subject=line, text=body, html=body)
@example(subject="é" * 200, text="é" * 20 + "a" * 600, html=" " * 300)
def test_the_wire_sees_ascii_lines_of_76_ended_by_crlf(subject: str, text: str, html: str) -> None:
    data = write(subject=subject, text=text, html=html)

    assert data.isascii()
    assert data.endswith(b"--\r\n")
    for written in data.split(b"\r\n"):
        assert b"\r" not in written
        assert b"\n" not in written
        assert len(written) <= 76 or written.startswith(b"Content-Type: multipart/alternative")


@unhurried
@given(name=line)
@example(name='Acme, "Inc." \\')
@example(name="=?utf-8?q?x?=")
@example(name="Ácme")
@example(name="a" * 150)
def test_any_display_name_survives_and_leaves_the_address_alone(name: str) -> None:
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    sender = Sender.parse(f'"{quoted}" <login@acme.example>')
    data = compose(Message("a@b.example", "Hi", "t", "h"), sender=sender, now=NOW)
    (found,) = parse(data)["from"].addresses

    assert sender.address == "login@acme.example"
    assert found.addr_spec == "login@acme.example"
    # The library's parser leaves a space between adjacent encoded-words of a phrase (RFC 2047 §6.2
    # has it ignored), so that spaces are not compared.
    assert "".join(found.display_name.split()) == "".join(name.split())


def test_headers_say_who_when_and_that_a_machine_wrote_it() -> None:
    parsed = parse(write())

    assert parsed["from"] == "Acme <login@acme.example>"
    assert parsed["date"].datetime == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert parsed["message-id"].endswith("@acme.example>")
    assert parsed["auto-submitted"] == "auto-generated"
    assert parsed["x-auto-response-suppress"] == "All"
    assert parsed["mime-version"] == "1.0"


def test_no_two_mails_share_a_message_id_or_a_boundary() -> None:
    one, two = parse(write()), parse(write())

    assert one["message-id"] != two["message-id"]
    assert one.get_boundary() != two.get_boundary()


@pytest.mark.parametrize(
    "evil",
    [
        "Hi\r\nBcc: mallory@evil.example",
        "Hi\nBcc: mallory@evil.example",
        "Hi\rBcc: mallory@evil.example",
        "Hi\x00",
        "Hi\x1b[2J",
        "Hi\x7f",
        "Hi\x85Bcc: mallory@evil.example",
        "Hi\u2028Bcc: mallory@evil.example",
        "Hi\u2029Bcc: mallory@evil.example",
        "Hi\ud800",
    ],
)
def test_a_subject_cannot_inject_a_header(evil: str) -> None:
    with pytest.raises(ValueError, match="control character") as caught:
        write(subject=evil)
    assert "mallory" not in str(caught.value)


@pytest.mark.parametrize(
    "evil",
    [
        "ann@example.org\r\nBcc: mallory@evil.example",
        "ann@example.org\n",
        "ann@example.org, mallory@evil.example",
        "ann@example.org mallory@evil.example",
        "<ann@example.org>",
        "Ann <ann@example.org>",
        '"ann"@example.org',
        "ann@example.org> SIZE=1",
        "ann@exämple.org",
        "ann@example..org",
        "ann@[127.0.0.1]",
        "ann@example.org\u0131",
        "ann",
        "@example.org",
        "",
        "a" * 250 + "@b.example",
    ],
)
def test_a_recipient_is_one_plain_address_and_nothing_else(evil: str) -> None:
    with pytest.raises(ValueError, match="recipient is not one plain") as caught:
        write(to=evil)
    assert "ann@" not in str(caught.value)


def test_a_body_with_a_lone_surrogate_is_refused_without_being_quoted() -> None:
    with pytest.raises(ValueError, match="html part holds a lone surrogate") as caught:
        write(html="secret \ud800")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "address", "header"),
    [
        ("login@acme.example", "login@acme.example", "login@acme.example"),
        ("<login@acme.example>", "login@acme.example", "login@acme.example"),
        (" Acme Inc <l@acme.example> ", "l@acme.example", "Acme Inc <l@acme.example>"),
        ('"A, B" <l@acme.example>', "l@acme.example", '"A, B" <l@acme.example>'),
        ("A, B <l@acme.example>", "l@acme.example", '"A, B" <l@acme.example>'),
        ("dev@localhost", "dev@localhost", "dev@localhost"),
    ],
)
def test_a_sender_is_an_address_with_or_without_a_name(
    value: str, address: str, header: str
) -> None:
    sender = Sender.parse(value)

    assert (sender.address, sender.header) == (address, header)
    assert sender.domain == address.split("@")[1]


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Acme",
        "Acme <>",
        "Acme <login>",
        "Acme <a@b.example> <c@d.example>",
        "a@b.example, c@d.example",
        "login@exämple.org",
        "Acme\r\nBcc: x@y.example <a@b.example>",
        "Acme <a@b.example>\n",
        f"Acme <{'a' * 250}@b.example>",
    ],
)
def test_a_bad_sender_is_a_config_error_that_says_what_to_set(value: str) -> None:
    with pytest.raises(ConfigError, match="set an address such as") as caught:
        Sender.parse(value)
    assert caught.value.option == "sender"


def test_a_from_line_is_folded_only_where_it_is_too_long(message: Message) -> None:
    """Some readers do not unfold, and lose the sender."""
    for name, is_folded in (("Acme", False), ("A" * 60, True), ("Ä" * 5, False), ("Ä" * 60, True)):
        sender = Sender.parse(f"{name} <login@acme.example>")
        data = compose(message, sender=sender, now=1)
        line = data.split(b"\r\n")[0]
        assert line.startswith(b"From: ")
        assert line.endswith(b" <login@acme.example>") is not is_folded
        assert len(line) <= 76
        parsed = message_from_bytes(data, policy=policy.default)
        # The standard library keeps the space between encoded words, against RFC 2047 §6.2.
        assert parsed["from"].addresses[0].display_name.replace(" ", "") == name


def test_no_two_mails_are_one_conversation(message: Message) -> None:
    """Gmail would show the older one, and hide the code of the newer."""
    sender = Sender.parse("login@acme.example")
    mails = [
        message_from_bytes(compose(message, sender=sender, now=1), policy=policy.default)
        for _ in range(2)
    ]
    for header in ("Message-ID", "References", "X-Entity-Ref-ID"):
        first, second = (str(mail[header]) for mail in mails)
        assert first
        assert first != second
    assert mails[0]["references"] != mails[0]["message-id"]


def test_an_international_domain_is_a_recipient_as_any(message: Message) -> None:
    sender = Sender.parse("Acme <login@xn--acm-epa.example>")
    data = compose(replace(message, to="jo@xn--strae-oqa.example"), sender=sender, now=1)
    assert b"\r\nTo: jo@xn--strae-oqa.example\r\n" in data
