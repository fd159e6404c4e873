"""Who asks: operators, signing keys and bearer tokens."""
