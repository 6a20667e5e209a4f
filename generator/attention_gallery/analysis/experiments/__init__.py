"""What heads do on texts made for it: random tokens read twice, beginnings of a text."""
