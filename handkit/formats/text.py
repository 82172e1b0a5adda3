"""The text of an OpenMMLab config, read as data."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from handkit.errors import ConfigError


def parse_config(text: str, where: str = "config", bases: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Evaluates assignments of literals, ``dict(...)``, names assigned before, ``name['key']``, sums and other
    arithmetic of two numbers, texts put together (``f'{root}/train'``), lists made from lists
    (``[x // 2 for x in sizes]``, ``tuple(...)``, ``[1.0] * 21``), and ``{{_base_.name.key}}``; nothing else.

    Args:
        text: Python source. It is parsed, never executed.
        where: its name in messages.
        bases: the parsed files that its ``_base_`` names, which is not followed; they are merged below.

    Returns:
        The variables by name, without ``_base_``.

    Raises:
        ConfigError: a syntax error, or anything but the above; the message has the line.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ConfigError(f"{where}: is no Python text: {error}") from None
    names, below = dict[str, Any](), dict[str, Any]()
    for layer in bases:
        below = _merge(below, layer)
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            names[node.targets[0].id] = _Values(names, where, below).value(node.value)
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):  # a docstring, a stray string
            raise _refusal(node, where)
    names.pop("_base_", None)
    return _merge(below, names)


class _Values:
    """Evaluates expressions.

    Args:
        names: the variables so far.
        where: the file's name in messages.
        below: the variables of the files that it is based on.
    """

    def __init__(self, names: Mapping[str, Any], where: str, below: Mapping[str, Any]) -> None:
        self._names = names
        self._where = where
        self._below = below

    def value(self, node: ast.expr) -> Any:
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        try:
            if method is not None:
                return method(node)
        except (TypeError, KeyError, IndexError, ArithmeticError, RecursionError):
            pass
        raise _refusal(node, self._where)

    def _constant(self, node: ast.Constant) -> Any:
        return node.value

    def _joinedstr(self, node: ast.JoinedStr) -> str:
        return "".join(str(self.value(part)) for part in node.values)

    def _formattedvalue(self, node: ast.FormattedValue) -> Any:
        value = self.value(node.value)
        if node.conversion != -1 or node.format_spec is not None or type(value) not in (str, int):
            raise TypeError
        return value

    def _name(self, node: ast.Name) -> Any:
        return self._names[node.id]

    def _list(self, node: ast.List) -> list[Any]:
        return [self.value(item) for item in node.elts]

    def _tuple(self, node: ast.Tuple) -> tuple[Any, ...]:
        return tuple(self.value(item) for item in node.elts)

    def _set(self, node: ast.Set) -> Any:
        """``{{_base_.name.key}}``, which is no set: the variable of a file below."""
        inner = node.elts[0]
        if len(node.elts) > 1 or not isinstance(inner, ast.Set) or len(inner.elts) > 1:
            raise TypeError
        path, place = list[str](), inner.elts[0]
        while isinstance(place, ast.Attribute):
            path.insert(0, place.attr)
            place = place.value
        if not path or not isinstance(place, ast.Name) or place.id != "_base_":
            raise TypeError
        value: Any = self._below
        for key in path:
            value = value[key]
        return value

    def _dict(self, node: ast.Dict) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            made |= self.value(value) if key is None else {self.value(key): self.value(value)}
        return made

    def _call(self, node: ast.Call) -> Any:
        if not isinstance(node.func, ast.Name) or node.func.id in self._names:
            raise TypeError
        if node.func.id in ("tuple", "list") and len(node.args) == 1 and not node.keywords:
            values = self.value(node.args[0])
            if not isinstance(values, (list, tuple)):
                raise TypeError
            return tuple(values) if node.func.id == "tuple" else list(values)
        if node.func.id != "dict":
            raise TypeError
        made: dict[Any, Any] = {}
        for argument in node.args:
            made |= self.value(argument)
        for keyword in node.keywords:
            value = self.value(keyword.value)
            made |= value if keyword.arg is None else {keyword.arg: value}
        return made

    def _subscript(self, node: ast.Subscript) -> Any:
        return self.value(node.value)[self.value(node.slice)]

    def _unaryop(self, node: ast.UnaryOp) -> Any:
        if not isinstance(node.op, ast.USub):
            raise TypeError
        return -self.value(node.operand)

    def _listcomp(self, node: ast.ListComp) -> list[Any]:
        loop = node.generators[0]
        values = self.value(loop.iter)
        if len(node.generators) > 1 or loop.ifs or loop.is_async or not isinstance(loop.target, ast.Name):
            raise TypeError
        if not isinstance(values, (list, tuple)):
            raise TypeError
        name = loop.target.id
        return [_Values({**self._names, name: value}, self._where, self._below).value(node.elt) for value in values]

    def _binop(self, node: ast.BinOp) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(node.op, ast.Add):
            if isinstance(left, (str, list, tuple)) and len(left) + len(right) > _LONGEST:
                raise TypeError
            return left + right
        if isinstance(node.op, ast.Mult) and isinstance(left, list) and type(right) is int:
            if len(left) * right > _LONGEST:
                raise TypeError
            return left * right
        if not (isinstance(left, (int, float)) and isinstance(right, (int, float))):
            raise TypeError
        result = _ARITHMETIC[type(node.op)](left, right)
        if abs(result) > _LARGEST:
            raise TypeError
        return result


#: Repeated products would otherwise fill the memory.
_LARGEST = 1e15
#: And repeated or joined lists and texts.
_LONGEST = 10_000
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}


def _merge(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """mmengine's inheritance: dicts merge key by key unless ``_delete_=True`` stands in the upper one."""
    merged = dict(base)
    for key, value in top.items():
        below = merged.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping) and not value.get("_delete_"):
            merged[key] = _merge(below, value)
        elif isinstance(value, Mapping):
            merged[key] = _merge({}, {name: item for name, item in value.items() if name != "_delete_"})
        else:
            merged[key] = value
    return merged


def _refusal(node: ast.AST, where: str) -> ConfigError:
    line = getattr(node, "lineno", 0)
    try:
        text = ast.unparse(node)
    except RecursionError:
        text = type(node).__name__
    shown = text if len(text) <= 60 else f"{text[:57]}..."
    return ConfigError(
        f"{where}, line {line}: {shown!r} is not read; a config may hold literals, dict(), names assigned before, "
        "name['key'], arithmetic and lists made from lists. Dump the resolved config with its own toolkit and read that"
    )
