"""Money that a bank took back after it had told of it: asked by one, agreed by another, or named by the bank."""
