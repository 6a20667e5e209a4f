"""Whether anything has changed since the last build, without reading it."""
