"""`python -m attention_gallery` does what the `attention-gallery` command does."""

from attention_gallery.cli.main import run

if __name__ == "__main__":
    run()
