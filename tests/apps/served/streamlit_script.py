"""A Streamlit script: the guide's recipe."""

import streamlit as st

st.write(f"Hello, {st.context.headers.get('Remote-User')}")
