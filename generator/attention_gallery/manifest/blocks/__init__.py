"""What the blocks of a manifest must hold: sentences, relations, treebanks, contrasts, lengths."""
