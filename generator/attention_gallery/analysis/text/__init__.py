"""Words and tokens that a reader means, and attention between words."""
