"""A marimo notebook: the guide's recipe."""

import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo

    user = mo.app_meta().request.user
    mo.md(f"Hello, {user['display_name']}")
    return
