"""The mailer against real servers: what goes over the wire, and what each trouble becomes."""

from __future__ import annotations

import asyncio
import gc
import logging
import ssl
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

import pytest

from pwless_middleware.delivery.base import (
    Mailer,
    MaybeDelivered,
    Message,
    RecipientDeferred,
    RecipientRefused,
)
from pwless_middleware.delivery.smtp.mailer import SMTPMailer
from pwless_middleware.errors import ConfigError, DeliveryError

if TYPE_CHECKING:
    from tests.delivery.conftest import Recorder, Script, StartScript, StartSMTP

pytestmark = pytest.mark.anyio

SENDER = "Acme <login@acme.example>"
LOGIN = "us%3Aer:p%40ss%2Fw%C3%B6rd"
PASSWORD = "p@ss/wörd"


def mailer_at(port: int, *, login: str = "", host: str = "127.0.0.1", **options: Any) -> SMTPMailer:
    at = f"{login}@" if login else ""
    return SMTPMailer(f"smtp://{at}{host}:{port}", sender=SENDER, **options)


async def until(is_so: Callable[[], bool]) -> None:
    """Let the loop turn until something is so: the other side runs on the same loop."""
    async with asyncio.timeout(30):
        while not is_so():  # noqa: ASYNC110 # nobody sets an event when a connection is lost
            await asyncio.sleep(0)


async def failure_of(mailer: SMTPMailer, message: Message) -> DeliveryError:
    """Send, and return what was raised, which must quote nothing secret."""
    with pytest.raises(DeliveryError) as caught:
        await mailer.send(message)
    told = str(caught.value)
    for secret in (message.to, PASSWORD, "us:er", "123456"):
        assert secret not in told
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    return caught.value


# What goes over the wire


async def test_one_mail_goes_to_one_explicit_recipient(
    start_smtp: StartSMTP, recorder: Recorder, message: Message
) -> None:
    mailer = mailer_at(await start_smtp(recorder), clock=lambda: 1_700_000_000.5)
    await mailer.send(message)
    await mailer.aclose()

    (envelope,) = recorder.envelopes
    assert envelope.mail_from == "login@acme.example"
    assert envelope.rcpt_tos == ["ann@example.org"]
    assert isinstance(envelope.content, bytes)
    parsed = message_from_bytes(envelope.content, policy=policy.default)
    assert parsed["to"] == "ann@example.org"
    assert parsed["subject"] == "Sign in to Acme"
    assert parsed["date"] == "Tue, 14 Nov 2023 22:13:20 +0000"
    body = parsed.get_body(("plain",))
    assert body is not None
    assert body.get_content() == "Your code:\r\n\r\n123456\r\n"
    assert recorder.helos == ["acme.example"]


async def test_lines_that_begin_with_a_dot_arrive_whole(
    start_smtp: StartSMTP, recorder: Recorder, message: Message
) -> None:
    mailer = mailer_at(await start_smtp(recorder))
    await mailer.send(replace(message, text=".\n..\n.hidden\n"))
    await mailer.aclose()

    content = recorder.envelopes[0].content
    assert isinstance(content, bytes)
    body = message_from_bytes(content, policy=policy.default).get_body(("plain",))
    assert body is not None
    assert body.get_content() == ".\r\n..\r\n.hidden\r\n"


async def test_the_ehlo_name_can_be_set(
    start_smtp: StartSMTP, recorder: Recorder, message: Message
) -> None:
    mailer = mailer_at(await start_smtp(recorder), helo="[192.0.2.1]")
    await mailer.send(message)
    await mailer.aclose()

    assert recorder.helos == ["[192.0.2.1]"]


