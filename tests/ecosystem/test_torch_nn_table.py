"""Every module beside torch's: constructor's arguments, dtypes, shapes, infinities, and errors."""

from typing import Any

import pytest
from helpers.required import library

torch = library("torch")

from gpu_sigmoid.torch import nn

INF = float("inf")
DTYPES = ["float16", "bfloat16", "float32", "float64"]
MODULES: list[tuple[str, dict[str, Any]]] = [
    ("Sigmoid", {}),
    ("LogSigmoid", {}),
    ("Tanh", {}),
    ("SiLU", {}),
    ("SiLU", {"inplace": True}),
    *(("Softplus", {"beta": beta}) for beta in (1.0, 0.1, 2.5, 10.0, 100.0, -2.0)),
    ("Softplus", {"beta": 3.0, "threshold": 50.0}),
]
# Units in the last place. Softplus in float64: torch's has a threshold, and ours rounds beta x.
ULPS = {("Softplus", "float64"): 2**25}

WEIGHTS: list[dict[str, Any]] = [
    {},
    {"weight": [0.5, 2.0, 1.0]},
    {"pos_weight": [0.5, 8.0, 0.01]},
    {"pos_weight": [0.0, 3.0, 1.0], "weight": [1.0, 0.5, 2.0]},
]


def points(dtype: str, count: int) -> Any:
    x = torch.linspace(-30, 30, count - 4, dtype=torch.float64)
    return torch.cat([x, torch.tensor([0.0, -0.0, INF, -INF])]).to(getattr(torch, dtype))


def assert_near(ours: Any, exact: Any, ulps: float, error: float = 0.0) -> None:
    """Compare with a result in float64 that is off by up to `error`, infinities and nan included."""
    limits = torch.finfo(ours.dtype)
    rounded = exact.to(ours.dtype).double()
    torch.testing.assert_close(
        ours.double(), rounded, rtol=ulps * limits.eps, atol=max(limits.tiny, error), equal_nan=True
    )


@pytest.mark.parametrize("shape", [(60,), (6, 10), (0,), ()])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "options"), MODULES)
def test_module(name: str, options: dict[str, Any], dtype: str, shape: tuple) -> None:
    x = points(dtype, 60).flip(0)[: torch.Size(shape).numel()].reshape(shape)
    wide = x.double().requires_grad_()
    # in place, a gradient needs another tensor than the leaf
    exact = getattr(torch.nn, name)(**options)(wide * 1)
    leaf = x.clone().requires_grad_()
    ours = getattr(nn, name)(**options)(leaf * 1)
    assert (ours.dtype, ours.shape) == (x.dtype, x.shape)
    ulps = ULPS.get((name, dtype), 4)
    # torch's silu of -inf is nan, in the value and in both's derivatives
    known = ~wide.detach().isinf() if name == "SiLU" else torch.ones_like(x, dtype=torch.bool)
    assert_near(ours.detach()[known], exact.detach()[known], ulps)
    (gradient,) = torch.autograd.grad(ours.sum(), leaf)
    (expected,) = torch.autograd.grad(exact.sum(), wide)
    # torch's own gradients are right up to rounding of 1 - sigmoid and 1 - tanh^2
    known &= 2 * x.abs() <= 15 if name == "Tanh" else x <= 15
    assert_near(
        gradient[known],
        expected[known],
        max(ulps, 2**24 if dtype == "float64" else 4),
    )


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("weights", WEIGHTS)
def test_loss(weights: dict[str, Any], dtype: str, reduction: str) -> None:
    kind = getattr(torch, dtype)
    generator = torch.Generator().manual_seed(0)
    x = (torch.randn(20, 3, dtype=torch.float64, generator=generator) * 8).to(kind)
    soft = torch.rand(20, 3, dtype=torch.float64, generator=generator).to(kind)
    for target in (soft, soft.round()):
        options = {name: torch.tensor(values) for name, values in weights.items()}
        leaf, wide = x.clone().requires_grad_(), x.double().requires_grad_()
        ours = nn.BCEWithLogitsLoss(reduction=reduction, **{n: v.to(kind) for n, v in options.items()})(
            leaf, target
        )
        doubles = {n: v.to(kind).double() for n, v in options.items()}
        exact = torch.nn.BCEWithLogitsLoss(reduction=reduction, **doubles)(wide, target.double())
        assert ours.dtype == kind
        # torch's own small losses are differences of terms of 20 and less
        assert_near(ours.detach(), exact.detach(), 16, error=1e-14)
        gradients = [torch.autograd.grad(y.sum(), leaf_of)[0] for y, leaf_of in ((ours, leaf), (exact, wide))]
        torch.testing.assert_close(
            gradients[0].double(),
            gradients[1],
            rtol=32 * torch.finfo(kind).eps,
            atol=8 * torch.finfo(kind).eps,
        )


