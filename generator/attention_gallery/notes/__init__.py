"""Markdown notes: where they belong, what they say, and safe HTML made of them."""
