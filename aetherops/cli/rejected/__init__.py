"""``aetherops rejected``: batches that were accepted and could not be stored."""
