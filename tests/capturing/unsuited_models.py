"""Tiny random models that read no texts, or attend to them in a way that gives no attention of all to all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tiny_models import make_tokenizer
from transformers import AutoConfig

from attention_gallery.models.inspecting.suited import main_class
from attention_gallery.models.loading.quiet import quiet_libraries

_TEXT = {
    "vocab_size": 320,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
_IMAGES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "image_size": 16,
    "patch_size": 8,
}
_SOUND = {
    **{name: _IMAGES[name] for name in ("hidden_size", "num_hidden_layers", "num_attention_heads")},
    "intermediate_size": 64,
    "conv_dim": (16, 16),
    "conv_kernel": (3, 3),
    "conv_stride": (2, 2),
    "num_feat_extract_layers": 2,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
}
_BOTH = {
    "vocab_size": 320,
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 1,
}
_GPT = {"vocab_size": 320, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64}
_TWO = {"text_config": _TEXT, "vision_config": _IMAGES}

# What each reads instead of texts.
READS_OTHER = {
    "whisper": "sound",
    "speech_to_text": "sound",
    "wav2vec2": "sound",
    "hubert": "sound",
    "audio-spectrogram-transformer": "sound",
    "vit": "images",
    "dinov2": "images",
    "imagegpt": "images",
    "resnet": "images",
    "timesformer": "videos",
    "videomae": "videos",
    "patchtst": "series of numbers",
    "decision_transformer": "states of a game",
    "vision-encoder-decoder": "images",
}
# What is said of those that are loaded and tried.
TRIED = {
    "clip": "reads images together with texts",
    "siglip": "reads images together with texts",
    "blip": "reads images together with texts",
    "vilt": "reads images together with texts",
    "lxmert": "reads images together with texts",
    "bros": "reads the places of words on a page",
    "perceiver": "reads `inputs`, not the tokens of a text",
    "fnet": "it has no attention: no part of it attends",
    "mamba": "it has no attention: no part of it attends",
    "mamba2": "it has no attention: no part of it attends",
    "xlstm": "it has no attention: no part of it attends",
    "rwkv": "does not tell its layers and heads",
    "canine": "does not weigh every token against every token",
    "longformer": "does not weigh every token against every token",
    "led": "does not weigh every token against every token",
    "funnel": "does not weigh every token against every token",
    "mra": "without a weight for every two tokens",
    "yoso": "are not shares of attention",
    "squeezebert": "are not shares of attention",
    "big_bird": "block-sparse",
    "xmod": "Input language unknown",
}
_CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "whisper": {**_BOTH, "num_mel_bins": 8, "max_source_positions": 16, "max_target_positions": 16},
    "speech_to_text": {
        **_BOTH,
        "max_source_positions": 16,
        "max_target_positions": 16,
        "input_feat_per_channel": 8,
        "conv_channels": 16,
    },
    "wav2vec2": _SOUND,
    "hubert": _SOUND,
    "audio-spectrogram-transformer": {**_IMAGES, "num_mel_bins": 16, "max_length": 32},
    "vit": _IMAGES,
    "dinov2": _IMAGES,
    "imagegpt": _GPT,
    "resnet": {"embedding_size": 8, "hidden_sizes": [8, 8], "depths": [1, 1]},
    "timesformer": {**_IMAGES, "num_frames": 2},
    "videomae": {**_IMAGES, "num_frames": 2},
    "patchtst": {"d_model": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "ffn_dim": 64},
    "decision_transformer": {"hidden_size": 32, "n_layer": 2, "n_head": 4},
    "vision-encoder-decoder": {
        "encoder": {**_IMAGES, "model_type": "vit"},
        "decoder": {**_GPT, "model_type": "gpt2", "add_cross_attention": True, "is_decoder": True},
    },
    "clip": {**_TWO, "projection_dim": 16},
    "siglip": _TWO,
    "blip": _TWO,
    "vilt": {**_IMAGES, **_TEXT},
    "lxmert": {
        **{name: _TEXT[name] for name in ("vocab_size", "hidden_size", "num_attention_heads")},
        "intermediate_size": 64,
        "l_layers": 1,
        "x_layers": 1,
        "r_layers": 1,
        "visual_feat_dim": 8,
    },
    "bros": _TEXT,
    "perceiver": {
        "num_latents": 8,
        "d_latents": 32,
        "d_model": 32,
        "num_blocks": 1,
        "num_self_attends_per_block": 2,
        "num_self_attention_heads": 4,
        "num_cross_attention_heads": 4,
        "vocab_size": 320,
        "max_position_embeddings": 64,
    },
    "fnet": _TEXT,
    "mamba": {"vocab_size": 320, "hidden_size": 32, "num_hidden_layers": 2, "state_size": 4},
    "mamba2": {
        **{"vocab_size": 320, "hidden_size": 32, "num_hidden_layers": 2, "state_size": 4},
        **{"num_heads": 8, "head_dim": 8, "n_groups": 1},
    },
    "xlstm": {"vocab_size": 320, "hidden_size": 64, "num_hidden_layers": 2, "num_heads": 4},
    "rwkv": {
        **{"vocab_size": 320, "hidden_size": 32, "num_hidden_layers": 2},
        **{"attention_hidden_size": 32, "intermediate_size": 64, "context_length": 64},
    },
    "canine": {**_TEXT, "upsampling_kernel_size": 4},
    "longformer": {**_TEXT, "attention_window": [8, 8]},
    "led": {
        **_BOTH,
        "attention_window": [8, 8],
        "max_encoder_position_embeddings": 64,
        "max_decoder_position_embeddings": 64,
    },
    "funnel": {
        **{"vocab_size": 320, "d_model": 32, "n_head": 4, "d_head": 8, "d_inner": 64},
        **{"block_sizes": [1, 1], "num_decoder_layers": 1},
    },
    "mra": {**_TEXT, "block_per_row": 1},
    "yoso": _TEXT,
    "squeezebert": {
        **_TEXT,
        "embedding_size": 32,
        **{f"{part}_groups": 1 for part in ("q", "k", "v", "post_attention", "intermediate", "output")},
    },
    "big_bird": {**_TEXT, "attention_type": "block_sparse", "block_size": 4, "num_random_blocks": 1},
    "xmod": {**_TEXT, "languages": ["en_XX", "de_DE"]},
}


def save_unsuited(folder: Path, name: str, tokenizer: bool = True) -> Path:
    """A random model of the family `name` in `folder`, with a tokenizer for texts where that is asked for."""
    torch.manual_seed(5)
    with quiet_libraries():
        config = AutoConfig.for_model(name, **_CONFIGURATIONS[name])
        model = main_class(config)
        assert model is not None
        model._from_config(config).save_pretrained(folder)
        if tokenizer:
            make_tokenizer().save_pretrained(folder)
    return folder
