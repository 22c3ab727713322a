"""Money that nobody could place goes back to its payer: asked for by one, agreed by another, tied to what left."""
