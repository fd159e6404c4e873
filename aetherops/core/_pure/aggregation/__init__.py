"""Pure twins of the kernels of aggregation."""
