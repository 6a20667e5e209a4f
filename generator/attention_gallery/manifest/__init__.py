"""From `gallery.yaml` to frozen settings that remember where every value stands."""
