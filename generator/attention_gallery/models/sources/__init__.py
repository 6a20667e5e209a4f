"""Finding a model: on this machine, in a package, on the hub."""
