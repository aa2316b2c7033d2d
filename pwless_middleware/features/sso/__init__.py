"""SSO: people sign in with their company's login, by OpenID Connect or SAML 2.0."""
