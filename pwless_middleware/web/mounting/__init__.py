"""How the whole is put together: options checked, floors made, features mounted."""
