"""What is measured of every head of a capture: the measures, the types of heads, one reading for all."""
