"""Where a token's information comes from, by views that look further than raw attention."""
