"""Bad input of the three calls: 400 with the field named, no mail, nothing in the store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwless_middleware import EmailLogin
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.web.requests.bodies import parse_json
from tests.support import ROOMY, Backend, Browser, Site, make_site, token_of

pytestmark = pytest.mark.anyio

ID = "A" * 60
GOOD: dict[str, dict[str, object]] = {
    "send": {"email": "jo@example.com"},
    "resend": {"auth_request_id": ID},
    "verify": {"auth_request_id": ID, "code": "123456"},
}
STRINGS = {
    ("send", "email"): (1, 254),
    ("send", "template"): (1, 6),
    ("send", "magiclink_auth_uri"): (1, 1000),
    ("send", "state"): (0, 1000),
    ("resend", "auth_request_id"): (1, 200),
    ("verify", "auth_request_id"): (1, 200),
    ("verify", "code"): (1, 100),
    ("verify", "link_token"): (1, 200),
}
FIELDS = [*STRINGS, ("send", "expires_in"), ("send", "template_variables")]
WRONG_TYPES: dict[str, list[object]] = {
    "string": [True, 0, 1.5, [], ["a"], {}, {"a": "b"}],
    "integer": [True, "300.0", "3e2", " 300", "٣٠٠", "", "5" * 19, 300.5, [], {}],
    "texts": [True, 1, "a", [], ["a"], {"name": 1}, {"name": None}, {"name": {}}],
}


def _kind(name: str) -> str:
    return {"expires_in": "integer", "template_variables": "texts"}.get(name, "string")


def _body(verb: str, name: str, value: object) -> dict[str, object]:
    body = {**GOOD[verb], name: value}
    if name == "link_token":
        del body["code"]
    return body


async def _refused(site: Site, verb: str, content: bytes, *, who: Browser | None = None) -> str:
    """Post raw bytes, see that they are refused without any effect, and name the fields."""
    who = who or site.backend().browser
    before = site.snapshot()
    headers = {"content-type": "application/json"}
    url = f"/auth/api/v1/passwordless/email/{verb}"
    response = await who.request("POST", url, content=content, headers=headers)
    assert response.status_code == 400, response.text
    error = response.json()
    assert error["code"] == 3
    detail = error["details"][0]
    assert detail["error_code"] == "INVALID_ARGUMENT"
    assert site.snapshot() == before
    assert not site.outbox.messages
    assert "set-cookie" not in response.headers
    violations = detail["validation_error_info"]["field_violations"]
    assert all(v["description"] and v["constraint"] for v in violations)
    return ",".join(v["field"] for v in violations)


@pytest.mark.parametrize("caller", ["server", "browser"])
@pytest.mark.parametrize(("verb", "name"), FIELDS)
async def test_a_field_of_the_wrong_type_is_named(verb: str, name: str, caller: str) -> None:
    site = make_site()
    who = site.backend().browser if caller == "server" else site.browser()
    for value in WRONG_TYPES[_kind(name)]:
        content = json.dumps(_body(verb, name, value)).encode()
        assert await _refused(site, verb, content, who=who) == name, value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, None) for name in ("template", "magiclink_auth_uri", "state", "expires_in")),
        ("template_variables", None),
        ("template", "UNSPECIFIED"),
        ("template", "TEMPLATE_UNSPECIFIED"),
    ],
)
async def test_what_protobuf_writes_for_not_given_is_not_given(name: str, value: object) -> None:
    """Clients made from protobuf write `null`, or an enum's zero value (ProtoJSON)."""
    site = make_site()
    response = await site.backend().browser.call("send", _body("send", name, value))
    assert response.status_code == 200
    assert response.json()["expires_in"] == 300
    request_id = response.json()["auth_request_id"]
    answer = (await site.backend().verify(request_id, code=site.mail().code)).json()
    assert answer["template"] == "SIGNIN"
    assert "state" not in answer


@pytest.mark.parametrize(
    ("verb", "name"), [("send", "email"), ("resend", "auth_request_id"), ("verify", "code")]
)
async def test_null_for_what_is_needed_is_missing(verb: str, name: str) -> None:
    content = json.dumps(_body(verb, name, None)).encode()
    assert await _refused(make_site(), verb, content) == name