@pytest.mark.parametrize(
    "evil",
    [
        {"to": "ann@example.org\r\nRCPT TO:<mallory@evil.example>"},
        {"to": "ann@example.org,mallory@evil.example"},
        {"to": "ann@example.org> NOTIFY=NEVER"},
        {"subject": "Hi\r\nBcc: mallory@evil.example"},
        {"subject": "Hi\r\n\r\n.\r\nMAIL FROM:<mallory@evil.example>"},
        {"html": "\ud800"},
    ],
)
async def test_an_injection_never_reaches_the_wire(
    start_script: StartScript, message: Message, evil: dict[str, str]
) -> None:
    script = await start_script()
    failure = await failure_of(mailer_at(script.port), replace(message, **evil))

    assert failure.permanent
    assert "mallory" not in str(failure)
    assert script.connections == 0


async def test_a_body_cannot_end_the_message_and_start_another(
    start_smtp: StartSMTP, recorder: Recorder, message: Message
) -> None:
    smuggled = "\n.\nMAIL FROM:<x@evil.example>\r\n.\r\n\r.\rRCPT TO:<y@evil.example>\n"
    mailer = mailer_at(await start_smtp(recorder))
    await mailer.send(replace(message, text=smuggled, html=smuggled))
    await mailer.aclose()

    assert len(recorder.envelopes) == 1


# TLS and login


async def test_a_password_goes_only_after_starttls(
    start_smtp: StartSMTP,
    recorder: Recorder,
    message: Message,
    server_tls: ssl.SSLContext,
    client_tls: ssl.SSLContext,
) -> None:
    port = await start_smtp(
        recorder,
        tls_context=server_tls,
        require_starttls=True,
        auth_required=True,
        authenticator=recorder.authenticate,
    )
    mailer = mailer_at(port, login=LOGIN, host="localhost", tls_context=client_tls)
    await mailer.send(message)
    await mailer.check()
    await mailer.aclose()

    assert recorder.is_tls == [True]
    assert recorder.logins == [(b"us:er", PASSWORD.encode())] * 2


async def test_starttls_is_used_where_it_is_offered(
    start_smtp: StartSMTP,
    recorder: Recorder,
    message: Message,
    server_tls: ssl.SSLContext,
    client_tls: ssl.SSLContext,
) -> None:
    port = await start_smtp(recorder, tls_context=server_tls)
    for starttls in (None, "never"):
        mailer = mailer_at(port, host="localhost", tls_context=client_tls, starttls=starttls)
        await mailer.send(message)
        await mailer.aclose()

    assert recorder.is_tls == [True, False]


async def test_smtps_is_tls_from_the_first_byte(
    start_smtp: StartSMTP,
    recorder: Recorder,
    message: Message,
    server_tls: ssl.SSLContext,
    client_tls: ssl.SSLContext,
) -> None:
    port = await start_smtp(recorder, implicit_tls=server_tls, require_starttls=False)
    mailer = SMTPMailer(f"smtps://localhost:{port}", sender=SENDER, tls_context=client_tls)
    await mailer.send(message)
    await mailer.send(message)
    await mailer.aclose()

    assert len(recorder.envelopes) == 2
    assert len(recorder.connections) == 1


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_a_certificate_that_nobody_vouches_for_is_refused(
    start_smtp: StartSMTP,
    recorder: Recorder,
    message: Message,
    server_tls: ssl.SSLContext,
    scheme: str,
) -> None:
    implicit = server_tls if scheme == "smtps" else None
    port = await start_smtp(recorder, implicit_tls=implicit, tls_context=server_tls)
    starttls = "required" if scheme == "smtp" else None
    mailer = SMTPMailer(f"{scheme}://localhost:{port}", sender=SENDER, starttls=starttls)  # type: ignore[arg-type]
    failure = await failure_of(mailer, message)

    assert not failure.permanent
    assert "certificate is not accepted" in str(failure)
    assert recorder.envelopes == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_relay_on_this_machine_may_have_a_certificate_of_its_own_making(
    start_smtp: StartSMTP,
    recorder: Recorder,
    message: Message,
    server_tls: ssl.SSLContext,
    host: str,
) -> None:
    """Debian's Postfix as it comes; the same mail would go to it in clear (RFC 7435)."""
    port = await start_smtp(recorder, tls_context=server_tls)
    mailer = mailer_at(port, host=host)
    await mailer.send(message)
    await mailer.aclose()

    assert recorder.is_tls == [True]


