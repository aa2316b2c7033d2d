"""The section of templates: each mail and text message in each language, edited and looked at."""