@pytest.mark.parametrize("value", ["120", "0120", 120.0])
async def test_an_integer_may_come_as_text(value: object) -> None:
    response = await make_site().backend().browser.call("send", _body("send", "expires_in", value))
    assert response.json()["expires_in"] == 120


async def test_camel_case_names_are_read_like_snake_case() -> None:
    site = make_site(features=[EmailLogin(link_uris=["https://www.example.com/magic"])])
    backend = site.backend().browser
    sent = await backend.call(
        "send",
        {
            "email": "jo@example.com",
            "magiclinkAuthUri": "https://www.example.com/magic",
            "expiresIn": "90",
            "templateVariables": {"some_name": "x"},
        },
    )
    assert sent.json()["expires_in"] == 90
    link = site.mail().link
    assert link is not None
    assert link.startswith("https://www.example.com/magic?")
    request_id = sent.json()["auth_request_id"]
    again = await backend.call("resend", {"authRequestId": request_id})
    request_id = again.json()["auth_request_id"]
    done = await backend.call("verify", {"authRequestId": request_id, "linkToken": token_of(link)})
    assert done.status_code == 200


@pytest.mark.parametrize(
    ("verb", "name", "camel"),
    [
        ("send", "expires_in", "expiresIn"),
        ("resend", "auth_request_id", "authRequestId"),
        ("verify", "link_token", "linkToken"),
    ],
)
async def test_a_field_under_both_of_its_names_is_refused(verb: str, name: str, camel: str) -> None:
    value = 300 if name == "expires_in" else ID
    content = json.dumps({**_body(verb, name, value), camel: value}).encode()
    assert await _refused(make_site(), verb, content) == name


@pytest.mark.parametrize(("verb", "name"), STRINGS)
async def test_a_field_of_the_wrong_size_is_named(verb: str, name: str) -> None:
    site = make_site()
    shortest, longest = STRINGS[verb, name]
    sizes = [longest + 1, longest + 5000, *([0] if shortest else [])]
    for size in sizes:
        content = json.dumps(_body(verb, name, "a" * size)).encode()
        assert await _refused(site, verb, content) == name, size


@pytest.mark.parametrize("seconds", [-1, 0, 59, 601, 601.0, 1e300, -(10**30), 10**400])
async def test_a_lifetime_outside_its_range_is_refused(seconds: float) -> None:
    content = json.dumps(_body("send", "expires_in", seconds)).encode()
    assert await _refused(make_site(), "send", content) == "expires_in"


@pytest.mark.parametrize(
    ("variables", "field"),
    [
        ({f"name{n}": "" for n in range(31)}, "template_variables"),
        ({"a": ""}, "template_variables.a"),
        ({"": ""}, "template_variables."),
        ({"n" * 26: ""}, "template_variables." + "n" * 25),
        ({"na\nme": ""}, "template_variables.na\nme"),
        ({"name": "v" * 257}, "template_variables.name"),
        ({"name": "a\x00b"}, "template_variables.name"),
        ({"name": "a\nb"}, "template_variables.name"),
        ({"name": "a\u202eb"}, "template_variables.name"),
        ({"name": "see https://evil.example"}, "template_variables.name"),
        ({"name": "WWW.evil"}, "template_variables.name"),
        *(
            ({reserved: "x"}, f"template_variables.{reserved}")
            for reserved in (
                *(
                    "otp",
                    "link",
                    "expiry_time_relative",
                    "expire_time",
                    "expiry_time",
                ),
                *("kind", "code", "asked_at", "device", "email", "host", "subject_code"),
                *("brand", "palette", "language", "direction"),
                *("gettext", "ngettext", "duration"),
            )
        ),
    ],
)
async def test_a_bad_template_variable_is_named(variables: dict[str, str], field: str) -> None:
    content = json.dumps(_body("send", "template_variables", variables)).encode()
    assert await _refused(make_site(), "send", content) == field


@pytest.mark.parametrize("value", ["signin", "OTHER", "SIGNIN ", "SIGNUP\x00", ""])
async def test_an_unknown_template_is_named(value: str) -> None:
    content = json.dumps(_body("send", "template", value)).encode()
    assert await _refused(make_site(), "send", content) == "template"


