"""The `attention-gallery` command: argument translation and terminal output only."""
