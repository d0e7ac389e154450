"""Where kernels run, one module or package per kind of array."""
