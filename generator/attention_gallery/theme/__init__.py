"""Find a theme, bundle its assets, render its templates."""