@pytest.mark.parametrize(
    "address", ["jo", "jo@example", "a@b.c,d@e.f", "jo@exa mple.com", "=?utf-8?@e.com", "jö@e.com"]
)
async def test_what_is_no_address_is_named(address: str) -> None:
    content = json.dumps({"email": address}).encode()
    assert await _refused(make_site(), "send", content) == "email"


@pytest.mark.parametrize(
    "code", ["12345", "1234567", "abcdef", "¹²³⁴⁵⁶", "12_456", "- - -", "0x1234"]
)
async def test_what_is_no_code_is_named_and_costs_no_try(code: str) -> None:
    site = make_site()
    backend = site.backend()
    request_id = (await backend.send("jo@example.com")).json()["auth_request_id"]
    before = site.snapshot()
    response = await backend.verify(request_id, code=code)
    assert response.status_code == 400
    assert _fields(response.json()) == ["code"]
    assert site.snapshot() == before


@pytest.mark.parametrize(("verb", "name"), FIELDS)
async def test_a_field_that_came_twice_is_named(verb: str, name: str) -> None:
    site = make_site()
    rest = {key: value for key, value in GOOD[verb].items() if key != name}
    for pair in (('"a"', '"a"'), ("1", "2"), ("null", '"a"')):
        twice = ", ".join(f'"{name}": {value}' for value in pair)
        inner = json.dumps(rest)[1:-1]
        content = f"{{{twice}{', ' + inner if inner else ''}}}".encode()
        assert await _refused(site, verb, content) == name
    # The same key, spelled by an escape.
    escaped = f"\\u{ord(name[0]):04x}{name[1:]}"
    content = f'{{"{name}": "a", "{escaped}": "a"}}'.encode()
    assert await _refused(site, verb, content) == name


async def test_a_variable_that_came_twice_is_named() -> None:
    content = b'{"email": "jo@example.com", "template_variables": {"name": "a", "name": "b"}}'
    assert await _refused(make_site(), "send", content) == "template_variables.name"


@pytest.mark.parametrize(("verb", "name"), FIELDS)
@pytest.mark.parametrize("bad", [b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\xc0\xaf", b"\\ud800"])
async def test_a_field_of_the_wrong_encoding_is_named(verb: str, name: str, bad: bytes) -> None:
    site = make_site()
    content = json.dumps(_body(verb, name, "@")).encode().replace(b'"@"', b'"x%b"' % bad)
    assert await _refused(site, verb, content) == name
    if name == "template_variables":
        content = json.dumps(_body(verb, name, {"name": "@"})).encode()
        content = content.replace(b'"@"', b'"%b"' % bad)
        assert await _refused(site, verb, content) == "template_variables.name"


async def test_a_key_of_the_wrong_encoding_does_not_break_the_answer() -> None:
    site = make_site()
    assert await _refused(site, "send", b'{"email": "a@b.example", "\xff": 1}') == "?"
    assert await _refused(site, "send", b'{"\\ud800": 1, "\\ud800": 2}') == "?"


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
async def test_what_is_no_number_is_named(value: str) -> None:
    content = f'{{"email": "a@b.example", "expires_in": {value}}}'.encode()
    assert await _refused(make_site(), "send", content) == "expires_in"
    content = f'{{"email": "a@b.example", "other": [[{value}]]}}'.encode()
    assert await _refused(make_site(), "send", content) == "other"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"{} {}",
        b'\xef\xbb\xbf{"email": "jo@example.com"}',
        '{"email": "jo@example.com"}'.encode("utf-16"),
        b"{'email': 'jo@example.com'}",
        b'{"email": "jo@example.com",}',
        b'{"email": "jo@example.com", "n": ' + b"9" * 5000 + b"}",
        b'{"email": "jo@example.com", "n": ' + b"[" * 8 + b"]" * 8 + b"}",
        b'{"email": "jo@example.com", "n": ' + b"[" * 7000 + b"}",
        b'{"email": "jo@example.com\n"}',
        b"email=jo@example.com",
    ],
)
async def test_what_is_not_one_strict_object_is_refused(content: bytes) -> None:
    for verb in ("send", "resend", "verify"):
        assert await _refused(make_site(), verb, content) == "body"


async def test_eight_levels_are_read_and_brackets_in_texts_are_not_levels() -> None:
    body = {"email": "jo@example.com", "n": [[[[[[[]]]]]]], "t": '[{"\\[' * 20}
    response = await make_site().backend().browser.call("send", body)
    assert response.status_code == 200


