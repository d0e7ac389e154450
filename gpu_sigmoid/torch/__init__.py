"""For PyTorch: modules that take the place of torch's own.

Tensors need nothing from here: `gpu_sigmoid.sigmoid(tensor)` and all else of the family
take them as they are, with gradients of first and second order. `nn` holds modules.
"""

from gpu_sigmoid.torch import nn

__all__ = ["nn"]
