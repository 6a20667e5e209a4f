"""Names of the files that make a model, as transformers writes and reads them."""

from __future__ import annotations

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
# How the model continues a text, where that is not the library's default.
GENERATION = "generation_config.json"
CARD = "README.md"

# Each of these holds a vocabulary; one of them a tokenizer must have.
VOCABULARIES = frozenset(
    {
        "prophetnet.tokenizer",
        "sentencepiece.bpe.model",
        "sentencepiece.model",
        "source.spm",
        "spiece.model",
        "spm.model",
        "tokenizer.json",
        "tokenizer.model",
        "vocab-src.json",
        "vocab.json",
        "vocab.txt",
    }
)
# Tokenizers that read bytes or characters and have no such file, by their class.
WITHOUT_VOCABULARY = frozenset({"ByT5Tokenizer", "CanineTokenizer", "DiaTokenizer", "PerceiverTokenizer"})
TOKENIZER = VOCABULARIES | {
    "added_tokens.json",
    "bpe.codes",
    "chat_template.jinja",
    "emoji.json",
    "entity_vocab.json",
    "merges.txt",
    "special_tokens_map.json",
    "target.spm",
    "target_vocab.json",
    "tokenizer_config.json",
    "vocab-tgt.json",
}