@pytest.mark.parametrize(
    ("login", "options"),
    [
        (LOGIN, {}),
        ("", {"starttls": "required"}),
        ("", {"tls_context": ssl.create_default_context()}),
    ],
)
async def test_it_may_not_where_there_is_a_password_or_a_wish(
    start_smtp: StartSMTP,
    recorder: Recorder,
    message: Message,
    server_tls: ssl.SSLContext,
    login: str,
    options: dict[str, Any],
) -> None:
    port = await start_smtp(recorder, tls_context=server_tls, authenticator=recorder.authenticate)
    failure = await failure_of(mailer_at(port, login=login, host="localhost", **options), message)

    assert "certificate is not accepted" in str(failure)
    assert recorder.logins == []
    assert recorder.envelopes == []


@pytest.mark.parametrize("refusal", ["500 what?", "502 5.5.1 not implemented", "550 no"])
async def test_a_server_that_knows_no_ehlo_is_greeted_with_helo(
    start_script: StartScript, message: Message, refusal: str
) -> None:
    script = await start_script(EHLO=refusal)
    mailer = mailer_at(script.port)
    await mailer.send(message)
    await mailer.aclose()

    assert script.commands[:3] == ["EHLO acme.example", "HELO acme.example", script.commands[2]]
    assert len(script.messages) == 1


async def test_a_server_that_knows_neither_is_temporary_and_gets_no_password(
    start_script: StartScript, message: Message
) -> None:
    script = await start_script(EHLO="502 what?", HELO="502 what?")
    assert str(await failure_of(mailer_at(script.port), message)).endswith("502")

    script = await start_script(EHLO="502 what?")
    failure = await failure_of(mailer_at(script.port, login=LOGIN, starttls="required"), message)
    assert "offers no STARTTLS" in str(failure)
    failure = await failure_of(mailer_at(script.port, login=LOGIN), message)
    assert "no AUTH method in common" in str(failure)
    assert not any(command.startswith("AUTH") for command in script.commands)


@pytest.mark.parametrize(
    "offer", ["AUTH LOGIN", "AUTH=LOGIN", "auth=login", " AUTH =LOGIN", "AUTH=CRAM-MD4,LOGIN"]
)
async def test_a_login_word_by_word_as_old_servers_want_it(
    start_script: StartScript, message: Message, offer: str
) -> None:
    user, password = (b64encode(word.encode()).decode() for word in ("us:er", PASSWORD))
    script = await start_script(
        EHLO=f"250-script\r\n250 {offer}",
        AUTH="334 VXNlcm5hbWU6",
        **{user.upper(): "334 UGFzc3dvcmQ6", password.upper(): "235 2.7.0 welcome"},
    )
    mailer = mailer_at(script.port, login=LOGIN)
    await mailer.send(message)
    await mailer.aclose()

    assert script.commands[1:4] == ["AUTH LOGIN", user, password]


async def test_a_plain_login_that_is_not_taken_beside_the_command_comes_behind_it(
    start_script: StartScript, message: Message
) -> None:
    response = b64encode(f"\0us:er\0{PASSWORD}".encode()).decode()
    script = await start_script(
        EHLO="250-script\r\n250 AUTH PLAIN",
        AUTH=["501 5.5.4 no initial response", "334 "],
        **{response.upper(): "235 2.7.0 welcome"},
    )
    mailer = mailer_at(script.port, login=LOGIN)
    await mailer.send(message)
    await mailer.aclose()

    assert script.commands[1:4] == [f"AUTH PLAIN {response}", "AUTH PLAIN", response]


async def test_a_server_that_strips_starttls_gets_no_password(
    start_script: StartScript, message: Message
) -> None:
    script = await start_script(EHLO="250-script\r\n250 AUTH PLAIN LOGIN")
    mailer = mailer_at(script.port, login=LOGIN, starttls="required")
    failure = await failure_of(mailer, message)

    assert not failure.permanent
    assert "offers no STARTTLS" in str(failure)
    assert [command.split()[0] for command in script.commands] == ["EHLO"]


