"""Which mails and text messages there are, and what the template of each may name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final

from pwless_middleware.core.colors import Scheme
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.rendering.mail_templates.template import Variables
from pwless_middleware.text import Text

SUBJECT_NAMES: Final = ("kind", "expiry_time_relative", "asked_at", "subject_code", "brand.name")


@dataclass(frozen=True, slots=True)
class MailVariable:
    """Describe a variable.

    Attributes:
        name: as a template writes it.
        meaning: what it is, in a sentence.
        sample: what a preview shows in its place.
    """

    name: str
    meaning: str
    sample: str = ""


@dataclass(frozen=True, slots=True)
class Mail:
    """Describe a mail that the product sends, or a text message.

    Attributes:
        name: as its templates are called, `signin`.
        title: what it is for.
        group: what it belongs to.
        wanted: of `code` and `link`, those that it is sent for.
        own: the variables that no other mail has.
        channel: `email` or `sms`.
    """

    name: str
    title: str
    group: str
    wanted: tuple[str, ...] = ()
    own: tuple[MailVariable, ...] = field(default=())
    channel: str = "email"

    @property
    def fixed(self) -> Mapping[str, str]:
        """The variables of our templates that are the same in each mail of this name."""
        if "code" in self.wanted:
            return {}
        none = {"code": "", "otp": "", "subject_code": "", "kind": "LINK"}
        return none if self.wanted else {**none, "link": ""}

    @property
    def variables(self) -> tuple[MailVariable, ...]:
        """All variables of its text, but the colors."""
        if self.channel == "sms":
            return (_CODE, *_OF_MESSAGES)
        named = {"code": (_CODE, _OTP), "link": (_LINK,)}
        wanted = tuple(one for name in self.wanted for one in named[name])
        ends = _ENDS if self.wanted else ()
        kind = (_KIND,) if "code" in self.wanted else ()
        return (*wanted, *self.own, *ends, *_EVERYWHERE, *kind)

    def admits(self, more: frozenset[str] = frozenset()) -> Variables:
        """Return what its template may name.

        Args:
            more: variables of the host's own templates for this mail.
        """
        body = {one.name for one in self.variables} | {*COLORS} | more
        subject = frozenset(SUBJECT_NAMES) - self.fixed.keys()
        return Variables(subject=subject, body=frozenset(body))


COLORS: Final = tuple(
    f"palette.{scheme}.{color}" for scheme in ("light", "dark") for color in Scheme.__slots__
)
"""The colors that go with the brand's, for `style` and `bgcolor`."""

_CODE = MailVariable(
    "code", Text("The code that is typed; empty where a link alone is sent."), "271828"
)
_OTP = MailVariable("otp", Text("The same as code."), "271828")
_LINK = MailVariable("link", Text("The link that is opened; empty where a code alone is sent."))
_KIND = MailVariable(
    "kind", Text("What is sent: OTP is a code, LINK a link, LINK_OTP both."), "LINK_OTP"
)
_ENDS = (
    MailVariable("expiry_time_relative", Text("How long it is good, in words: 5 minutes.")),
    MailVariable("expiry_time", Text("Until when it is good, in words.")),
    MailVariable("expire_time", Text("Until when it is good, in unix seconds.")),
)
_EVERYWHERE = (
    MailVariable("brand.name", Text("The name of your site.")),
    MailVariable("asked_at", Text("When it was asked for, or happened, in words.")),
    MailVariable("device", Text("The browser and system that asked for it.")),
    MailVariable("email", Text("The address that it is sent to.")),
    MailVariable("host", Text("The host of your site, as a phone looks for it beside a code.")),
)
_OF_MESSAGES = (MailVariable("brand.name", Text("The name of your site.")),)
_PASSKEY = MailVariable(
    "passkey", Text("What keeps the passkey, if that is known."), "iCloud Keychain"
)
_FACTOR = (
    MailVariable(
        "factor", Text("What was changed: totp is an authenticator app, sms a phone."), "sms"
    ),
    MailVariable("ending", Text("The last two digits of the phone number."), "42"),
)
_LEFT = MailVariable("left", Text("How many recovery codes are left."), "9")

