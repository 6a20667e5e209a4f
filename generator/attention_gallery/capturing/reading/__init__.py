"""From a text to what a model reads: tokens, their places, chats, what a decoder goes on to write."""
