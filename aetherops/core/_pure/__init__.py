"""The kernels in pure Python: the same names, answers and errors as the compiled ones."""
