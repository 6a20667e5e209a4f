"""`gallery.lock`: which models a gallery is built from."""
