"""Which head knows a relation between words, how well, and against what."""
