"""Match words of `-k` as pytest does: parts of names, with `and`, `or`, `not` and parentheses."""

import ast
from collections.abc import Sequence


def matches(expression: str, words: Sequence[str]) -> bool:
    """Say whether an expression holds for a thing that is known by `words`.

    Raises:
        ValueError: If the expression is not made of words, `and`, `or`, `not` and parentheses.

    >>> matches("cache and not slow", ["stale_cache_answers", "api"])
    True
    """
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except SyntaxError as error:
        raise ValueError(f"expected words with 'and', 'or', 'not', got {expression!r}") from error
    lowered = [word.lower() for word in words]
    return _holds(tree.body, lowered)


def _holds(node: ast.expr, words: Sequence[str]) -> bool:
    match node:
        case ast.Name(id=word):
            return any(word.lower() in one for one in words)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _holds(operand, words)
        case ast.BoolOp(op=ast.And(), values=values):
            return all(_holds(value, words) for value in values)
        case ast.BoolOp(op=ast.Or(), values=values):
            return any(_holds(value, words) for value in values)
        case _:
            raise ValueError(f"expected words with 'and', 'or', 'not', got {ast.unparse(node)!r}")
