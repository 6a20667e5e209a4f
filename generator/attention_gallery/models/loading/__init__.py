"""Loading a model, and telling why it cannot be loaded."""
