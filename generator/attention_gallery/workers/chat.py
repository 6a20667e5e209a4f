"""Chat templates: which of them cannot grow, and rendering the others in a process under limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

# Kinds of nodes of a template that write no more than they are given, and those that put texts together.
_PLAIN = frozenset(
    {"Template", "Output", "TemplateData", "If", "Break", "Continue"}
    | {"Name", "NSRef", "Const", "Getattr", "Getitem", "Slice", "CondExpr", "Test", "Compare", "Operand"}
    | {"And", "Or", "Not", "Neg", "Sub", "Add", "Concat"}
)
_JOINS = ("Add", "Concat", "Mod")


def renderer(template: str, special: dict[str, str]) -> Callable[..., str]:
    """What renders chats by `template`, as transformers does; `special` are the special tokens by name."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    # Of a tokenizer it takes no more than the names of special tokens, which are given.
    fast: Any = PreTrainedTokenizerFast
    bare = fast(tokenizer_object=Tokenizer(models.BPE()))

    def render(messages: list[dict[str, Any]], options: dict[str, Any]) -> str:
        asked = {**special, **options, "chat_template": template, "tokenize": False}
        return str(bare.apply_chat_template(messages, **asked))

    return render


def cannot_grow(template: str) -> bool:
    """Whether a template can be seen to write no more than a few times what it is given.

    That is: it goes through the messages alone, not through one loop in another; it keeps nothing that it
    makes of texts; and it calls nothing that could make a long text out of a short one.
    """
    import jinja2

    try:
        tree = jinja2.Environment(extensions=["jinja2.ext.loopcontrols"], autoescape=False).parse(template)
    except (jinja2.TemplateError, RecursionError):
        return False
    return len(template) <= 20_000 and _is_small(tree, looping=False)


def _is_small(node: Any, looping: bool) -> bool:
    """Whether a node of a template, in a loop or not, makes no long text out of a short one."""
    children, kind = node.iter_child_nodes(), type(node).__name__
    match kind:
        case "For":
            once = not looping and not node.recursive
            allowed = once and type(node.iter).__name__ in ("Name", "Getitem")
        case "Assign":
            allowed = not any(type(made).__name__ in _JOINS for made in _below(node.node))
        case "Filter":
            allowed = node.name in ("trim", "length", "upper", "lower") and not node.args
        case "Call":
            allowed = type(node.node).__name__ == "Name" and node.node.name == "raise_exception"
            children = node.args
        case "Mod":  # of a number; that of a text fills it up to any width
            of_loop = type(node.left).__name__ == "Getattr"
            allowed = of_loop and node.left.attr in ("index", "index0", "length")
        case _:
            allowed = kind in _PLAIN
    return allowed and all(_is_small(child, looping or kind == "For") for child in children)


def _below(node: Any) -> Iterator[Any]:
    """A node and all within it."""
    yield node
    for child in node.iter_child_nodes():
        yield from _below(child)
