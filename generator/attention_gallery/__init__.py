"""Attention Gallery: a static site generator for galleries of transformer attention."""

__version__ = "0.1.0"
