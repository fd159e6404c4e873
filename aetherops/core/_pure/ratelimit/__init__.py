"""Pure twins of the kernels of rate limits."""
