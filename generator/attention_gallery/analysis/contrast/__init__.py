"""Two captures side by side: the same heads, or those of one model that are most like those of another."""
