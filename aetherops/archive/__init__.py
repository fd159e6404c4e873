"""The archive of samples: what a stream, a batch and a chunk are, and where they are kept."""
