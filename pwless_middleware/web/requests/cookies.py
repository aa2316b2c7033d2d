"""Our cookies: read from raw bytes, written with every flag (security rule 11).

Reading is by hand. Python's `SimpleCookie` unquotes, and frameworks strip characters that browsers
keep; an attacker on a sister domain uses such differences to plant a second cookie of our name
(RFC 6265bis §8.6). Here a name matches byte for byte, only SP and HTAB are trimmed, and two cookies
of one name are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from pwless_middleware.core.challenges.challenge import ID_BYTES, ChallengeId
from pwless_middleware.core.keys.keyring import Keyring
from pwless_middleware.core.logins.device_cookie import (
    DEVICE_SECONDS,
    Known,
    open_known,
    seal_known,
)
from pwless_middleware.flows.sessions.sessions import TOKEN_PREFIX
from pwless_middleware.web.requests.cookie_names import CookieNames
from pwless_middleware.web.requests.language import COOKIE as LANGUAGE_COOKIE
from pwless_middleware.web.requests.language import COOKIE_SECONDS as LANGUAGE_SECONDS

RawHeader = tuple[bytes, bytes]
RawHeaders = Iterable[RawHeader]

_Split = tuple[bytes, str | None, int, tuple[bytes, ...]]
"""What is left of a `Cookie` header, our session cookie if there is one, how many of its name there
are, and the cookies of other instances."""

MAX_FLOW = 3
"""Recent challenges that a flow cookie keeps, so that a form sent twice kills no link."""
MAX_LOGIN_ID = 100
"""Characters of a pending login's id, at most; it has 59."""
MAX_PASSKEYS = 64
"""Bytes that a passkey cookie holds, at most."""
MAX_TRUSTED = 3
"""People who can trust one browser, as of `core.logins.device_cookie`."""
TRUSTED_ID_BYTES = 16
MAX_SETUP = 64
"""Bytes that a set-up cookie holds, at most."""
_DEFAULT = b"pwless"
_KEPT = 1000
_SHORT = 1024
"""Headers with cookies of ours whose reading is kept, and the bytes that such a header has at most:
3 MiB in all."""
_LONGEST_HEADER = 65_536
"""Bytes of a header that is read for cookies of ours; browsers stop far below, and so do most
servers. A longer one has none, for whoever reads it, and is kept from the app: each of its cookies
would take a microsecond."""
# The cookies of any instance with a default name (`default_cookie_name`).
_ANY = re.compile(
    rb"(?:__Host-)?pwless(?:-[0-9a-f]{8})?"
    rb"(?:-(?:flow|device|pending|passkeys|trusted|setup|sso))?="
)


def read_cookie(headers: RawHeaders, name_is: bytes) -> str | None:
    """Return a cookie's value, or `None` if there is none, or more than one, or it is not ASCII.

    Args:
        headers: as in the scope.
        name_is: the exact name with `=` behind it.
    """
    found: list[bytes] = []
    for key, value in headers:
        if key == b"cookie" and len(value) <= _LONGEST_HEADER:
            _find(value, name_is, found)
    return _only(found)


def _find(value: bytes, name_is: bytes, found: list[bytes]) -> None:
    """Add the values of the cookies of a name to those found, up to two: more say nothing else.

    One pass from one occurrence of the name to the next, so that a header of any number of cookies
    costs little: a page of ours reads it several times (security rule 23).
    """
    end, at = 0, value.find(name_is)
    while at >= 0 and len(found) < 2:
        begin = value.rfind(b";", end, at) + 1 or end
        end = value.find(b";", at)
        if end < 0:
            end = len(value)
        cookie = value[begin:end].strip(b" \t")
        if cookie.startswith(name_is):
            found.append(cookie[len(name_is) :])
        at = value.find(name_is, end)


def _only(values: list[bytes]) -> str | None:
    return values[0].decode() if len(values) == 1 and values[0].isascii() else None


