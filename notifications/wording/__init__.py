"""What families read: the texts of each language and what fills them."""