_OPERATOR = (
    MailVariable("operator", Text("The address of the new operator."), "new@example.com"),
    MailVariable("role", Text("What they may do: view, support or admin."), "support"),
)

_BREAK_GLASS = (
    MailVariable("person", Text("The address of who has signed in."), "admin@example.com"),
    MailVariable("organization", Text("The name of their organization."), "Acme"),
)

_WEBHOOK = (
    MailVariable("webhook_host", Text("The server that events were sent to."), "example.com"),
    MailVariable(
        "webhook_reason", Text("Why it is off: failing for days, or gone by its answer."), "failing"
    ),
)

_PROVIDER = MailVariable("provider", Text("The provider, as you have named it."), "Google")

_SITE = MailVariable(
    "site", Text("The name of your site; brand.name is the organization’s here."), "Acme"
)

_SIGN_IN, _ACCOUNT = Text("Signing in"), Text("Account")
_FACTORS, _PASSKEYS, _MESSAGES = Text("Second factors"), Text("Passkeys"), Text("Text messages")
_BOTH: Final = ("code", "link")

_ALL: Final = (
    Mail("signin", Text("Sign in"), _SIGN_IN, _BOTH),
    Mail("signup", Text("Sign up"), _SIGN_IN, _BOTH),
    Mail("step_up", Text("Confirm that it is you"), _SIGN_IN, _BOTH),
    Mail("new_sign_in", Text("A new browser signed in"), _SIGN_IN, ("link",)),
    Mail(
        "break_glass_used", Text("A sign-in without the company login"), _SIGN_IN, (), _BREAK_GLASS
    ),
    Mail("provider_linked", Text("A way to sign in was added"), _ACCOUNT, (), (_PROVIDER,)),
    Mail("invitation", Text("An invitation"), _ACCOUNT, ("link",)),
    Mail("organization_invitation", Text("Join an organization"), _ACCOUNT, ("link",), (_SITE,)),
    Mail("address_change", Text("Confirm a new address"), _ACCOUNT, _BOTH),
    Mail("address_requested", Text("Confirm an address"), _ACCOUNT, ("link",)),
    Mail("address_changed", Text("The address was changed"), _ACCOUNT, ("link",)),
    Mail("address_in_use", Text("The new address is in use"), _ACCOUNT),
    Mail("address_restored", Text("The address is back"), _ACCOUNT),
    Mail("address_withdrawn", Text("The change of address was undone"), _ACCOUNT),
    Mail("account_deleted", Text("The account was deleted"), _ACCOUNT),
    Mail("factor_added", Text("A second factor was added"), _FACTORS, (), _FACTOR),
    Mail("factor_removed", Text("A second factor was removed"), _FACTORS, (), _FACTOR),
    Mail("factors_reset_asked", Text("Second factors will be removed"), _FACTORS, ("link",)),
    Mail("factors_reset", Text("Second factors were removed"), _FACTORS),
    Mail("recovery_codes_made", Text("Recovery codes were made"), _FACTORS),
    Mail("recovery_code_used", Text("A recovery code was used"), _FACTORS, (), (_LEFT,)),
    Mail("passkey_added", Text("A passkey was added"), _PASSKEYS, (), (_PASSKEY,)),
    Mail("passkey_removed", Text("A passkey was removed"), _PASSKEYS, (), (_PASSKEY,)),
    Mail("operator_added", Text("An operator was added"), Text("Dashboard"), (), _OPERATOR),
    Mail("webhook_off", Text("A webhook was turned off"), Text("Dashboard"), (), _WEBHOOK),
    Mail("setup_link", Text("A set-up link"), Text("Organizations"), ("link",)),
    Mail("sms_code", Text("A code by text message"), _MESSAGES, ("code",), (), "sms"),
    Mail("sms_enrollment", Text("A code that confirms a phone"), _MESSAGES, ("code",), (), "sms"),
)
MAILS: Final[Mapping[str, Mail]] = {mail.name: mail for mail in _ALL}
"""All of them, by name, in the order in which a list shows them."""
