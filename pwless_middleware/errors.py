"""Every error of the package, in one tree.

    PwlessError
    ├── ConfigError                 bad options; raised where the middleware is made
    │   └── SettingsConflict        somebody else has changed the setting meanwhile
    ├── DeliveryError               a mailer could not hand a message on
    │   ├── RecipientRefused        this recipient is refused; another server would not change that
    │   ├── RecipientDeferred       this recipient is refused for now; says nothing about others
    │   └── MaybeDelivered          the connection broke after the message was out
    ├── TemplateRefused             a template of a mail holds what none may hold
    ├── TemplateConflict            somebody else has changed the template meanwhile
    ├── RequestFailed               a request to an address that somebody typed has no answer
    │   └── AddressRefused          it is none that requests go to; nothing was sent
    ├── SSOFault                    a login at an identity provider failed, or is set up wrong
    ├── ScimRefused                 a request of a customer's directory is refused
    ├── UsageError                  the command line was given something that it cannot use
    ├── AppFailed                   the app that the command line imports raised an exception
    └── ApiError                    what a caller is told: page, JSON and status
        ├── InvalidArgument         400  a field is missing or malformed
        ├── InvalidCode             400  the code is wrong, and nothing more is said
        ├── InvalidCredential       400  the passkey is not good here, and nothing more is said
        ├── Unauthenticated         401  no or bad credentials
        ├── ForbiddenOrigin         403  the request comes from a foreign page
        ├── MissingScope            403  the API key is not for this
        ├── NotPermitted            403  an operator may not do that to this person
        ├── LoginDenied             403  a policy refuses this login
        │   ├── LoginElsewhere      403  it refuses it here, and says where it is done
        │   └── PersonDisabled      403  nobody can sign in as this person; callers are told less
        ├── OtherBrowser            403  the link belongs to the browser that asked for it
        ├── StepUpRequired          403  a fresh proof of who is signed in is asked for
        ├── StepRequired            403  the login is pending: a further step is asked for
        ├── NotFound                404  no such page, or no such session of yours
        │   └── PersonNotFound      404  nobody has this id or address
        ├── MethodNotAllowed        405  the path exists, the method does not
        ├── RequestExpired          410  expired, used or unknown: one answer for the three
        ├── ContentTooLarge         413  the body is over its limit
        ├── UnsupportedMediaType    415  the body is not of the one type we read
        ├── TooManyAttempts         429  the tries of this challenge, address or client are spent
        ├── RateLimited             429  the sends of this address or client are spent
        └── Unavailable             503  the answer is not to be had now; nothing was decided
            ├── StoreError          the store could not be asked, or is full
            │   └── StoreTimeout    it was asked and does not answer
            ├── QueueFull           the delivery queue is at its bound
            └── UsersUnavailable    the host's user directory failed

The mailers' three are in `delivery.base`, the command line's two in `cli.importing`, the one of
settings in `core.operators.settings`, those of templates in `flows.settings.mail_templates`, that
of identity providers in `features.sso.faults`.

The attributes of a class say what it is on the wire: `code` is the machine code of the closed list
in the guide, `status` the HTTP status, `grpc` the number in Scalekit's error shape. What the
instance adds is data (`attempts_left`, `retry_after`), never only text. `str(error)` is for people
and never holds a secret or an address.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pwless_middleware.text import Text, duration_text


class PwlessError(Exception):
    """The root of all errors: catch it to catch everything that this package raises on purpose."""


class ConfigError(PwlessError):
    """An option is wrong. The message names it and says what to set; nothing is served.

    Args:
        option: the name of the option.
        problem: what to set; never repeats a secret.
    """

    def __init__(self, option: str, problem: str) -> None:
        super().__init__(f"{option}: {problem}")
        self.option = option
        self.problem = problem


class DeliveryError(PwlessError):
    """A message was not accepted; raised by mailers, read by the delivery queue.

    Args:
        reason: for the log; never holds the message, its recipient or a secret.
        permanent: true when another try cannot help (a 5xx reply); the queue then gives up.
        retry_after: seconds for which the other side wants no further try, as a gateway's answer
            429 says; the queue waits no less, up to a minute. `None` leaves the time to the queue.
    """

    def __init__(
        self, reason: str, *, permanent: bool = False, retry_after: int | None = None
    ) -> None:
        super().__init__(reason)
        self.permanent = permanent
        self.retry_after = retry_after


FAULTS: Mapping[str, str] = {
    "malformed": Text("This is not an address of a server."),
    "too_long": Text("This address is too long."),
    "scheme": Text("The address has to begin with https://."),
    "port": Text("Use port 443, or one from 1024."),
    "not_public": Text("This address is not on the public internet."),
    "unresolved": Text("The name of the server cannot be resolved."),
    "refused": Text("The server refuses connections."),
    "timeout": Text("The server did not answer in time."),
    "tls": Text("No TLS connection to the server could be made."),
    "certificate": Text("The certificate of the server is not trusted."),
    "connection": Text("No connection to the server could be made."),
    "broken": Text("The server broke off, or its answer is not HTTP."),
}
"""Why a request to an address that somebody typed has no answer; for who typed it."""


class RequestFailed(PwlessError):
    """A request to an address that somebody typed has no answer.

    Args:
        fault: why, of `FAULTS`.

    Attributes:
        fault: as given.
        text: the same for people.
    """

    def __init__(self, fault: str) -> None:
        self.fault = fault
        self.text = FAULTS[fault]
        super().__init__(self.text)


class AddressRefused(RequestFailed):
    """An address that somebody typed is none that requests go to; nothing was sent."""


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """Name one bad field: which, what is wrong with it, and the rule it broke.

    Attributes:
        field: its name, with a dot before each inner one.
        description: for people; a `Text` of ours, so that it is shown in their language.
        constraint: for programs.
    """

    field: str
    description: str
    constraint: str


class ApiError(PwlessError):
    """The root of all errors that a caller gets; becomes a page or JSON in one place (`web`).

    Args:
        message: for people; `None` uses the class's.
    """

    code: ClassVar[str] = "INTERNAL"
    status: ClassVar[int] = 500
    grpc: ClassVar[int] = 13
    message: ClassVar[str] = Text("Something went wrong.")

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.message)
        self._message = message or self.message

    @property
    def public_texts(self) -> Sequence[str]:
        """What pages and JSON show, each to be translated: sentences, or lines of a list."""
        return (self._message,)

    @property
    def public_message(self) -> str:
        """Return what is shown, in English. `str(error)` may name the cause, for logs."""
        return "; ".join(self.public_texts)

    @property
    def detail(self) -> Mapping[str, object]:
        """What the JSON detail carries besides `error_code`."""
        return {}

    @property
    def retry_after(self) -> int | None:
        """Whole seconds for the `Retry-After` header; `None` sends no such header."""
        return None


class InvalidArgument(ApiError):
    """A field is missing or malformed.

    Args:
        violations: one entry for each bad field, at least one.
        message: for people; `None` joins the violations' descriptions.
    """

    code = "INVALID_ARGUMENT"
    status = 400
    grpc = 3
    message = Text("The request is not valid.")

    def __init__(self, violations: Sequence[FieldViolation], message: str | None = None) -> None:
        super().__init__(message or "; ".join(v.description for v in violations))
        self.violations = tuple(violations)
        self._texts = (message,) if message else tuple(v.description for v in violations)

    @property
    def public_texts(self) -> Sequence[str]:
        return self._texts

    @classmethod
    def of(cls, field: str, description: str, constraint: str) -> InvalidArgument:
        """Make the error for a single field."""
        return cls([FieldViolation(field, description, constraint)])

    @property
    def detail(self) -> Mapping[str, object]:
        return {
            "validation_error_info": {
                "field_violations": [
                    {
                        "field": v.field,
                        "description": v.description,
                        "constraint": v.constraint,
                    }
                    for v in self.violations
                ]
            }
        }


class InvalidCode(ApiError):
    """The code is wrong.

    Args:
        attempts_left: how many tries there still are.
        message: for people; `None` speaks of the code in an email.
    """

    code = "INVALID_CODE"
    status = 400
    grpc = 3
    message = Text("That code is not right. Use the one from the newest email.")

    def __init__(self, attempts_left: int, message: str | None = None) -> None:
        super().__init__(message)
        self.attempts_left = attempts_left

    @property
    def detail(self) -> Mapping[str, object]:
        return {"attempts_left": self.attempts_left}


class InvalidCredential(ApiError):
    """A passkey is not good here; which rule it broke stands in the events alone.

    Args:
        unknown_id: the id of a credential that is nobody's, where all else about the answer was
            right: the browser can be told to forget it (WebAuthn Level 3 §5.1.10.1). Ids are
            random, so that this tells nothing about anybody. `None` says nothing.
    """

    code = "INVALID_CREDENTIAL"
    status = 400
    grpc = 3
    message = Text("This passkey does not work here. Try another one, or sign in another way.")

    def __init__(self, *, unknown_id: str | None = None) -> None:
        super().__init__()
        self.unknown_id = unknown_id

    @property
    def detail(self) -> Mapping[str, object]:
        return {} if self.unknown_id is None else {"unknown_credential_id": self.unknown_id}


class Unauthenticated(ApiError):
    """There are no credentials, or they are not good.

    Args:
        message: what is wrong; `None` uses "Sign in first."
        login_url: where a person signs in; told to programs that stand for one.
    """

    code = "UNAUTHENTICATED"
    status = 401
    grpc = 16
    message = Text("Sign in first.")

    def __init__(self, message: str | None = None, *, login_url: str | None = None) -> None:
        super().__init__(message)
        self.login_url = login_url

    @property
    def detail(self) -> Mapping[str, object]:
        return {} if self.login_url is None else {"login_url": self.login_url}


class ForbiddenOrigin(ApiError):
    """The request was sent by a page of another origin (security rule 10)."""

    code = "FORBIDDEN_ORIGIN"
    status = 403
    grpc = 7
    message = Text("This request came from another site. Open the page here and try again.")


class MissingScope(ApiError):
    """The API key is good, and not for this.

    Args:
        scope: what it would have to be for.
    """

    code = "MISSING_SCOPE"
    status = 403
    grpc = 7
    message = Text("This API key may not do that.")

    def __init__(self, scope: str) -> None:
        super().__init__(Text("This API key lacks the scope %(scope)s.", scope=scope))
        self.scope = scope


class NotPermitted(ApiError):
    """An operator may do this, and not to this person.

    Args:
        message: why; `None` says no more than that.
    """

    code = "NOT_PERMITTED"
    status = 403
    grpc = 7
    message = Text("You may not do that to this person.")


class LoginDenied(ApiError):
    """A rule refuses this login.

    Args:
        message: the text that the person sees; `None` uses the default.
        reason: why, for the event `login.refused`: a word that the log has a sentence for.
    """

    code = "LOGIN_DENIED"
    status = 403
    grpc = 7
    message = Text("You cannot sign in here.")

    def __init__(self, message: str | None = None, *, reason: str = "denied") -> None:
        super().__init__(message)
        self.reason = reason


class LoginElsewhere(LoginDenied):
    """This login is done on another page, such as an organization's own login.

    Args:
        path: where a browser goes, below the mount prefix; it holds the place that was asked for.
        login_url: the same page's whole URL, for programs.
    """

    code = "LOGIN_ELSEWHERE"
    message = Text("Sign in on another page.")

    def __init__(self, path: str, *, login_url: str) -> None:
        super().__init__()
        self.path = path
        self.login_url = login_url

    @property
    def detail(self) -> Mapping[str, object]:
        return {"login_url": self.login_url}


class PersonDisabled(LoginDenied):
    """Nobody can sign in as this person; who asks is answered as if the code were wrong."""


class OtherBrowser(ApiError):
    """The link was opened in another browser than the one that asked; nothing was spent."""

    code = "OTHER_BROWSER"
    status = 403
    grpc = 7
    message = Text("Open this link in the browser where you asked for it.")


class StepRequired(ApiError):
    """The login is pending until a further step is done. There is no session yet, anywhere.

    `steps` names each step by its usual method. Where a step has several, `step_methods` lists for
    each step all that satisfy it.

    Args:
        login_id: the MAC'd id with which the caller goes on.
        steps: the steps that are still asked for, in order: the methods that satisfy each.
        expires_at: when the pending login ends, unix seconds.
        path: where a browser goes for the first step, below the mount prefix.
    """

    code = "STEP_REQUIRED"
    status = 403
    grpc = 7
    message = Text("A further step is required.")

    def __init__(
        self, login_id: str, steps: Sequence[Sequence[str]], expires_at: int, path: str
    ) -> None:
        super().__init__()
        self.login_id = login_id
        self.steps = tuple(methods[0] for methods in steps)
        self.step_methods = tuple(tuple(methods) for methods in steps)
        self.expires_at = expires_at
        self.path = path

    @property
    def detail(self) -> Mapping[str, object]:
        detail: dict[str, object] = {
            "login_id": self.login_id,
            "steps": list(self.steps),
            "expires_at": str(self.expires_at),
        }
        if any(len(methods) > 1 for methods in self.step_methods):
            detail["step_methods"] = [list(methods) for methods in self.step_methods]
        return detail


class StepUpRequired(ApiError):
    """Somebody is signed in, but what is asked for needs a fresh proof of who they are.

    Args:
        step_url: the path where a person gives it, and comes back from.
    """

    code = "STEP_UP_REQUIRED"
    status = 403
    grpc = 7
    message = Text("Confirm that it is you first.")

    def __init__(self, step_url: str) -> None:
        super().__init__()
        self.step_url = step_url

    @property
    def detail(self) -> Mapping[str, object]:
        return {"step_url": self.step_url}


class NotFound(ApiError):
    """There is no such page, or no such session of yours; which of the two is not said."""

    code = "NOT_FOUND"
    status = 404
    grpc = 5
    message = Text("There is nothing here.")


class PersonNotFound(NotFound):
    """Nobody has this id or address."""

    message = Text("There is nobody with this id or address.")


class MethodNotAllowed(ApiError):
    """The path takes other methods; `allow` lists them for the `Allow` header."""

    code = "METHOD_NOT_ALLOWED"
    status = 405
    grpc = 12
    message = Text("This address takes another method.")

    def __init__(self, allow: Sequence[str]) -> None:
        super().__init__()
        self.allow = tuple(allow)


class RequestExpired(ApiError):
    """The challenge is expired, used or unknown. One answer for all three: nothing to learn."""

    code = "REQUEST_EXPIRED"
    status = 410
    grpc = 9
    message = Text("This sign-in has expired or was already used.")


class ContentTooLarge(ApiError):
    """The body is over its limit."""

    code = "CONTENT_TOO_LARGE"
    status = 413
    grpc = 3
    message = Text("The request is too large.")


class UnsupportedMediaType(ApiError):
    """The body is not of the one type that this address reads."""

    code = "UNSUPPORTED_MEDIA_TYPE"
    status = 415
    grpc = 3
    message = Text("The request has the wrong content type.")


class _Limited(ApiError):
    """Share the wait between the two 429 errors."""

    status = 429
    grpc = 8

    def __init__(self, retry_after: int, message: str | None = None) -> None:
        super().__init__(message)
        self._retry_after = max(1, retry_after)

    @property
    def retry_after(self) -> int:
        return self._retry_after


class TooManyAttempts(_Limited):
    """The tries of this challenge, address or client are spent.

    Args:
        retry_after: whole seconds until the next try can be taken.
        message: for people; `None` says that a link still works.
    """

    code = "TOO_MANY_ATTEMPTS"
    message = Text("Too many wrong codes. If the email has a link, that still works.")

    @property
    def detail(self) -> Mapping[str, object]:
        return {"attempts_left": 0}


class RateLimited(_Limited):
    """The sends of this address or client are spent.

    Args:
        retry_after: whole seconds until the next send is accepted.
        message: for people; `None` speaks of emails.
        brief: the same where the wait is told beside it; `None` is the message.
    """

    code = "RATE_LIMITED"
    message = Text("Too many emails were asked for.")

    def __init__(
        self, retry_after: int, message: str | None = None, *, brief: str | None = None
    ) -> None:
        self.brief = brief or message or self.message
        if message is None:
            # It may be a minute or most of a day: who is told "a little" would try all evening.
            wait = duration_text(max(1, retry_after))
            message = Text("Too many emails were asked for. Try again in %(wait)s.", wait=wait)
        super().__init__(retry_after, message)


class Unavailable(ApiError):
    """Nothing was decided: neither let in nor logged out. Safe to repeat.

    Args:
        message: the cause, for the log and for callers in Python; visitors never read it.
    """

    code = "STORE_UNAVAILABLE"
    status = 503
    grpc = 14
    message = Text("Sign-in is not available right now. Please try again in a minute.")

    @property
    def public_texts(self) -> Sequence[str]:
        return (self.message,)

    @property
    def retry_after(self) -> int:
        return 2


class StoreError(Unavailable):
    """The store could not be asked, or is full. The cause is chained, and goes to the log."""


class StoreTimeout(StoreError):
    """The store was asked and does not answer in time."""


class QueueFull(Unavailable):
    """The delivery queue is at its bound, so no further mail is accepted."""

    def __init__(self) -> None:
        super().__init__("the delivery queue is full: is mail delivered? else raise max_jobs")


class UsersUnavailable(Unavailable):
    """The host's user directory failed. The cause is chained, and goes to the log."""

    code = "USERS_UNAVAILABLE"

    def __init__(self) -> None:
        super().__init__("the user directory failed; its traceback is in the log")
