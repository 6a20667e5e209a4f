"""A model's files, looked at before any library opens them."""