async def test_fields_that_are_not_ours_are_ignored() -> None:
    response = (
        await make_site().backend().send("jo@example.com", unknown={"a": [1, None]}, Email="x")
    )
    assert response.status_code == 200


async def test_every_bad_field_is_named_at_once() -> None:
    site = make_site()
    content = json.dumps({"email": 1, "template": "X", "state": 7, "expires_in": 1}).encode()
    assert await _refused(site, "send", content) == "email,template,state,expires_in"
    content = json.dumps(
        {"email": "x", "magiclink_auth_uri": "x", "template_variables": {"otp": "www.x"}}
    ).encode()
    named = await _refused(site, "send", content)
    assert named == "email,magiclink_auth_uri,template_variables.otp,template_variables.otp"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, ["code"]),
        ({"auth_request_id": ID}, ["code"]),
        ({"code": "123456"}, ["auth_request_id"]),
        ({"link_token": "A" * 60}, ["auth_request_id"]),
        ({"auth_request_id": ID, "code": "123456", "link_token": "A"}, ["link_token"]),
        ({"code": "123456", "link_token": "A"}, ["link_token", "auth_request_id"]),
    ],
)
async def test_verify_says_which_field_is_missing_or_too_much(
    body: dict[str, str], named: list[str]
) -> None:
    response = await make_site().backend().browser.call("verify", body)
    assert response.status_code == 400
    assert _fields(response.json()) == named


@pytest.mark.parametrize("verb", ["send", "resend"])
async def test_a_missing_field_is_named(verb: str) -> None:
    assert await _refused(make_site(), verb, b"{}") == next(iter(GOOD[verb]))


async def test_a_variable_that_the_host_s_template_names_must_come(tmp_path: Path) -> None:
    (tmp_path / "email").mkdir()
    (tmp_path / "email" / "signin.txt").write_text(
        "{% extends 'pwless/email/signin.txt' %}{% block extra %}For {{ team }}.{% endblock %}"
    )
    site = make_site(templates=str(tmp_path))
    content = json.dumps({"email": "jo@example.com"}).encode()
    assert await _refused(site, "send", content) == "template_variables.team"
    # Another template does not name it, and a page, which has no variables, is served.
    assert (await site.backend().send("ann@example.com", template="SIGNUP")).status_code == 200
    assert (await site.browser().ask("bob@example.com")).status_code == 303
    sent = await site.backend().send("cy@example.com", template_variables={"team": "Blue"})
    assert sent.status_code == 200
    assert "For Blue." in site.mail("cy@example.com").text


def _fields(error: dict[str, list[dict[str, dict[str, list[dict[str, str]]]]]]) -> list[str]:
    detail = error["details"][0]
    return [v["field"] for v in detail["validation_error_info"]["field_violations"]]


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        parse_json(body)
    except InvalidArgument as error:
        json.dumps(error.detail, ensure_ascii=False).encode()


@given(st.dictionaries(st.text(), _values))
def test_what_strict_json_can_say_is_read_as_it_was_meant(value: dict[str, object]) -> None:
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except ValueError:
        return
    try:
        read = parse_json(text)
    except InvalidArgument:
        assert text.count(b"[") + text.count(b"{") > 8
        return
    assert read == value


async def test_any_small_object_is_answered_without_a_5xx() -> None:
    """Random bodies, by their own loop: the app is asked as it stands, not a parser alone."""
    site = make_site(features=[EmailLogin(send_limits=ROOMY)])
    names = [name for _, name in FIELDS]
    bodies: list[dict[str, object]] = []

    @given(st.dictionaries(st.sampled_from(names) | st.text(max_size=5), _values, max_size=4))
    def collect(body: dict[str, object]) -> None:
        bodies.append(body)

    collect()
    server = Backend(site.backend().browser)
    for body in bodies:
        content = json.dumps(body).encode()
        for verb in GOOD:
            url = f"/auth/api/v1/passwordless/email/{verb}"
            response = await server.browser.request(
                "POST", url, content=content, headers={"content-type": "application/json"}
            )
            assert response.status_code in (200, 400, 410, 413, 429), (body, response.text)
