"""How often the matcher finds the right child, on 100,000 labelled transfers, beside two other ways of matching."""
