"""Test addresses: addresses of nobody, whose code is always the same (security rule 67).

    EmailLogin(test_users=True)

They are made on a page of the dashboard, or by `passwordless.verbs(EmailLogin).test_addresses`.
Nothing here is loaded where they are off.
"""
