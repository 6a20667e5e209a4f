"""What pages read of captures and results, each once: data only, no template."""
