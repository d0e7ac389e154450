"""For PyTorch: modules that replace torch's own.

Tensors need nothing from here: `gpu_sigmoid.sigmoid(tensor)` and the other functions accept
them, with gradients of first and second order. `nn` has the modules.

Importing this module registers the operators `torch.ops.gpu_sigmoid`, which programs exported
and saved by torch contain. Without the import, the first call on a tensor registers them.
"""

from gpu_sigmoid.backends.torch import direct
from gpu_sigmoid.torch import nn

direct.install()

__all__ = ["nn"]
