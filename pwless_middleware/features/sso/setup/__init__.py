"""The set-up: a link with an end, by which a customer's administrator connects their provider.

    link ──▶ opened, once, by a button ──▶ set-up session, in one browser
         ──▶ provider ──▶ test ──▶ domain ──▶ turned on ──▶ finished

The session is a cookie of its own and never a user's session: it reaches the connections and the
domains of the one organization of its link, on these pages alone, until the link ends, is revoked,
or the set-up is finished.
"""
