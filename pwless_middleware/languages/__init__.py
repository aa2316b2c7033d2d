"""The languages that people read: catalogues, which of them a person gets, times in words.

English is the source: its messages stand in templates and code, and are the keys of the other
catalogues (gettext). `Languages` are those of a deployment; `current` holds the one that is being
written, from the request or the challenge; `translate` is how code puts a text into it.
"""
