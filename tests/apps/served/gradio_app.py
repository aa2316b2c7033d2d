"""A Gradio app, mounted into FastAPI as its manual says; functions read the user of the request."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["GRADIO_TEMP_DIR"] = os.environ.get("PWLESS_TEST_FOLDER", ".")

import gradio as gr
from fastapi import FastAPI

from pwless_middleware import PasswordlessMiddleware
from tests.apps.served.options import options
from tests.apps.served.recipe import recipe

greet = recipe("tools", "Gradio").greet


def count(file: str) -> str:
    """Count an uploaded file."""
    return str(os.path.getsize(file))


with gr.Blocks(title="Greeter") as demo:
    words = gr.Textbox(label="Greeting")
    answer = gr.Textbox(label="Answer")
    gr.Button("Greet").click(greet, words, answer, api_name="greet")
    given = gr.File(label="File")
    gr.Button("Count").click(count, given, answer, api_name="count")

inner = gr.mount_gradio_app(
    FastAPI(), demo, path="/ui", root_path=urlsplit(os.environ["PWLESS_TEST_BASE_URL"]).path + "/ui"
)
app = PasswordlessMiddleware(inner, **options())
