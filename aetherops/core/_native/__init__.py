"""The compiled kernels, where they were built; their sources stand in ``ext``."""
