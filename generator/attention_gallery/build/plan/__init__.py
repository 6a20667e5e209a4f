"""What must be made: captures, models, probes, contrasts and notes, held to manifest and lock."""
