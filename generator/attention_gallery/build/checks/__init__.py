"""What is wrong, before and after: sources, links, texts that no model read, bytes of a site."""
