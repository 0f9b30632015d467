"""What of a module's text counts: a fault in a docstring, an annotation or a message would be nobody's wrong number."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from types import CodeType

Position = tuple[int, int]
"""Line from 1, column from 0, in characters."""

_MESSAGES = ("Error", "Warning")
_LOGS = ("debug", "info", "warning", "error", "exception", "warn", "log")


class Counted:
    """Places of a module that count, and the function that each is in."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()
        tree = ast.parse(text)
        self._left_out = [self._span(node) for node in _left_out(tree)]
        self._functions = [
            (*self._span(node), name) for node, name in _definitions(tree, "")
        ]  # outer ones first

    def counts(self, place: Position) -> bool:
        """Tell whether a fault at this place would count."""
        return not any(first <= place < last for first, last in self._left_out)

    def function(self, place: Position) -> str:
        """Return the name of the function or class that a place is in, with its class; the module has none."""
        inside = [name for first, last, name in self._functions if first <= place < last]
        return inside[-1] if inside else ""

    def _span(self, node: ast.AST) -> tuple[Position, Position]:
        line, last = node.lineno, node.end_lineno  # type: ignore[attr-defined]
        first_column = self._column(line, node.col_offset)  # type: ignore[attr-defined]
        last_column = self._column(last, node.end_col_offset)  # type: ignore[attr-defined]
        return (line, first_column), (last, last_column)

    def _column(self, line: int, in_bytes: int) -> int:
        return len(self._lines[line - 1].encode()[:in_bytes].decode())


def _left_out(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield what does not count: annotations, docstrings, messages, ``__all__``, imports for the type checker.

    And ``strict`` of ``zip`` and ``frozen`` of a dataclass, which stop slips of programmers and change nothing else.
    """
    for node in ast.walk(tree):
        match node:
            case ast.arg(annotation=ast.expr() as annotation):
                yield annotation
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from [node.returns] if node.returns else []
                yield from node.type_params
            case ast.AnnAssign():
                yield node.annotation
            case ast.TypeAlias():
                yield node
            case ast.Expr(value=ast.Constant(value=str())):
                yield node
            case ast.Assign(targets=[ast.Name(id="__all__")]):
                yield node
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                yield from [node.test, *node.body]
            case ast.keyword(arg="strict" | "frozen"):
                yield node.value
            case ast.Call() if _is_message(node):
                yield from node.args
                yield from (keyword.value for keyword in node.keywords)
            case ast.Raise(exc=ast.Call(args=args, keywords=keywords)):
                yield from args
                yield from (keyword.value for keyword in keywords)


def _is_message(call: ast.Call) -> bool:
    match call.func:
        case ast.Name(id=name):
            return name.endswith(_MESSAGES) or name == "Problem"
        case ast.Attribute(value=ast.Name(id="logger" | "logging" | "warnings"), attr=name):
            return name in _LOGS
        case ast.Attribute(attr=name):
            return name.endswith(_MESSAGES)
    return False


def _definitions(node: ast.AST, outer: str) -> Iterator[tuple[ast.AST, str]]:
    for child in ast.iter_child_nodes(node):
        name = outer
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{outer}.{child.name}".lstrip(".")
            yield child, name
        yield from _definitions(child, name)


def bytecode(text: str) -> tuple[object, ...] | None:
    """Return what a module's text compiles to, without positions, or None if it does not compile."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        try:
            return _of_code(compile(text, "module", "exec", dont_inherit=True))
        except (SyntaxError, ValueError):
            return None


def _of_code(code: CodeType) -> tuple[object, ...]:
    constants = [
        _of_code(each) if isinstance(each, CodeType) else (type(each).__name__, repr(each))
        for each in code.co_consts
    ]
    names = code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars
    return code.co_code, code.co_exceptiontable, code.co_flags, *constants, *names
