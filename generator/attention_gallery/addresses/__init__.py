"""Where everything in a site lies, and the links that lead there."""
