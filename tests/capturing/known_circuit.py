"""An attention-only model of two layers whose weights are written by hand, so that every head is known.

A state is three blocks: which token, which place, and which token came before. L0H0 looks at the place before
and copies its token into the third block; L1H0 looks where the third block is its own token, which is right
after an earlier equal one: induction. L0H1 gives every token the same weight, L1H1 looks at the first place.
"""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2Model, PreTrainedTokenizerFast

from attention_gallery.models.loading.quiet import quiet_libraries

# Tokens, and places, too.
SIZE = 64
WORDS = tuple(f"w{number:02d}" for number in range(SIZE - 1))
SHARP = 4.0


def save_circuit(folder: Path) -> Path:
    """The model and its tokenizer in a folder."""
    with quiet_libraries():
        model = GPT2Model(GPT2Config(vocab_size=SIZE, n_positions=SIZE, n_embd=3 * SIZE, n_layer=2, n_head=2))
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.fill_(1 if ".ln_" in name and name.endswith("weight") else 0)
            eye = torch.eye(SIZE)
            model.wte.weight[:, :SIZE] = eye
            model.wpe.weight[:, SIZE : 2 * SIZE] = eye
            token, place, before = (slice(SIZE * part, SIZE * (part + 1)) for part in range(3))
            _look(model, (0, 0), place, eye.roll(-1, dims=1) * (1 - eye[:, :1]), place)
            _copy(model, (0, 0), token, before)
            _look(model, (1, 0), token, eye, before)
            _look_at_first(model, (1, 1), place)
        model.save_pretrained(folder)
        _tokenizer().save_pretrained(folder)
    return folder


def _look(
    model: GPT2Model, head: tuple[int, int], asking: slice, wanted: torch.Tensor, answering: slice
) -> None:
    """Let a head look where the block `answering` is what `wanted` makes of its own block `asking`."""
    query, key, _ = _places(model, head)
    weight = model.h[head[0]].attn.c_attn.weight
    weight[asking, query : query + SIZE] = SHARP * wanted
    weight[answering, key : key + SIZE] = torch.eye(SIZE)


def _look_at_first(model: GPT2Model, head: tuple[int, int], place: slice) -> None:
    query, key, _ = _places(model, head)
    attention = model.h[head[0]].attn.c_attn
    attention.bias[query] = 10 * SHARP
    attention.weight[place.start, key] = 1


def _copy(model: GPT2Model, head: tuple[int, int], source: slice, target: slice) -> None:
    """Let a head write what it sees in the block `source` into the block `target`, as large as it was."""
    value = _places(model, head)[2]
    block = model.h[head[0]]
    block.attn.c_attn.weight[source, value : value + SIZE] = torch.eye(SIZE)
    # Two ones among all features: what the normalisation before the layer multiplied them with.
    share = 2 / (3 * SIZE)
    size = (share - share**2 + block.ln_1.eps) ** 0.5
    first = head[1] * (3 * SIZE // 2)
    block.attn.c_proj.weight[first : first + SIZE, target] = size * torch.eye(SIZE)


def _places(model: GPT2Model, head: tuple[int, int]) -> tuple[int, int, int]:
    """Where query, key and value of a head begin among the columns."""
    width, each = 3 * SIZE, 3 * SIZE // 2
    return tuple(part * width + head[1] * each for part in range(3))  # type: ignore[return-value]


def _tokenizer() -> PreTrainedTokenizerFast:
    words = {word: number for number, word in enumerate((*WORDS, "<unk>"))}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", model_max_length=SIZE)
