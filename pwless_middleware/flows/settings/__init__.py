"""What operators set while the app runs: settings, and templates of mails."""
