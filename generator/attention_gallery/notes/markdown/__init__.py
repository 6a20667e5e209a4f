"""From a note's Markdown to safe HTML."""
