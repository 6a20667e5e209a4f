"""What the explorer says about its numbers is said of the capture, not of a rounded copy."""

from __future__ import annotations

from sample_gallery import Sample


def test_the_normalisation_error_is_that_of_the_capture(sample: Sample) -> None:
    sample.build()
    # The sample's captures all say 1e-7; their float32 rows themselves would give other numbers.
    for route in ("enc/cat/", "dec/river/"):
        assert "the largest difference was 1.0e-07." in sample.page(route)
