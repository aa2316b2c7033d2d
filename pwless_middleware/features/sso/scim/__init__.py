"""SCIM 2.0 (RFC 7643, RFC 7644): a customer's directory keeps the members of its organization.

It has `Users` alone, and what `pages.ScimPages` mounts below `/scim/v2/{connection}` is asked with
the token of the connection, by nobody else.
"""
