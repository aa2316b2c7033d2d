"""The pages of passkeys, and their parts of pages that features share."""
