"""`gpu-sigmoid demo`: a logistic regression on real data, beside scikit-learn's."""

from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

import gpu_sigmoid as gs
from gpu_sigmoid.cli.figures import GRAD_COLOUR, VALUE_COLOUR, FigureFile, new_axes, save


@dataclass(frozen=True)
class Comparison:
    """Both regressions' scores, and ours in detail: test logits and their labels."""

    ours: str
    """Accuracy and log loss on the test set, to four digits."""
    theirs: str
    logits: np.ndarray
    labels: np.ndarray


@click.command()
@click.option("-o", "--output", type=FigureFile(), default="demo.png", show_default=True)
def demo(output: Path) -> None:
    """Train a logistic regression on real data, and plot it.

    The data are scikit-learn's on breast cancer. The loss and its gradient come from
    bce_with_logits.value_and_grad, the probabilities from sigmoid. scikit-learn's
    LogisticRegression solves the same problem for comparison.
    The figure replaces an older file of its name, demo.png too.
    """
    try:
        result = compare()
    except ImportError as error:
        raise click.ClickException(f'{error}: pip install "gpu-sigmoid[demo]"') from None
    click.echo(f"breast-cancer data, {len(result.labels)} held-out samples   accuracy   log loss")
    for name, scores in (("gpu_sigmoid", result.ours), ("scikit-learn", result.theirs)):
        click.echo(f"{name:47}{scores}")
    save(draw(result), output)
    if result.ours != result.theirs:
        raise click.ClickException("the two results differ in their first four digits")


def compare() -> Comparison:
    """Train both regressions on the same split and score them."""
    from sklearn.datasets import load_breast_cancer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import accuracy_score, log_loss
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler

    samples, labels = load_breast_cancer(return_X_y=True)
    train, test, y_train, y_test = train_test_split(samples, labels, random_state=0, stratify=labels)
    scaler = StandardScaler().fit(train)
    train, test = scaler.transform(train), scaler.transform(test)

    def scores(probabilities: np.ndarray) -> str:
        return f"{accuracy_score(y_test, probabilities > 0.5):8.4f} {log_loss(y_test, probabilities):10.4f}"

    weights, intercept = fit(train, y_train)
    logits = test @ weights + intercept
    model = LogisticRegression(C=1.0, tol=1e-10, max_iter=10_000).fit(train, y_train)
    return Comparison(scores(gs.sigmoid(logits)), scores(model.predict_proba(test)[:, 1]), logits, y_test)


def fit(samples: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, float]:
    """Return weights and intercept that minimise the cross-entropy + |weights|^2 / 2."""
    from scipy.optimize import minimize

    def objective(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        weights, intercept = parameters[:-1], parameters[-1]
        loss, slope = gs.bce_with_logits.value_and_grad(samples @ weights + intercept, labels)
        gradient = np.append(samples.T @ slope + weights, slope.sum())
        return loss.sum() + weights @ weights / 2, gradient

    options = {"maxiter": 10_000, "ftol": 1e-15, "gtol": 1e-9}
    start = np.zeros(samples.shape[1] + 1)
    solution = minimize(objective, start, jac=True, method="L-BFGS-B", options=options)
    return solution.x[:-1], float(solution.x[-1])


def draw(result: Comparison) -> object:
    axes = new_axes()
    limit = np.ceil(np.abs(result.logits).max())
    x = np.linspace(-limit, limit, 1000)
    axes.plot(x, gs.sigmoid(x), color="0.8", linewidth=3, zorder=0)
    for label, name, colour, marker in ((1, "benign", VALUE_COLOUR, "o"), (0, "malignant", GRAD_COLOUR, "^")):
        logits = result.logits[result.labels == label]
        axes.scatter(logits, gs.sigmoid(logits), color=colour, marker=marker, label=name, alpha=0.6)
    axes.set(xlabel="logit", ylabel="probability of benign")
    axes.legend(loc="upper left", frameon=False)
    return axes
