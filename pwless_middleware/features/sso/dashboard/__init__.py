"""The pages of an organization on the dashboard that are about its company login."""
