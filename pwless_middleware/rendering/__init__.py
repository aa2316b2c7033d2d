"""Floor 3: pages, mails and their static files, as text and bytes."""
