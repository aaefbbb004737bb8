"""Which texts the code can give to a call, read from its source: codes, causes and log lines are texts in place."""

import ast
import functools
from pathlib import Path

import pinyon

SOURCE = Path(pinyon.__file__).parent


@functools.cache
def modules():
    """The parsed modules of the package; the test doubles are none of a user's."""
    paths = [path for path in sorted(SOURCE.rglob("*.py")) if path.relative_to(SOURCE).parts[0] != "testing"]
    return [ast.parse(path.read_text(encoding="utf-8")) for path in paths]


def calls(names):
    """(module, call) of every call of a function or method with one of these names."""
    for module in modules():
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and _name(node.func) in names:
                yield module, node


def given(names, argument=0):
    """The texts that calls of these names can get in this place, or by this keyword."""
    found = set()
    for module, call in calls(names):
        if isinstance(argument, str):
            values = [keyword.value for keyword in call.keywords if keyword.arg == argument]
        else:
            values = call.args[argument : argument + 1]
        for value in values:
            found |= texts(value, module)
    return found


def texts(node, module):
    """The texts that an expression can be, as far as it is one of texts; a number in one is written as NNN."""
    match node:
        case ast.Constant(value=str() as text):
            return {text}
        case ast.JoinedStr(values=parts):
            return {"".join(part.value if isinstance(part, ast.Constant) else "NNN" for part in parts)}
        case ast.IfExp(body=body, orelse=other):
            return texts(body, module) | texts(other, module)
        case ast.BoolOp(values=values):
            return set().union(*(texts(value, module) for value in values))
        case ast.Name(id=name):
            assigned = [each for each in ast.walk(module) if isinstance(each, ast.Assign)]
            values = [each.value for each in assigned if name in map(_name, each.targets)]
            return set().union(*(texts(value, module) for value in values))
        case ast.Call(func=ast.Name(id=name)):
            functions = [each for each in module.body if isinstance(each, ast.FunctionDef) and each.name == name]
            returns = [each for function in functions for each in ast.walk(function) if isinstance(each, ast.Return)]
            return set().union(*(texts(each.value, module) for each in returns))
    return set()


def _name(node):
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
