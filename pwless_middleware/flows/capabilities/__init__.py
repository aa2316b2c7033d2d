"""What a feature is given, and no other's: jobs, records, secrets, periodic work."""