async def test_a_refused_login_is_temporary_and_one_error_in_the_log(
    start_smtp: StartSMTP,
    recorder: Recorder,
    message: Message,
    caplog: pytest.LogCaptureFixture,
) -> None:
    port = await start_smtp(recorder, authenticator=recorder.authenticate, auth_require_tls=False)
    mailer = mailer_at(port, login="us%3Aer:wrong-secret")
    for _ in range(2):
        failure = await failure_of(mailer, message)
        assert not failure.permanent
        assert "refuses the login: 535 5.7.8" in str(failure)
    (record,) = [r for r in caplog.records if r.name == "pwless.delivery"]
    assert record.levelno == logging.ERROR
    assert vars(record)["event"] == "smtp_login_refused"
    assert "wrong-secret" not in str(vars(record))
    assert "us:er" not in str(vars(record))


async def test_a_server_without_auth_is_told_from_a_wrong_password(
    start_script: StartScript, message: Message
) -> None:
    script = await start_script()
    failure = await failure_of(mailer_at(script.port, login=LOGIN), message)

    assert "no AUTH method in common" in str(failure)


async def test_a_method_that_does_not_work_leads_to_the_next(
    start_script: StartScript, message: Message
) -> None:
    script = await start_script(
        EHLO="250-script\r\n250 AUTH PLAIN CRAM-MD5 LOGIN", AUTH=["504 no", "334 ", "504 no"]
    )
    failure = await failure_of(mailer_at(script.port, login=LOGIN), message)

    assert str(failure).endswith("504")
    methods = [command.split()[1] for command in script.commands if command.startswith("AUTH")]
    assert methods == ["PLAIN", "LOGIN", "CRAM-MD5"]


async def test_a_server_that_hangs_up_at_the_login_is_temporary(
    start_script: StartScript, message: Message
) -> None:
    script = await start_script(EHLO="250-script\r\n250 AUTH PLAIN", AUTH="close")
    failure = await failure_of(mailer_at(script.port, login=LOGIN), message)

    assert not failure.permanent
    assert "cannot be used" in str(failure)


# Replies and breakdowns


@pytest.mark.parametrize(
    ("stage", "reply", "kind", "permanent", "numbers"),
    [
        ("GREETING", "554 5.3.2 not today ann@example.org", DeliveryError, False, "554 5.3.2"),
        ("GREETING", "421 busy", DeliveryError, False, "421"),
        ("EHLO", "421 busy", DeliveryError, False, "421"),
        ("EHLO", "450 not now", DeliveryError, False, "450"),
        ("MAIL", "451 4.7.1 greylisted", DeliveryError, False, "451 4.7.1"),
        ("MAIL", "550 no credit", DeliveryError, True, "550"),
        ("RCPT", "450 4.2.1 <ann@example.org> is slow", RecipientDeferred, False, "450 4.2.1"),
        ("RCPT", "550 5.1.1 <ann@example.org> unknown", RecipientRefused, True, "550 5.1.1"),
        ("DATA", "451 try later", RecipientDeferred, False, "451"),
        ("DATA", "554 no valid recipients", DeliveryError, True, "554"),
        ("MESSAGE", "452 4.3.1 disk full", RecipientDeferred, False, "452 4.3.1"),
        ("MESSAGE", "554 5.7.1 code 123456 is spam", DeliveryError, True, "554 5.7.1"),
        ("MAIL", "nonsense", DeliveryError, False, "-1"),
    ],
)
async def test_a_reply_decides_whether_another_try_can_help(
    start_script: StartScript,
    message: Message,
    stage: str,
    reply: str,
    kind: type[DeliveryError],
    permanent: bool,
    numbers: str,
) -> None:
    script = await start_script(**{stage: reply})
    mailer = mailer_at(script.port)
    failure = await failure_of(mailer, message)
    await mailer.aclose()

    assert type(failure) is kind
    assert failure.permanent is permanent
    assert str(failure).endswith(numbers)
    assert script.connections == 1