@pytest.mark.parametrize("weights", WEIGHTS)
def test_infinite_logits_cost_0_on_a_hard_targets_side(weights: dict[str, Any]) -> None:
    options = {name: torch.tensor(values) for name, values in weights.items()}
    x = torch.tensor([[INF] * 3, [-INF] * 3], requires_grad=True)
    target = torch.tensor([[1.0] * 3, [0.0] * 3], requires_grad=True)
    loss = nn.BCEWithLogitsLoss(**options)(x, target)
    assert loss.item() == 0.0
    (gradient,) = torch.autograd.grad(loss, x, retain_graph=True)
    assert gradient.tolist() == torch.zeros(2, 3).tolist()
    wrong = nn.BCEWithLogitsLoss(**options, reduction="sum")(x.detach(), 1 - target)
    assert wrong.item() == INF


@pytest.mark.parametrize("dtype", [torch.bool, torch.int64])
@pytest.mark.parametrize("weights", [{}, {"pos_weight": [2.0, 3.0, 4.0]}])
def test_targets_that_count(dtype: Any, weights: dict[str, Any]) -> None:
    """Torch refuses booleans and integers here, for no reason of the loss's."""
    options = {name: torch.tensor(values) for name, values in weights.items()}
    x, target = torch.tensor([[-1.0, 0.0, 2.0]]), torch.tensor([[1, 0, 1]])
    ours = nn.BCEWithLogitsLoss(**options)(x, target.to(dtype))
    torch.testing.assert_close(ours, torch.nn.BCEWithLogitsLoss(**options)(x, target.float()))


X = torch.ones(2, 3)


@pytest.mark.parametrize(
    ("name", "options", "given"),
    [
        ("BCEWithLogitsLoss", {"reduction": "Mean"}, (X, X)),
        ("BCEWithLogitsLoss", {}, (X, X[:1])),
        ("BCEWithLogitsLoss", {}, (X, X[0])),
        ("BCEWithLogitsLoss", {"weight": X[:, :2]}, (X, X)),
        ("BCEWithLogitsLoss", {"pos_weight": X[:, :2]}, (X, X)),
        ("SiLU", {"inplace": True}, (X.clone().requires_grad_(),)),
        ("BCEWithLogitsLoss", {"weight": X}, (X[0], X[0])),
        ("BCEWithLogitsLoss", {"weight": X[:1]}, (X[0], X[0])),
        ("BCEWithLogitsLoss", {"pos_weight": X}, (X[0], X[0])),
        ("BCEWithLogitsLoss", {"pos_weight": X[0]}, (X[:, :1], X[:, :1])),
        ("BCEWithLogitsLoss", {"pos_weight": X[0, :0]}, (X[0, :1], X[0, :1])),
        ("SiLU", {"inplace": True}, (X[:, :1].expand(2, 3),)),
        ("SiLU", {"inplace": True}, (torch.arange(3),)),
        ("SiLU", {"inplace": True}, (torch.ones(3, dtype=torch.bool),)),
        ("Sigmoid", {}, ("x",)),
        ("SiLU", {}, (None,)),
    ],
)
def test_same_errors(name: str, options: dict[str, Any], given: tuple) -> None:
    with pytest.raises(Exception) as theirs:
        getattr(torch.nn, name)(**options)(*given)
    with pytest.raises(theirs.type):
        getattr(nn, name)(**options)(*given)


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int64])
def test_integers_and_booleans_have_results_in_floating_point(dtype: Any) -> None:
    """Torch refuses them here; without options, the functions of this library do not."""
    x, target = torch.tensor([0, 1, 3, 1]).to(dtype), torch.tensor([0, 1, 0, 0]).to(dtype)
    wide = x.float()
    for beta in (1.0, 2.0, 0.5):
        torch.testing.assert_close(nn.Softplus(beta)(x), torch.nn.Softplus(beta)(wide))
    for options in ({}, {"pos_weight": torch.tensor(3.0)}, {"weight": torch.tensor(3)}):
        ours = nn.BCEWithLogitsLoss(reduction="none", **options)(x, target)
        torch.testing.assert_close(
            ours, torch.nn.BCEWithLogitsLoss(reduction="none", **options)(wide, target.float())
        )