def _no_token(value: str | None) -> str | None:
    return None if value is None or value.startswith(TOKEN_PREFIX) else value


class Cookies:
    """Read and write our cookies.

    Args:
        keyring: signs.
        cookie_name: the option.
        secure: whether the origin is https; sets `Secure` and the `__Host-` prefix.
    """

    def __init__(self, keyring: Keyring, *, cookie_name: str, secure: bool) -> None:
        self._keyring = keyring
        self._secure = secure
        self.names = CookieNames.of(cookie_name, secure=secure)
        self._ours = self.names.all
        self._is_named = _DEFAULT not in self.names.session
        self._stem = self.names.session.removesuffix(b"=")
        # A browser sends the same header again and again.
        self._splits: dict[bytes, _Split] = {}

    def _write(self, name: bytes, value: str, max_age: int) -> str:
        flags = f"; Max-Age={max_age}; Path=/; HttpOnly; SameSite=Lax"
        return name.decode() + value + flags + ("; Secure" if self._secure else "")

    @property
    def key_id(self) -> str:
        """Fingerprint of the key that seals now; a challenge is held under the same one."""
        return self._keyring.current

    # --- session -------------------------------------------------------------------------------

    def session(self, headers: RawHeaders) -> str | None:
        """Return the session cookie's value as it came; it proves nothing yet.

        A session token is none, though its signature is good: each is made for one place.
        """
        return _no_token(read_cookie(headers, self.names.session))

    def set_session(self, value: str, *, max_age: int) -> str:
        """Return the `Set-Cookie` of a session; `max_age` is its absolute life, once for all."""
        return self._write(self.names.session, value, max_age)

    def clear_session(self) -> str:
        """Return the `Set-Cookie` that removes the session cookie."""
        return self._write(self.names.session, "", 0)

    # --- flow: which challenges this browser has asked for ---------------------------------------

    def flow(self, headers: RawHeaders) -> dict[ChallengeId, str]:
        """Return the challenges of the flow cookie, newest first; empty if none is ours.

        Each has a handle of its own, under its own key, whose fingerprint is the value.
        """
        parts = (read_cookie(headers, self.names.flow) or "").split("~", MAX_FLOW)[:MAX_FLOW]
        opened = [self._keyring.open("flow", part, size=ID_BYTES) for part in parts]
        return {ChallengeId(one.payload): one.key_id for one in opened if one is not None}

    def set_flow(self, holds: Mapping[ChallengeId, str], *, max_age: int) -> str:
        """Return the `Set-Cookie` of the flow: the three newest challenges; none removes it."""
        rows = list(holds.items())[:MAX_FLOW]
        text = "~".join(self._keyring.seal("flow", id, key_id=key_id) for id, key_id in rows)
        return self._write(self.names.flow, text, max_age if text else 0)

    def set_probe(self, *, max_age: int) -> str:
        """Return the `Set-Cookie` of a flow without a challenge, to see whether it comes back."""
        return self._write(self.names.flow, self._keyring.sign("flow", ""), max_age)

    def has_any(self, headers: RawHeaders) -> bool:
        """Whether a request brings any cookie of this instance, whatever it is worth."""
        lines = [value for key, value in headers if key == b"cookie"]
        return any(name in value for value in lines for name in self.names.all)

    # --- device: which addresses have signed in here before --------------------------------------

    def device(self, headers: RawHeaders) -> Known:
        """Return the addresses of the device cookie; empty if it is not ours."""
        value = read_cookie(headers, self.names.device)
        return open_known(self._keyring, value) if value is not None else ()

    def set_device(self, known: Known) -> str:
        """Return the `Set-Cookie` of the device."""
        return self._write(self.names.device, self.seal_device(known), DEVICE_SECONDS)

    def seal_device(self, known: Known) -> str:
        """Return the device cookie's value: a server's device token, which is the same."""
        return seal_known(self._keyring, known)

    # --- pending: the login that waits for a step ------------------------------------------------

    def pending(self, headers: RawHeaders) -> str | None:
        """Return the id of this browser's pending login, or `None`."""
        value = read_cookie(headers, self.names.pending) or ""
        opened = self._keyring.open("step", value, size=1, most=MAX_LOGIN_ID)
        return opened and opened.payload.decode()

    def set_pending(self, login_id: str | None, *, max_age: int) -> str:
        """Return the `Set-Cookie` of a pending login; `None` removes it.

        The id stands in answers that scripts read; the cookie is of a purpose of its own.
        """
        if login_id is None:
            return self._write(self.names.pending, "", 0)
        value = self._keyring.seal("step", login_id.encode())
        return self._write(self.names.pending, value, max_age)

    # --- passkeys: what this browser is to them ---------------------------------------------------

    def passkeys(self, headers: RawHeaders) -> bytes | None:
        """Return what a browser's passkey cookie holds, or `None` if it is not ours."""
        value = read_cookie(headers, self.names.passkeys)
        opened = value and self._keyring.open("passkeys", value, size=1, most=MAX_PASSKEYS)
        return opened.payload if opened else None

    def set_passkeys(self, payload: bytes) -> str:
        """Return the `Set-Cookie` of a browser's passkey cookie; it lives for a year.

        Args:
            payload: 1 to 64 bytes.
        """
        value = self._keyring.seal("passkeys", payload)
        return self._write(self.names.passkeys, value, DEVICE_SECONDS)

    # --- trusted: who need not prove a second factor in this browser ------------------------------

    def trust_ids(self, headers: RawHeaders) -> tuple[bytes, ...]:
        """Return the ids in a browser's trust cookie, newest first; empty if it is not ours."""
        value = read_cookie(headers, self.names.trusted)
        size = TRUSTED_ID_BYTES
        opened = value and self._keyring.open("trusted", value, size=size, most=MAX_TRUSTED)
        ids = opened.payload if opened else b""
        return tuple(ids[at : at + size] for at in range(0, len(ids), size))

    def set_trusted(self, ids: Sequence[bytes], *, max_age: int) -> str:
        """Return the `Set-Cookie` of a browser's trust: the three newest ids; none removes it.

        Args:
            ids: of 16 bytes each, newest first.
            max_age: seconds.
        """
        kept = b"".join(ids[:MAX_TRUSTED])
        value = self._keyring.seal("trusted", kept) if kept else ""
        return self._write(self.names.trusted, value, max_age if kept else 0)

    # --- setup: the set-up session of this browser (`features.sso.setup`) ------------------------

    def setup(self, headers: RawHeaders) -> bytes | None:
        """Return what a browser's set-up cookie holds, or `None` if it is not ours."""
        value = read_cookie(headers, self.names.setup)
        opened = value and self._keyring.open("setup", value, size=1, most=MAX_SETUP)
        return opened.payload if opened else None

    def set_setup(self, payload: bytes | None, *, max_age: int) -> str:
        """Return the `Set-Cookie` of a set-up session; `None` removes it.

        Args:
            payload: 1 to 64 bytes.
            max_age: seconds.
        """
        if payload is None:
            return self._write(self.names.setup, "", 0)
        return self._write(self.names.setup, self._keyring.seal("setup", payload), max_age)

    # --- sso: the logins that this browser has begun at a provider --------------------------------

    def sso(self, headers: RawHeaders) -> str | None:
        """Return what a browser's cookie of its logins at a provider holds; `None` if not ours."""
        value = read_cookie(headers, self.names.sso)
        return value and self._keyring.unsign("sso", value)

    def set_sso(self, text: str, *, max_age: int) -> str:
        """Return the `Set-Cookie` of a browser's logins at a provider.

        Args:
            text: base64url, at most 3,500 characters: a browser keeps no cookie over 4,096 bytes.
            max_age: seconds.
        """
        return self._write(self.names.sso, self._keyring.sign("sso", text), max_age)

    # --- language: the one that a person has chosen -----------------------------------------------

    def set_language(self, code: str) -> str:
        """Return the `Set-Cookie` of a language; an empty code removes it."""
        flags = f"; Max-Age={LANGUAGE_SECONDS if code else 0}; Path=/; SameSite=Lax"
        return f"{LANGUAGE_COOKIE}={code}{flags}" + ("; Secure" if self._secure else "")

    # --- the way of every request --------------------------------------------------------------

    def split(
        self, headers: list[RawHeader]
    ) -> tuple[str | None, list[RawHeader], Sequence[bytes]]:
        """Return the session cookie's value, the headers without any cookie of ours, and the rest.

        One real app copies every cookie into the JavaScript of its page. Those of other instances
        on this host are taken out as well, if they have default names; a `cookie_name` that another
        instance was given is not known here. They are the third value, for one that is further in.
        """
        found = None
        for header in headers:
            if header[0] == b"cookie":
                if found is not None:  # HTTP/2 lets clients divide it (RFC 9113 §8.2.3)
                    return self._split_several(headers)
                found = header
        if found is None:
            return None, headers, ()
        value = found[1]
        split = self._splits.get(value)
        if split is None:
            if _DEFAULT not in value and not (self._is_named and self._stem in value):
                return None, headers, ()
            split = self._split(value)
        rest, signed, _, others = split
        if rest == value:
            return None, headers, ()
        kept, at = [*headers], headers.index(found)
        if rest:
            kept[at] = (b"cookie", rest)
        else:
            del kept[at]
        return signed, kept, others

    def _split_several(
        self, headers: list[RawHeader]
    ) -> tuple[str | None, list[RawHeader], Sequence[bytes]]:
        kept: list[RawHeader] = []
        found: list[str | None] = []
        others: list[bytes] = []
        for header in headers:
            key, value = header
            if key == b"cookie":
                rest, signed, count, theirs = self._split(value)
                found += [signed] * count
                others += theirs
                if value and not rest:
                    continue
                header = (key, rest)
            kept.append(header)
        return found[0] if len(found) == 1 else None, kept, tuple(others)

    def _split(self, value: bytes) -> _Split:
        if len(value) > _LONGEST_HEADER:
            return b"", None, 0, ()
        found: list[bytes] = []
        others: list[bytes] = []
        rest = self._take_out(value, _DEFAULT, found, others)
        if self._is_named:
            rest = self._take_out(rest, self._stem, found, others)
        split = (rest, _no_token(_only(found)), len(found), tuple(others))
        if rest != value and len(value) <= _SHORT:
            if len(self._splits) >= _KEPT:
                self._splits.clear()
            self._splits[value] = split
        return split

    def _take_out(
        self, value: bytes, text: bytes, found: list[bytes], others: list[bytes]
    ) -> bytes:
        """Return a `Cookie` header without our cookies whose names contain a text.

        One pass from one occurrence of the text to the next, so that a header of any number of
        cookies costs little, and all that is not ours is kept.

        Args:
            value: of the header.
            text: what to look for.
            found: gets the values of the session cookies.
            others: gets the cookies of other instances.
        """
        session = self.names.session
        kept: list[bytes] = []
        start = end = 0
        at = value.find(text)
        while at >= 0:
            begin = value.rfind(b";", end, at) + 1 or end
            end = value.find(b";", at)
            if end < 0:
                end = len(value)
            cookie = value[begin:end].strip(b" \t")
            is_ours = True
            if cookie.startswith(session):
                found.append(cookie[len(session) :])
            elif not cookie.startswith(self._ours):
                is_ours = _ANY.match(cookie) is not None
                if is_ours:
                    others.append(cookie)
            if is_ours:
                kept.append(value[start:begin])
                start = end + 1  # with the `;` behind it
            at = value.find(text, end)
        if not kept:
            return value
        kept.append(value[start:])
        return b"".join(kept).strip(b"; \t")
