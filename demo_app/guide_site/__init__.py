"""The guide as the demo serves it: the Markdown of `demo_app/guide`, at `/guide`."""
