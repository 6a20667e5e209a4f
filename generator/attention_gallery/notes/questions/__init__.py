"""What notes ask and claim, as typed questions."""
