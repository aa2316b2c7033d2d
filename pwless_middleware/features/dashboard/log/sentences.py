"""A sentence for each kind of event, as an operator reads it in the log.

Whoever adds a kind adds its sentence here; a test fails for one that has none. A `%(name)s` is one
of `wait`, `tries`, `left`, `method` and `methods`, or a detail of the kind. Kinds of a host's own
features are told in the words of their declaration.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from pwless_middleware.core.events.event import Event, EventKind
from pwless_middleware.features.dashboard.log.words import method_text, methods_text
from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text, duration_text

_PLACE: Final = re.compile(r"%\((\w+)\)s")
_ERASED: Final = "…"
"""Stands for what an event no longer says, since the person was erased, and a kind never does."""

SENTENCES: Final[Mapping[str, Text]] = {
    # --- a login -------------------------------------------------------------------------------
    "send.requested": Text("An email with a code or link was asked for."),
    "resend.requested": Text("The email was asked for once more: resend number %(tries)s."),
    "limit.reached": Text("A limit was reached; it can be tried again after %(wait)s."),
    "mail.sent": Text("The mail server accepted the email."),
    "mail.deferred": Text(
        "The mail server did not take the email; it is tried again after %(wait)s."
    ),
    "mail.failed": Text("The email was given up, after %(tries)s tries."),
    "mail.suppressed": Text("No email was sent."),
    "sms.requested": Text("A code by text message was asked for."),
    "sms.sent": Text("The gateway accepted the text message."),
    "sms.deferred": Text(
        "The gateway did not take the text message; it is tried again after %(wait)s."
    ),
    "sms.failed": Text("The text message was given up, after %(tries)s tries."),
    "sms.suppressed": Text("The text message was not sent."),
    "sms.delivered": Text("The text message has arrived, the gateway reports."),
    "sms.undelivered": Text("The text message won’t arrive, the gateway reports."),
    "code.wrong": Text("A wrong code was typed; %(left)s tries were left."),
    "link.opened_elsewhere": Text(
        "The link was opened in another browser than the one that asked. Nothing was used up."
    ),
    "link.scanned": Text(
        "A mail scanner or preview fetched the link. Nothing was used up, and the link still works."
    ),
    "login.refused": Text("The login was refused."),
    "login.verified": Text("The proof was right: %(method)s."),
    "user.created": Text("The person was new, and got an account."),
    "step.required": Text("A further step was asked for: %(methods)s."),
    "step.wrong": Text("A wrong answer to the step %(method)s; %(left)s tries were left."),
    "step.verified": Text("The step was done: %(method)s."),
    "step.skipped": Text("No second factor was asked for, since the browser is a trusted one."),
    "session.created": Text("The person was signed in: %(methods)s."),
    "session.renewed": Text("The person confirmed who they are: %(methods)s."),
    "session.ended": Text("A session ended."),
    "login.disowned": Text(
        "The person said that this sign-in was not theirs. Its session was ended."
    ),
    # --- people --------------------------------------------------------------------------------
    "person.created": Text("An account was made for a person."),
    "person.invited": Text("The person was invited, by an email with the sign-in page’s address."),
    "person.profile_changed": Text("The profile was changed: %(fields)s."),
    "person.disabled": Text("The person was disabled, and can no longer sign in."),
    "person.enabled": Text("The person was enabled, and can sign in again."),
    "person.signed_out": Text("Somebody else signed the person out."),
    "person.exported": Text("Everything about the person was exported."),
    "person.deleted": Text("A person was deleted, with everything about them."),
    "person.address_changed": Text("The person’s address was changed, by proof from the new one."),
    "person.address_requested": Text(
        "Another address was asked for; it has to be confirmed from there."
    ),
    "person.address_withdrawn": Text("The request for another address was taken back."),
    "person.address_undone": Text(
        "A change of address was undone from the old address; all sessions were ended."
    ),
    # --- passkeys and second factors -----------------------------------------------------------
    "passkey.added": Text("A passkey was added."),
    "passkey.renamed": Text("A passkey got another name."),
    "passkey.removed": Text("Passkeys were removed: %(count)s."),
    "passkey.refused": Text("A passkey was refused."),
    "passkey.count_fell": Text(
        "A synced passkey counted backwards and was let in. It may exist more than once."
    ),
    "factor.added": Text("A second factor was added: %(method)s."),
    "factor.renamed": Text("A second factor got another name."),
    "factor.removed": Text("Second factors were removed: %(count)s."),
    "factor.reset_asked": Text(
        "An operator asked to reset all factors; the person can object for %(wait)s."
    ),
    "factor.reset": Text("All factors were reset: %(count)s."),
    "factor.reset_objected": Text("The person objected to the reset of their factors."),
    "enrollment.wrong": Text(
        "A wrong code for a new second factor, %(method)s; %(left)s tries were left."
    ),
    "recovery_codes.made": Text("Recovery codes were made; older ones no longer work."),
    "recovery_code.used": Text("A recovery code was used."),
    "browser.trusted": Text("A browser is trusted: no second factor is asked for in it."),
    "browser.distrusted": Text("Browsers are trusted no longer: %(count)s."),
    # --- the company's login -------------------------------------------------------------------
    "sso.failed": Text("A company’s login did not work, by the connection %(connection)s."),
    "sso.tested": Text("The connection %(connection)s was tested, and worked."),
    "sso.certificate_ends": Text(
        "The certificate of the provider of the connection %(connection)s lasts until %(ends)s."
    ),
    "sso.metadata_failed": Text(
        "The metadata of the provider of the connection %(connection)s could not be read."
    ),
    "sso.break_glass": Text("The person signed in by email, without the company’s login."),
    "identity.linked": Text(
        "The person was linked with who they are at their company’s login, by the connection "
        "%(connection)s."
    ),
    "identity.address_changed": Text(
        "The company’s login said another email address of the person than before, by the "
        "connection %(connection)s. The account keeps its own."
    ),
    # --- organizations -------------------------------------------------------------------------
    "organization.created": Text("The organization %(name)s was made."),
    "organization.changed": Text("The organization’s name, key, brand or language was changed."),
    "organization.policy_changed": Text("The organization’s policy was changed: %(to)s."),
    "organization.policy_applied": Text(
        "The organization’s policy was applied to running sessions."
    ),
    "organization.deleted": Text(
        "The organization %(name)s was deleted, with everything of its own."
    ),
    "domain.added": Text("The domain %(domain)s was added; it binds nobody yet."),
    "domain.verified": Text("The domain %(domain)s was verified."),
    "domain.missing": Text(
        "The DNS record of the domain %(domain)s is missing; it stays verified until somebody "
        "removes it."
    ),
    "domain.found": Text("The DNS record of the domain %(domain)s is there again."),
    "domain.removed": Text("The domain %(domain)s was removed."),
    "connection.created": Text("The connection %(name)s was made, by %(kind)s."),
    "connection.changed": Text("A connection was changed."),
    "connection.secret_changed": Text("The secret of a connection was changed."),
    "connection.enabled": Text("A connection was turned on."),
    "connection.disabled": Text("A connection was turned off."),
    "connection.tested": Text("A whole login by a connection worked for the first time."),
    "connection.scim_token_created": Text(
        "A SCIM token was made for a connection; an older one no longer works."
    ),
    "connection.scim_token_revoked": Text("The SCIM token of a connection was revoked."),
    "connection.deleted": Text(
        "The connection %(name)s was deleted, and who people are at its provider was forgotten."
    ),
    "member.added": Text("The person became a member, with the role %(role)s."),
    "member.changed": Text("A member’s role, or their id in a directory, was changed."),
    "member.deactivated": Text("The member was deactivated, and signed out of the organization."),
    "member.activated": Text("The member was activated, and can sign in again."),
    "member.removed": Text("The person was removed from the organization, and signed out of it."),
    "member.invited": Text("Somebody was invited to the organization, with the role %(role)s."),
    "member.joined": Text("The person accepted an invitation, with the role %(role)s."),
    "member.uninvited": Text("An invitation to the organization was revoked."),
    "identity.removed": Text("Who the person is at an identity provider was forgotten here."),
    "setup_link.created": Text("A set-up link was made for the organization."),
    "setup_link.opened": Text("A set-up link was opened."),
    "setup_link.finished": Text("The set-up of the organization’s login was finished."),
    "setup_link.revoked": Text("A set-up link was revoked."),
    # --- operators and servers -----------------------------------------------------------------
    "delivery.retried": Text("An operator had messages tried again: %(count)s."),
    "delivery.dropped": Text("An operator dropped messages, which were not sent: %(count)s."),
    "operator.added": Text("Somebody may use the dashboard, as %(role)s."),
    "operator.changed": Text("An operator’s role was changed from %(from)s to %(to)s."),
    "operator.removed": Text("An operator may no longer use the dashboard; they were %(role)s."),
    "log.exported": Text("The log was exported: %(view)s, as %(format)s."),
    "caller.refused": Text("A request was refused."),
    # --- test addresses ------------------------------------------------------------------------
    "test_address.added": Text("The address became a test address, with a fixed code."),
    "test_address.changed": Text("The test address got another code, or another end."),
    "test_address.removed": Text("The address is no test address any more."),
    "test_address.used": Text("The fixed code of a test address was right."),
    "test_address.refused": Text("The fixed code of a test address was not taken."),
    # --- API keys ------------------------------------------------------------------------------
    "api_key.created": Text("The API key %(name)s was made, for %(scopes)s."),
    "api_key.rotated": Text("The API key %(name)s was rotated; the old one ends in %(overlap)s s."),
    "api_key.revoked": Text("The API key %(name)s was revoked."),
    "settings.changed": Text("The setting %(name)s was changed from %(from)s to %(to)s."),
    "template.changed": Text(
        "The template %(name)s (%(language)s) was changed from version %(from)s to %(to)s."
    ),
    "template.tested": Text(
        "An operator sent themselves a test of the template %(name)s (%(language)s)."
    ),
    "template.failed": Text(
        "Version %(version)s of the template %(name)s (%(language)s) could not be used, and "
        "the default was sent."
    ),
    "webhook.created": Text("A webhook to %(host)s was added, for %(kinds)s."),
    "webhook.changed": Text("A webhook was changed from %(from)s to %(to)s."),
    "webhook.secret_rotated": Text(
        "A webhook got a new secret; the old one signs beside it for %(overlap)s s."
    ),
    "webhook.turned_on": Text("A webhook was turned on."),
    "webhook.turned_off": Text("A webhook was turned off."),
    "webhook.deleted": Text("The webhook to %(host)s was deleted."),
    "webhook.replayed": Text("The event %(event)s was sent to a webhook once more."),
    "webhook.dropped": Text("%(count)s events were sent to no webhook."),
    "event.dropped": Text("%(count)s events were not written to the database."),
}
"""What happened, by the kind of event."""


def describe_kind(kind: EventKind) -> str:
    """Return what is recorded as a kind, in the language that is being written.

    `…` stands for what each event says anew. A host's own kind is told in its declaration's words.
    """
    sentence = SENTENCES.get(kind.name)
    return kind.meaning.replace("`", "") if sentence is None else _fill(sentence, {})


def sentence_of(event: Event, kinds: Mapping[str, EventKind]) -> str:
    """Return an event as a sentence, in the language that is being written.

    Args:
        event: which.
        kinds: every kind that is declared, for those that are not the product's own.
    """
    sentence = SENTENCES.get(event.kind)
    if sentence is None:
        declared = kinds.get(event.kind)
        return declared.meaning if declared is not None else event.kind
    return _fill(sentence, _values_of(event))


def _fill(sentence: Text, values: Mapping[str, object]) -> str:
    """Return a sentence with its values, in the language that is being written."""
    places = _PLACE.findall(sentence)
    if not places:
        return translate(sentence)
    return translate(
        Text(sentence.message, **{place: values.get(place, _ERASED) for place in places})
    )


def _values_of(event: Event) -> Mapping[str, object]:
    given = event.details or {}
    details: dict[str, object] = {n: value if value != "" else "–" for n, value in given.items()}
    if event.kind == "organization.policy_changed" and details:
        from pwless_middleware.web.responses.policy_words import name_changes  # few logs need it

        details["to"] = name_changes(details.get("from"), details.get("to"))
    return {
        "wait": duration_text(event.wait or 0),
        "tries": event.tries if event.tries is not None else 0,
        "left": event.tries_left if event.tries_left is not None else 0,
        "method": method_text(event.method or ""),
        "methods": methods_text(event.methods or ()),
        **details,
    }
