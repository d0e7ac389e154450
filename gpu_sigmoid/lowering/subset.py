"""The check that a formula's source is in the subset that can be lowered.

A formula is a function of positional parameters: an optional docstring, assignments to
names, one return. Expressions are names, numbers, arithmetic, single comparisons and
calls of primitives or of other formulas.
"""

import ast
import builtins
import contextlib
import inspect
import textwrap
from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any, NoReturn

from gpu_sigmoid.lowering import language
from gpu_sigmoid.lowering.constants import Constant, Polynomial
from gpu_sigmoid.lowering.language import FormulaError, place_of

OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.BitAnd, ast.BitOr, ast.BitXor, ast.LShift, ast.RShift)
COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq)


@cache
def check(formula: Callable) -> None:
    """Raise FormulaError, with file and line, unless `formula` is in the subset.

    The package's own formulas are not checked if it is installed without sources, as .pyc files; they were
    checked in its tests.
    """
    if not isinstance(formula, FunctionType):
        raise TypeError(f"a formula is a plain Python function, not {formula!r}")
    module = formula.__globals__.get("__name__", "")
    is_own = module.partition(".")[0] == __name__.partition(".")[0]
    if not is_own or has_source(module, formula.__globals__.get("__loader__")):
        Checker(formula).check()


def has_source(module: str, loader: Any) -> bool:
    """Return whether a module's loader has its source; the file that it names may be another's."""
    with contextlib.suppress(AttributeError, ImportError):
        return loader.get_source(module) is not None
    return False


class Checker:
    """Checks a function, and the functions that it calls."""

    def __init__(self, formula: FunctionType) -> None:
        try:
            self.lines, self.first = inspect.getsourcelines(formula)
        except OSError:
            message = f"the source of {formula.__name__} cannot be found: define it in a file"
            raise FormulaError(message, place_of(formula)) from None
        self.file = inspect.getsourcefile(formula) or "<unknown>"
        self.globals = formula.__globals__
        self.locals: set[str] = set(inspect.signature(formula).parameters)
        (self.definition,) = ast.parse(textwrap.dedent("".join(self.lines))).body

    def check(self) -> None:
        definition = self.definition
        if not isinstance(definition, ast.FunctionDef):
            self.refuse(definition, "a formula is a def")
        arguments = definition.args
        if definition.decorator_list:
            self.refuse(definition, "decorator")
        if arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.defaults:
            self.refuse(definition, "parameters other than plain positional ones")
        start = 1 if ast.get_docstring(definition) is not None else 0
        *assignments, last = definition.body[start:] or [definition]
        for statement in assignments:
            if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
                self.refuse(statement, describe(statement))
            self.expression(statement.value)
            for name in elements(statement.targets[0]):
                if not isinstance(name, ast.Name):
                    self.refuse(name, f"assignment to {describe(name)}")
                self.locals.add(name.id)
        if not isinstance(last, ast.Return) or last.value is None:
            self.refuse(last, f"{describe(last)} in place of the closing return of a value")
        for value in elements(last.value):
            self.expression(value)

    def expression(self, node: ast.expr) -> None:
        match node:
            case ast.Name(id=name):
                if name not in self.locals and not isinstance(self.globals.get(name), Constant | Polynomial):
                    self.refuse(node, f"{name!r}, neither a local name nor a Constant or Polynomial,")
            case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
                pass
            case ast.BinOp(left=left, op=op, right=right) if isinstance(op, OPERATORS):
                self.expression(left)
                self.expression(right)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                self.expression(operand)
            case ast.Compare(left=left, ops=[op], comparators=[right]) if isinstance(op, COMPARISONS):
                self.expression(left)
                self.expression(right)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                function: Any = self.globals.get(name, getattr(builtins, name, None))
                if function not in language.FUNCTIONS:
                    if not isinstance(function, FunctionType):
                        self.refuse(node, f"call of {name!r}, neither a primitive nor a formula,")
                    check(function)
                for argument in arguments:
                    self.expression(argument)
            case _:
                self.refuse(node, describe(node))

    def refuse(self, node: ast.AST, what: str) -> NoReturn:
        line = getattr(node, "lineno", 1)
        where = (self.file, self.first + line - 1, None, self.lines[line - 1])
        raise FormulaError(f"{what} is not in the formula subset", where)


def elements(node: ast.expr) -> list[ast.expr]:
    return node.elts if isinstance(node, ast.Tuple) else [node]


def describe(node: ast.AST) -> str:
    operation = getattr(node, "op", None) or (getattr(node, "ops", None) or [None])[0]
    kind = type(node).__name__
    return f"{kind} ({type(operation).__name__})" if operation else kind
