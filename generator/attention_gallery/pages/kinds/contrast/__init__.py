"""Pages that put two of something side by side."""