@pytest.mark.parametrize("name", ["weight", "pos_weight"])
@pytest.mark.parametrize("weight", DTYPES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_weights_dtype_is_not_the_losss(dtype: str, weight: str, name: str) -> None:
    x = torch.ones(3, dtype=getattr(torch, dtype))
    options = {name: torch.full((3,), 1.5, dtype=getattr(torch, weight))}
    for reduction in ("none", "mean"):
        ours, theirs = [of.BCEWithLogitsLoss(reduction=reduction, **options)(x, x) for of in (nn, torch.nn)]
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("weight", [None, 1.0, 3.0, 0.25])
def test_the_targets_gradient_at_an_infinite_logit_that_costs_0(weight: float | None) -> None:
    options = {} if weight is None else {"pos_weight": torch.tensor([weight], requires_grad=True)}
    x = torch.tensor([INF, -INF, INF, -INF, 1e30, -2.0, 0.5], requires_grad=True)
    t = torch.tensor([1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0], requires_grad=True)
    loss = nn.BCEWithLogitsLoss(reduction="none", **options)(x, t)
    assert loss[:4].tolist() == [0.0, 0.0, INF, INF]
    x, t = [a.detach()[[0, 1, 4, 5, 6]].requires_grad_() for a in (x, t)]
    loss = nn.BCEWithLogitsLoss(reduction="sum", **options)(x, t)
    by_x, by_t, *by_weight = torch.autograd.grad(loss, (x, t, *options.values()))
    assert by_x[:2].tolist() == [0.0, 0.0] and by_x.isfinite().all()
    assert by_t[:2].tolist() == [-INF, INF]
    ratio = 1.0 if weight is None else weight
    softplus = torch.nn.functional.softplus
    torch.testing.assert_close(by_t[2:], (ratio * softplus(-x) - softplus(x))[2:].detach())
    assert all(g.isfinite().all() for g in by_weight)
    tangent = torch.func.jvp(
        lambda t: nn.BCEWithLogitsLoss(reduction="none", **options)(x, t), (t,), (torch.ones_like(t),)
    )[1]
    assert tangent[:2].tolist() == [-INF, INF]


def test_softplus_with_beta_does_not_overflow() -> None:
    for dtype, large in (("float16", 6e4), ("float32", 3e38), ("float64", 1e308)):
        x = torch.tensor([large], dtype=getattr(torch, dtype), requires_grad=True)
        y = nn.Softplus(beta=10.0)(x)
        assert y.item() == x.item()
        assert torch.autograd.grad(y.sum(), x)[0].item() == 1.0


@pytest.mark.parametrize("target", DTYPES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_loss_of_two_dtypes_has_the_one_they_are_promoted_to(dtype: str, target: str) -> None:
    """Torch's has the target's, and in 16 bits loses what logits of float32 hold."""
    x, t = torch.linspace(-3, 3, 7).to(getattr(torch, dtype)), torch.ones(7, dtype=getattr(torch, target))
    common = torch.promote_types(x.dtype, t.dtype)
    ours = nn.BCEWithLogitsLoss(reduction="none")(x, t)
    assert ours.dtype == common
    assert torch.equal(ours, nn.BCEWithLogitsLoss(reduction="none")(x.to(common), t.to(common)))