@pytest.mark.parametrize("breakdown", ["close", "hang"])
@pytest.mark.parametrize("stage", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "MESSAGE"])
async def test_a_server_that_dies_or_hangs_is_temporary_at_every_stage(
    start_script: StartScript, message: Message, stage: str, breakdown: str
) -> None:
    script = await start_script(**{stage: breakdown})
    failure = await failure_of(mailer_at(script.port, timeout=0.05), message)

    assert not failure.permanent
    assert isinstance(failure, MaybeDelivered) is (stage in ("DATA", "MESSAGE"))
    assert script.connections == 1


async def test_nobody_listening_is_temporary_and_says_so(
    start_script: StartScript, message: Message, unused_tcp_port: int
) -> None:
    failure = await failure_of(mailer_at(unused_tcp_port), message)

    assert not failure.permanent
    assert f"mail server 127.0.0.1:{unused_tcp_port} cannot be used: Connect" in str(failure)


async def test_a_server_that_speaks_no_tls_on_smtps_is_temporary(
    start_script: StartScript, message: Message
) -> None:
    script = await start_script()
    mailer = SMTPMailer(f"smtps://127.0.0.1:{script.port}", sender=SENDER, timeout=1)
    failure = await failure_of(mailer, message)

    assert not failure.permanent
    assert "it speaks no TLS from the start" in str(failure)


# Connections


async def test_a_connection_serves_many_mails(
    start_smtp: StartSMTP, recorder: Recorder, message: Message
) -> None:
    mailer = mailer_at(await start_smtp(recorder))
    for _ in range(3):
        await mailer.send(message)
    await mailer.aclose()

    assert len(recorder.envelopes) == 3
    assert len(recorder.connections) == 1


async def test_a_refused_recipient_costs_no_connection(
    start_script: StartScript, message: Message
) -> None:
    script = await start_script(RCPT=["550 5.1.1 unknown", "250 ok"])
    mailer = mailer_at(script.port)
    await failure_of(mailer, message)
    await mailer.send(message)
    await mailer.aclose()

    assert script.connections == 1
    verbs = [command.split()[0] for command in script.commands]
    assert verbs == ["EHLO", "MAIL", "RCPT", "RSET", "MAIL", "RCPT", "DATA", "QUIT"]


@pytest.mark.parametrize("reset", ["close", "500 what?"])
async def test_a_connection_that_cannot_be_reset_is_not_used_again(
    start_script: StartScript, message: Message, reset: str
) -> None:
    script = await start_script(RCPT=["550 5.1.1 unknown", "250 ok"], RSET=reset)
    mailer = mailer_at(script.port)
    await failure_of(mailer, message)
    await mailer.send(message)
    await mailer.aclose()

    assert script.connections == 2


@pytest.mark.parametrize(
    "second", [{"MAIL": ["250 ok", "421 idle too long", "250 ok"]}, {"RCPT": ["250 ok", "close"]}]
)
async def test_a_dead_reused_connection_is_replaced_and_the_mail_goes_once(
    start_script: StartScript, message: Message, second: dict[str, list[str]]
) -> None:
    if "RCPT" in second:
        second["RCPT"].append("250 ok")
    script = await start_script(**second)
    mailer = mailer_at(script.port)
    await mailer.send(message)
    await mailer.send(message)
    await mailer.aclose()

    assert script.connections == 2
    assert len(script.messages) == 2


async def test_a_reused_connection_that_hangs_is_replaced(
    start_script: StartScript, message: Message
) -> None:
    script = await start_script(MAIL=["250 ok", "hang", "250 ok"])
    mailer = mailer_at(script.port, timeout=0.05)
    await mailer.send(message)
    await mailer.send(message)
    await mailer.aclose()

    assert script.connections == 2
    assert len(script.messages) == 2


