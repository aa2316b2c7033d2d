"""Mail by SMTP: the mailer, and how its connections are opened, used and kept."""
