"""What templates get: the contract between pages and themes."""