async def test_a_server_that_was_restarted_is_noticed_before_the_next_mail(
    start_script: StartScript, message: Message
) -> None:
    script = await start_script()
    mailer = mailer_at(script.port)
    await mailer.send(message)
    (client,) = idle_clients(mailer)
    script.hang_up()
    await until(lambda: not client.is_connected)
    await mailer.send(message)
    await mailer.aclose()

    assert script.connections == 2


async def test_a_reconnect_is_tried_once_and_then_the_queue_decides(
    start_script: StartScript, message: Message
) -> None:
    script = await start_script(MAIL=["250 ok", "close"])
    mailer = mailer_at(script.port)
    await mailer.send(message)
    failure = await failure_of(mailer, message)

    assert not failure.permanent
    assert script.connections == 2


@pytest.mark.parametrize("stage", ["DATA", "MESSAGE"])
async def test_a_mail_that_may_have_been_accepted_is_never_sent_twice_from_here(
    start_script: StartScript, message: Message, stage: str
) -> None:
    good = "354 go on" if stage == "DATA" else "250 taken"
    script = await start_script(**{stage: [good, "close", good]})
    mailer = mailer_at(script.port)
    await mailer.send(message)
    failure = await failure_of(mailer, message)

    assert isinstance(failure, MaybeDelivered)
    assert script.connections == 1


async def test_no_more_connections_at_a_time_than_were_set(
    start_smtp: StartSMTP, recorder: Recorder, message: Message
) -> None:
    mailer = mailer_at(await start_smtp(recorder), connections=2)
    assert mailer.parallel == 2
    await asyncio.gather(*(mailer.send(message) for _ in range(10)))
    await mailer.aclose()

    assert len(recorder.envelopes) == 10
    assert len(recorder.connections) == 2


async def test_an_idle_connection_is_closed_in_time(
    start_script: StartScript, message: Message
) -> None:
    script = await start_script()
    mailer = mailer_at(script.port, idle=0)
    await mailer.send(message)
    await mailer.send(message)  # at once: the connection is still there
    (client,) = idle_clients(mailer)
    await until(lambda: not client.is_connected)

    assert idle_clients(mailer) == []
    assert script.connections == 1
    await mailer.aclose()


@pytest.mark.parametrize("stage", ["GREETING", "RCPT", "RSET", "MESSAGE"])
async def test_a_cancelled_send_leaves_no_connection_behind(
    start_script: StartScript, message: Message, stage: str
) -> None:
    script = await start_script(
        **{stage: "hang"}, **({"RCPT": "550 no"} if stage == "RSET" else {})
    )
    mailer = mailer_at(script.port)
    task = asyncio.create_task(mailer.send(message))
    await until(lambda: has_reached(script, stage))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert idle_clients(mailer) == []
    await mailer.aclose()


def has_reached(script: Script, stage: str) -> bool:
    if stage == "GREETING":
        return script.connections > 0
    if stage == "MESSAGE":
        return bool(script.messages)
    return any(command.startswith(stage) for command in script.commands)


def idle_clients(mailer: SMTPMailer) -> list[Any]:
    """The connections that the mailer keeps for later, in this loop."""
    pool = mailer._connections._pools.find()
    return [client for client, _ in pool._idle] if pool else []


async def test_a_send_that_ends_after_closing_keeps_nothing(
    start_script: StartScript, message: Message
) -> None:
    script = await start_script()
    mailer = mailer_at(script.port, connections=1)
    await mailer.send(message)
    (client,) = idle_clients(mailer)
    sending = asyncio.create_task(mailer.send(message))
    await until(lambda: not idle_clients(mailer))
    await mailer.aclose()
    await sending

    assert not client.is_connected
    assert len(script.messages) == 2


async def test_closing_is_polite_may_be_repeated_and_is_not_final(
    start_script: StartScript, message: Message
) -> None:
    script = await start_script()
    mailer = mailer_at(script.port)
    await mailer.aclose()
    await mailer.send(message)
    await mailer.aclose()
    await mailer.aclose()
    assert script.commands[-1] == "QUIT"

    await mailer.send(message)
    await mailer.aclose()
    assert script.connections == 2


