"""YAML as text with places: every value knows its line."""
