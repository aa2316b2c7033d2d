"""The pages of organizations on the dashboard."""
