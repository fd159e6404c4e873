"""`aetherops query`."""
