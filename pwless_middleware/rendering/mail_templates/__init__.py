"""Mail templates that operators edit: a closed language, which is data and never code."""
