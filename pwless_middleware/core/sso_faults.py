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
    "response_missing": Text("The form that came has no SAMLResponse, or more than one."),
    "response_too_large": Text("The SAML response is larger than 256 KiB."),
    "response_malformed": Text("The SAML response cannot be read: it is no well-formed XML."),
}
"""Faults of SAML 2.0."""

FAULTS: Final[Mapping[str, Text]] = {
    **LOGIN_FAULTS,
    **OIDC_FAULTS,
    **SAML_FAULTS,
    **{f"request_{fault}": Text(text) for fault, text in REQUEST_FAULTS.items()},
}
"""Every fault, by its code. `request_…` are those of requests that we send to a provider."""
