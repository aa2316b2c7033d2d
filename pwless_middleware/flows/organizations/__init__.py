"""What is true of organizations, and what changes it; imported where a feature asks for them."""
