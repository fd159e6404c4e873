"""``aetherops streams``: which there are, and what is said of them."""
