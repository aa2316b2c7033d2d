"""The ways to sign people in. The page `/ways` shows these files; the tests run them."""
