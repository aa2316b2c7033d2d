"""What WebAuthn defines: what a browser is asked, what it answers, and how that is verified."""