async def test_closing_survives_a_server_that_does_not(
    start_script: StartScript, message: Message
) -> None:
    script = await start_script(QUIT="close")
    mailer = mailer_at(script.port)
    await mailer.send(message)
    await mailer.aclose()
    await mailer.check()

    assert script.connections == 2


def test_a_mailer_serves_one_event_loop_after_another(message: Message, script: Script) -> None:
    """As under a test client that runs each request in a loop of its own, and closes nothing."""
    listening = threading.Event()
    end: list[Callable[[], object]] = []

    async def serve() -> None:
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        end.append(lambda: loop.call_soon_threadsafe(ended.set))
        async with await asyncio.start_server(script.serve, "127.0.0.1", 0) as server:
            script.port = server.sockets[0].getsockname()[1]
            listening.set()
            await ended.wait()

    async def request_deadline(mailer: SMTPMailer) -> None:
        await mailer.send(message)
        await mailer.send(message)

    thread = threading.Thread(target=asyncio.run, args=[serve()])
    thread.start()
    try:
        assert listening.wait(30)
        mailer = mailer_at(script.port)
        for _ in range(3):
            asyncio.run(request_deadline(mailer))
        gc.collect()  # an unclosed transport would warn here, and warnings are errors
    finally:
        end[0]()
        thread.join()

    assert script.connections == 3
    assert len(script.messages) == 6
    assert len(mailer._connections._pools) == 1


async def test_check_connects_and_tells_what_is_wrong(
    start_script: StartScript, unused_tcp_port: int
) -> None:
    script = await start_script()
    await mailer_at(script.port).check()
    assert script.commands == ["EHLO acme.example", "QUIT"]

    with pytest.raises(DeliveryError, match="cannot be used"):
        await mailer_at(unused_tcp_port).check()


# Options


