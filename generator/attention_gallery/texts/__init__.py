"""What people see of a text, and where its words stand: for every tokenizer, page and measure alike.

readable    a piece of text with nothing invisible in it
reading     the texts of a sentence as the one text that ranges count in
words       where the words of a text stand, and to which word each token belongs
"""
