"""What can be wrong between us and a company's login: a closed list, each fault with its sentence.

The sentences are for administrators: whoever sets a connection up, and operators, who read the log.
The person who signs in reads only that their company's login did not work, and a reference.

A sentence says what was the matter and, where there is something to do, what and on which side. It
holds no values: what was expected and what came stands beside it (`features.sso.faults.SSOFault`).
Whoever finds a new fault adds a line here, to the list of its protocol, and the German beside it;
nothing else knows the list. A fault that is no longer raised is removed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pwless_middleware.errors import FAULTS as REQUEST_FAULTS
from pwless_middleware.text import Text

LOGIN_FAULTS: Final[Mapping[str, Text]] = {
    # --- of the way through the browser ---------------------------------------------------------
    "state_missing": Text(
        "The answer belongs to no login that was begun here. Logins that are begun at the provider "
        "are not accepted; start from the login page."
    ),
    "state_unknown": Text(
        "The answer does not say which login it belongs to, or names one that was not begun here."
    ),
    "state_expired": Text(
        "The answer came too late: more than 15 minutes after the login began. The person can try "
        "again."
    ),
    "state_used": Text("The login was answered already: an answer counts once."),
    "other_browser": Text("The answer came from another browser than the one that asked."),
    "other_connection": Text(
        "The answer came to the address of another connection. Check the redirect URI or ACS URL "
        "at the provider: each connection has its own."
    ),
    # --- of the connection ----------------------------------------------------------------------
    "connection_gone": Text("The connection was deleted while the person signed in."),
    "connection_off": Text("The connection is turned off. Turn it on once its test has worked."),
    "connection_incomplete": Text(
        "The connection is not set up completely. Open it, and fill in what is missing."
    ),
    "sso_off": Text("The organization’s policy does not allow its company login."),
    # --- of whose login it is -------------------------------------------------------------------
    "subject_malformed": Text(
        "The provider’s id of the person is missing, too long, or holds control characters."
    ),
    "address_missing": Text(
        "The provider sent no email address that can be used. Let it send one: as the claim or "
        "attribute that the connection names."
    ),
    "address_foreign": Text(
        "The email address that the provider sent is not in a verified domain of the organization. "
        "Verify its domain first."
    ),
    "address_unverified": Text(
        "The provider does not vouch for the email address, so it has to be proven by email."
    ),
    "address_taken": Text(
        "The provider sent another email address than before, and somebody else has it here."
    ),
    "subject_changed": Text(
        "The provider has another id for the person of this email address than before: somebody "
        "else has the address now, or the person was made anew there. If it is the same person, "
        "remove the old identity on their page, and let them try again."
    ),
    "other_person": Text(
        "Somebody else signed in at the provider than the person who was asked to confirm."
    ),
    "groups_missing": Text(
        "Groups are mapped to roles, but the provider sends none. Add the groups to what it sends."
    ),
    "not_a_member": Text(
        "Only who was invited may join the organization. Invite the person, or let its policy "
        "admit everybody who signs in with the company’s login."
    ),
    "member_inactive": Text("The person was deactivated in the organization."),
    "no_account": Text("There is no account with this email address, and nobody may make one."),
    "disabled": Text("The person is disabled. Enable them if they may sign in again."),
    "denied": Text("A rule of the site refused the login."),
}
"""Faults that both protocols have."""

OIDC_FAULTS: Final[Mapping[str, Text]] = {
    # --- the provider said so (RFC 6749 section 4.1.2.1, OpenID Connect Core section 3.1.2.6) -----
    "access_denied": Text(
        "The provider refused the login, or the person canceled it. At the provider, check whether "
        "the person is assigned to this app."
    ),
    "login_required": Text(
        "The provider wanted the person to do something first. They can try again."
    ),
    "provider_error": Text("The provider answered with an error."),
    # --- discovery (OpenID Connect Discovery section 4) -------------------------------------------
    "discovery_status": Text(
        "There is no discovery document at the issuer. Check that the issuer is exactly as the "
        "provider shows it."
    ),
    "discovery_malformed": Text("The discovery document cannot be read: it is no JSON object."),
    "discovery_issuer": Text(
        "The discovery document names another issuer than the connection. Copy the issuer exactly "
        "as it stands there, with or without a slash at its end."
    ),
    "discovery_tenant": Text(
        "This issuer stands for the customers of the provider all together. Use the one of the "
        "company’s own directory (tenant)."
    ),
    "discovery_incomplete": Text("The discovery document lacks an endpoint that is needed."),
    "discovery_insecure": Text("The discovery document names an endpoint that is not https."),
    "discovery_flow": Text("The provider does not offer the authorization code flow."),
    "discovery_client_auth": Text(
        "The provider takes the client secret in none of the ways that are supported: allow "
        "client_secret_basic or client_secret_post."
    ),
    "discovery_algorithms": Text(
        "The provider signs with none of the algorithms that are accepted: let it use RS256 or "
        "ES256."
    ),
    # --- the answer, and the code ----------------------------------------------------------------
    "code_missing": Text("The provider’s answer has no code."),
    "issuer_mismatch": Text("The answer came from another provider than the one that was asked."),
    "client_refused": Text(
        "The provider does not accept the client ID or the client secret. Copy both anew; secrets "
        "expire at some providers."
    ),
    "code_refused": Text(
        "The provider does not accept the code: it was used, is too old, or the redirect URI is "
        "another than the one that the provider knows."
    ),
    "token_status": Text("The provider’s token endpoint answered with an error."),
    "token_malformed": Text("The answer of the provider’s token endpoint cannot be read."),
    # --- the ID token (OpenID Connect Core section 3.1.3.7) ---------------------------------------
    "id_token_missing": Text(
        "The provider sent no ID token. Check that the scope openid is allowed for this app."
    ),
    "id_token_malformed": Text("The ID token cannot be read."),
    "id_token_encrypted": Text(
        "The ID token is encrypted. Turn the encryption of ID tokens off at the provider."
    ),
    "id_token_algorithm": Text("The ID token is signed by an algorithm that is not accepted."),
    "id_token_key": Text("The ID token is signed by a key that the provider does not publish."),
    "id_token_signature": Text("The signature of the ID token is wrong."),
    "id_token_issuer": Text("The ID token names another issuer than the connection."),
    "id_token_audience": Text("The ID token was made for another app."),
    "id_token_expired": Text(
        "The ID token had ended when it came. Check the clock of the provider’s server."
    ),
    "id_token_early": Text(
        "The ID token was made in the future. Check the clock of the provider’s server."
    ),
    "id_token_nonce": Text("The ID token belongs to another login."),
    "id_token_login": Text(
        "The provider did not ask the person to sign in again, as it was told to."
    ),
    "id_token_claim": Text("The ID token lacks a claim that is needed, or it is malformed."),
    # --- keys and userinfo -----------------------------------------------------------------------
    "jwks_status": Text("The provider’s keys cannot be fetched."),
    "jwks_malformed": Text("The provider’s keys cannot be read."),
    "userinfo_status": Text("The provider’s userinfo endpoint answered with an error."),
    "userinfo_malformed": Text("The answer of the provider’s userinfo endpoint cannot be read."),
    "userinfo_subject": Text("The userinfo is of another person than the ID token."),
}
"""Faults of OpenID Connect."""

SAML_FAULTS: Final[Mapping[str, Text]] = {
    # --- the answer as a document -----------------------------------------------------------------
    "response_missing": Text("The form that came has no SAMLResponse, or more than one."),
    "response_too_large": Text("The SAML response is larger than 256 KiB."),
    "response_malformed": Text("The SAML response cannot be read: it is no well-formed XML."),
    "response_doctype": Text("The SAML response has a DOCTYPE or entities, which none may have."),
    "response_too_complex": Text("The SAML response has too many elements or namespaces."),
    "response_other": Text("What came is another SAML message than a response."),
    "response_version": Text("The provider speaks another version of SAML than 2.0."),
    "response_shape": Text(
        "The SAML response is put together in a way that no provider does it. Somebody may have "
        "changed it on its way."
    ),
    # --- the provider said so (SAML 2.0 Core section 3.2.2.2) -------------------------------------
    "status_login_failed": Text("The person did not get through the provider’s login."),
    "status_denied": Text(
        "The provider refused the login. At the provider, check whether the person is assigned to "
        "this app."
    ),
    "status_name_id": Text(
        "The provider cannot name people in the format that the connection asks for. Choose "
        "another NameID format, here or there."
    ),
    "status_context": Text("The provider cannot ask for the kind of login that was wanted."),
    "status_passive": Text(
        "The provider would have had to ask the person, and was not allowed to."
    ),
    "status_requester": Text(
        "The provider does not accept the request. Check there that the entity ID and the ACS URL "
        "are as shown here, and whether it wants requests to be signed."
    ),
    "status_responder": Text("The provider had an error of its own. Its log says which."),
    "status_other": Text("The provider signed nobody in."),
    # --- for whom the answer is -------------------------------------------------------------------
    "response_destination": Text(
        "The SAML response was made for another address than ours. Copy the ACS URL to the "
        "provider exactly as shown here."
    ),
    "response_issuer": Text(
        "The answer comes from another provider than the connection’s, by its entity ID. Copy the "
        "provider’s entity ID exactly as it shows it."
    ),
    "response_request": Text("The answer belongs to another login than this one."),
    "response_unsolicited": Text(
        "The login was begun at the provider, not here. Start from the login page, or let the "
        "connection accept such logins."
    ),
    # --- signatures -------------------------------------------------------------------------------
    "signature_missing": Text(
        "Neither the response nor the assertion is signed. Let the provider sign the assertion, or "
        "both."
    ),
    "signature_shape": Text("The signature is not of the form that SAML allows."),
    "signature_algorithm": Text(
        "The signature is made by an algorithm that is not accepted. Let the provider sign with "
        "SHA-256."
    ),
    "signature_reference": Text("The signature covers something else than what it stands in."),
    "signature_key": Text(
        "The answer is signed with a certificate that the connection does not have. If the "
        "provider has a new one, add it to the connection."
    ),
    "signature_wrong": Text(
        "The signature is wrong. The certificate is not the one that signed, or the answer was "
        "changed on its way."
    ),
    # --- the assertion ----------------------------------------------------------------------------
    "assertion_missing": Text("The SAML response has no assertion."),
    "assertion_several": Text("The SAML response has several assertions, where one is expected."),
    "assertion_encrypted": Text(
        "The assertion is encrypted. Turn encryption off at the provider: the answer comes by "
        "https, and is signed."
    ),
    "assertion_malformed": Text("The assertion lacks something that it needs, or it is malformed."),
    "assertion_subject": Text("The assertion names nobody: it has no NameID."),
    "assertion_transient": Text(
        "The NameID is a new one at each login (transient). Let the provider send a lasting one, "
        "or name an attribute that holds one."
    ),
    "assertion_confirmation": Text(
        "The assertion has no bearer confirmation, so it may not be used to sign in."
    ),
    "assertion_recipient": Text(
        "The assertion was made for another address than ours. Copy the ACS URL to the provider "
        "exactly as shown here."
    ),
    "assertion_audience": Text(
        "The assertion was made for another service. At the provider, set the audience to our "
        "entity ID, exactly as shown here."
    ),
    "assertion_condition": Text("The assertion holds on a condition that is not known here."),
    "assertion_expired": Text(
        "The assertion had ended when it came. Check the clock of the provider’s server."
    ),
    "assertion_early": Text(
        "The assertion was made in the future. Check the clock of the provider’s server."
    ),
    "assertion_statement": Text("The assertion does not say that the person signed in."),
    "assertion_login": Text(
        "The person had to sign in anew, and the provider did not ask them to. It has to honor "
        "ForceAuthn."
    ),
    "assertion_attributes": Text(
        "The assertion has too many attributes, or too long ones. Let the provider send only the "
        "groups that matter here."
    ),
    "assertion_used": Text("The assertion was used already. The person can try again."),
    "subject_attribute": Text(
        "The attribute that names the person is missing, or has several values."
    ),
    "subject_address": Text(
        "The provider names people by their address (NameID). Whoever is given an address that "
        "somebody else had is taken for them: let it send an id that stays with one person."
    ),
    # --- metadata ---------------------------------------------------------------------------------
    "metadata_status": Text("The metadata cannot be fetched: the server answers with an error."),
    "metadata_too_large": Text("The metadata is larger than 1 MiB."),
    "metadata_malformed": Text("The metadata cannot be read: it is no well-formed XML."),
    "metadata_doctype": Text("The metadata has a DOCTYPE or entities, which none may have."),
    "metadata_too_complex": Text("The metadata has too many elements or namespaces."),
    "metadata_page": Text(
        "This is a web page, not metadata. Copy the address of the metadata itself: it shows XML."
    ),
    "metadata_other": Text("This is XML, but no SAML metadata."),
    "metadata_of_a_service": Text(
        "This is the metadata of a service, such as ours. Use that of the identity provider."
    ),
    "metadata_no_provider": Text("The metadata describes no SAML 2.0 identity provider."),
    "metadata_several": Text(
        "The metadata describes several identity providers. Use that of one, or fill in the fields."
    ),
    "metadata_entity": Text("The metadata lacks the provider’s entity ID."),
    "metadata_changed": Text(
        "The metadata now has another entity ID than the connection. Nothing was taken from it."
    ),
    "metadata_expired": Text("The metadata has expired. Fetch it anew from the provider."),
    "metadata_no_redirect": Text(
        "The provider’s metadata has no address for requests by redirect (HTTP-Redirect)."
    ),
    "metadata_no_certificate": Text("The metadata has no certificate that signs."),
    # --- certificates and keys --------------------------------------------------------------------
    "certificate_none": Text("There is no certificate here."),
    "certificate_malformed": Text(
        "This is no certificate that can be read. Paste it whole, with the lines that begin and "
        "end it, or as the provider’s metadata has it."
    ),
    "certificate_private_key": Text(
        "This is a private key, which nobody but the provider may have. Paste the certificate."
    ),
    "certificate_weak": Text("The key of this certificate is too weak."),
    "certificate_key_kind": Text("The key of this certificate is neither RSA nor ECDSA."),
    "certificate_too_many": Text(
        "These are too many certificates. Leave out those that have ended."
    ),
    "certificate_ends": Text(
        "The provider’s certificate ends soon. Ask for the next one, and add it beside this one."
    ),
    "certificate_ended": Text(
        "The provider’s certificate has ended. It is still accepted, since it was put here by "
        "hand. Ask for a new one."
    ),
    "signing_key_missing": Text(
        "Requests are to be signed, but the connection has no key for it. Make one."
    ),
}
"""Faults of SAML 2.0."""

FAULTS: Final[Mapping[str, Text]] = {
    **LOGIN_FAULTS,
    **OIDC_FAULTS,
    **SAML_FAULTS,
    **{f"request_{fault}": Text(text) for fault, text in REQUEST_FAULTS.items()},
}
"""Every fault, by its code. `request_…` are those of requests that we send to a provider."""

METADATA_FAULTS: Final[Mapping[str, Text]] = {
    code: text
    for code, text in FAULTS.items()
    if code.startswith(("metadata_", "request_", "certificate_"))
}
"""Those that reading a SAML provider's metadata can come to."""
