"""Running a model and streaming each layer out."""
