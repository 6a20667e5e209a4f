"""Chat templates: which of them cannot grow, and rendering the others in a process under limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


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
    from jinja2 import nodes

    try:
        tree = jinja2.Environment(extensions=["jinja2.ext.loopcontrols"], autoescape=False).parse(template)
    except (jinja2.TemplateError, RecursionError):
        return False
    plain = (
        *(
            nodes.Template,
            nodes.Output,
            nodes.TemplateData,
            nodes.Name,
            nodes.Const,
            nodes.If,
            nodes.CondExpr,
        ),
        *(nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.Sub, nodes.Mod),
        *(nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Add, nodes.Concat, nodes.Test, nodes.Break),
        *(nodes.Continue, nodes.NSRef),
    )

    joins: tuple[type[nodes.Node], ...] = (nodes.Add, nodes.Concat, nodes.Mod)

    def small(node: nodes.Node, looping: bool) -> bool:
        if isinstance(node, nodes.For):
            over = isinstance(node.iter, nodes.Name | nodes.Getitem) and not node.recursive
            return over and not looping and all(small(child, True) for child in node.iter_child_nodes())
        if isinstance(node, nodes.Assign):
            made = any(isinstance(node.node, kind) or node.node.find(kind) for kind in joins)
            return not made and all(small(child, looping) for child in node.iter_child_nodes())
        if isinstance(node, nodes.Filter):
            shrinks = node.name in ("trim", "length", "upper", "lower") and not node.args
            return shrinks and all(small(child, looping) for child in node.iter_child_nodes())
        if isinstance(node, nodes.Call):
            named = isinstance(node.node, nodes.Name) and node.node.name == "raise_exception"
            return named and all(small(child, looping) for child in node.args)
        if isinstance(node, nodes.Mod):  # of a number; that of a text fills it up to any width
            counted = isinstance(node.left, nodes.Getattr) and node.left.attr in ("index", "index0", "length")
            return counted and all(small(child, looping) for child in node.iter_child_nodes())
        return isinstance(node, plain) and all(small(child, looping) for child in node.iter_child_nodes())

    return len(template) <= 20_000 and small(tree, False)
