"""The numbers of pages for programs."""
