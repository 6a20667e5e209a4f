"""What heads do on texts made for it: random tokens read twice, prefixes of a text."""