@pytest.mark.parametrize(
    ("url", "host", "port", "tls"),
    [
        ("smtp://mail.example", "mail.example", 587, "auto"),
        ("smtp://mail.example/", "mail.example", 587, "auto"),
        ("SMTP://Mail.Example:25", "mail.example", 25, "auto"),
        ("smtp://mail_pit:1025?starttls=never", "mail_pit", 1025, "never"),
        ("smtps://mail.example", "mail.example", 465, "implicit"),
        ("smtps://u:p@mail.example", "mail.example", 465, "implicit"),
        ("smtp://u:p@mail.example", "mail.example", 587, "required"),
        ("smtp://u:p@mail.example?starttls=required", "mail.example", 587, "required"),
        ("smtp://u:p@localhost", "localhost", 587, "auto"),
        ("smtp://u:p@mail.localhost", "mail.localhost", 587, "auto"),
        ("smtp://u:p@127.0.0.1?starttls=never", "127.0.0.1", 587, "never"),
        ("smtp://u:p@[::1]:25", "::1", 25, "auto"),
        ("smtp://u:p@192.0.2.1", "192.0.2.1", 587, "required"),
    ],
)
async def test_the_url_decides_where_and_whether_tls(
    url: str, host: str, port: int, tls: str
) -> None:
    mailer = SMTPMailer(url, sender=SENDER)

    assert repr(mailer) == f"SMTPMailer(host={host!r}, port={port}, tls={tls!r})"
    assert isinstance(mailer, Mailer)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mail.example",
        "http://u:hunter2@mail.example",
        "smtp://u:hunter2@",
        "smtp://u:hunter2@mail.example:notaport",
        "smtp://u:hunter2@mail.example:0",
        "smtp://u:hunter2@mail.example:99999",
        "smtp://u:hunter2#x@mail.example",
        "smtp://u:hunter2/x@mail.example",
        "smtp://u:hun[ter2@mail.example",
        "smtp://u:hunter2@mail.example/inbox",
        "smtp://u:hunter2@mail.example#",
        "smtp://u:hunter2@exämple.org",
        "smtp://u:hunter2@mail.example\n",
        "smtp://u:hunter2 @mail.example",
        "smtp://hunter2@mail.example",
        "smtp://:hunter2@mail.example",
        "smtp://u:@mail.example",
        "smtp://u:hunter2%00@mail.example",
        "smtp://u:hunter2\udce9@mail.example",
        "smtp://u:hunter2%0d%0aMAIL@mail.example",
        "smtp://u:hunter2%ff@mail.example",
        "smtp://u:hunter2@mail.example?starttls=maybe",
        "smtp://u:hunter2@mail.example?tls=required",
        "smtp://u:hunter2@mail.example?starttls=required&starttls=required",
        "smtp://u:hunter2@mail.example:465",
        "smtps://u:hunter2@mail.example:587",
    ],
)
async def test_a_bad_url_is_a_config_error_that_does_not_quote_it(url: str) -> None:
    with pytest.raises(ConfigError, match="set smtp://") as caught:
        SMTPMailer(url, sender=SENDER)
    assert caught.value.option == "mailer"
    assert "hunter2" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("url", "options", "option"),
    [
        ("smtp://u:p@mail.example", {"starttls": "auto"}, "starttls"),
        ("smtp://u:p@mail.example", {"starttls": "never"}, "starttls"),
        ("smtp://u:p@mail.example?starttls=never", {}, "starttls"),
        ("smtp://mail.example?starttls=never", {"starttls": "auto"}, "starttls"),
        ("smtps://mail.example", {"starttls": "required"}, "starttls"),
        ("smtp://mail.example", {"starttls": "maybe"}, "starttls"),
        ("smtp://mail.example", {"sender": "Acme"}, "sender"),
        ("smtp://mail.example", {"timeout": 0}, "timeout"),
        ("smtp://mail.example", {"connections": 0}, "connections"),
        ("smtp://mail.example", {"idle": -1}, "idle"),
        ("smtp://mail.example", {"helo": "a b"}, "helo"),
        ("smtp://mail.example", {"helo": ""}, "helo"),
        ("smtp://mail.example", {"helo": b"a.example"}, "helo"),
        (None, {}, "mailer"),
        (b"smtp://mail.example", {}, "mailer"),
        ("smtp://mail.example", {"sender": None}, "sender"),
        ("smtp://mail.example", {"timeout": "10"}, "timeout"),
        ("smtp://mail.example", {"timeout": True}, "timeout"),
        ("smtp://mail.example", {"timeout": float("nan")}, "timeout"),
        ("smtp://mail.example", {"timeout": float("inf")}, "timeout"),
        ("smtp://mail.example", {"connections": "2"}, "connections"),
        ("smtp://mail.example", {"connections": True}, "connections"),
        ("smtp://mail.example", {"connections": 2.5}, "connections"),
        ("smtp://mail.example", {"idle": None}, "idle"),
        ("smtp://mail.example", {"tls_context": True}, "tls_context"),
        ("smtp://mail.example", {"clock": 5}, "clock"),
    ],
)
async def test_a_bad_option_is_a_config_error_that_names_it(
    url: Any, options: dict[str, Any], option: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        SMTPMailer(url, **{"sender": SENDER, **options})
    assert caught.value.option == option


def test_a_port_that_speaks_the_other_scheme_is_named_with_it() -> None:
    with pytest.raises(ConfigError, match="has port 465, which speaks smtps://"):
        SMTPMailer("smtp://mail.example:465", sender=SENDER)


async def test_the_password_shows_nowhere() -> None:
    mailer = SMTPMailer("smtp://user:hunter2@mail.example", sender=SENDER)

    assert "hunter2" not in repr(mailer)
    assert "hunter2" not in repr(vars(mailer))
    assert "hunter2" not in repr(vars(mailer._connections))


def test_importing_the_mailer_imports_no_smtp_client() -> None:
    code = (
        "import sys, pwless_middleware.delivery.smtp.mailer, pwless_middleware.delivery.fallback\n"
        "sys.exit('aiosmtplib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
