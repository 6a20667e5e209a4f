"""The version of this program, on the lowest floor, so that no room has to look up for it."""

__version__ = "0.1.0"
