"""What hosts of sites take, as they say themselves."""

from __future__ import annotations

LARGEST_SITE = 1_000_000_000  # bytes; what GitHub Pages publishes of one site
LARGEST_FILE = 100_000_000  # bytes; GitHub refuses a push with a larger one


def site_too_large(size: int) -> str:
    """What to tell of a site above `LARGEST_SITE`."""
    return (
        f"the site has {size / 1e9:.1f} GB, more than the {LARGEST_SITE / 1e9:.0f} GB that GitHub Pages "
        "publishes; "
        "set `pages: {heads: notable}` or `downloads: false` to make it smaller"
    )


def file_too_large(name: str, size: int) -> str:
    """What to tell of a file above `LARGEST_FILE`."""
    return f"{name} has {size / 1e6:.0f} MB; GitHub refuses files above {LARGEST_FILE / 1e6:.0f} MB"
