"""OpenID Connect 1.0, as a relying party: the authorization code flow with PKCE (security rule 51).

It has no routes of its own: `client.OIDCClient` says where a browser is sent, and reads what comes
back.
"""
