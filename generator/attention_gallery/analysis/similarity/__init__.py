"""Which heads of a model do the same."""
