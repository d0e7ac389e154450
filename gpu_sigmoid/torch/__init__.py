"""For PyTorch: modules that take the place of torch's own.

Tensors need nothing from here: `gpu_sigmoid.sigmoid(tensor)` and all else of the family
take them as they are, with gradients of first and second order. `nn` holds modules.

Importing this registers the operators `torch.ops.gpu_sigmoid`, which programs that torch
exported and saved are made of. Otherwise the first call of a tensor does.
"""

from gpu_sigmoid.backends.torch import direct
from gpu_sigmoid.torch import nn

direct.install()

__all__ = ["nn"]
