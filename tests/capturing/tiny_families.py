"""Configurations of tiny models: one for each family of architectures that transformers knows."""

from __future__ import annotations

from typing import Any

Options = dict[str, Any]

_COMMON: Options = {
    "vocab_size": 320,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
_GROUPED = {**_COMMON, "num_key_value_heads": 2}
_HEADS = {**_GROUPED, "head_dim": 8}
_GPT2 = {
    "vocab_size": 320,
    "n_embd": 32,
    "n_layer": 3,
    "n_head": 4,
    "n_positions": 64,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
# Keys and values from a small latent vector.
_LATENT = {
    **_COMMON,
    "num_key_value_heads": 4,
    "q_lora_rank": 16,
    "kv_lora_rank": 16,
    "qk_rope_head_dim": 4,
    "qk_nope_head_dim": 8,
    "v_head_dim": 8,
    "n_routed_experts": 8,
    "num_experts_per_tok": 2,
    "n_group": 2,
    "topk_group": 1,
    "moe_intermediate_size": 16,
    "first_k_dense_replace": 1,
}
_EXPERTS = {"num_local_experts": 4, "num_experts_per_tok": 2}
_T5 = {
    "vocab_size": 320,
    "d_model": 32,
    "d_kv": 8,
    "d_ff": 64,
    "num_layers": 3,
    "num_decoder_layers": 2,
    "num_heads": 4,
    "pad_token_id": 0,
    "eos_token_id": 2,
    "decoder_start_token_id": 0,
}
_BART = {
    "vocab_size": 320,
    "d_model": 32,
    "encoder_layers": 3,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 2,
    "forced_eos_token_id": 2,
}
_MAMBA = {"mamba_d_state": 8, "mamba_n_heads": 8, "mamba_d_head": 8, "mamba_n_groups": 1}
_HYBRID = ["linear_attention", "full_attention", "linear_attention"]


def _of(*parts: Options, **more: Any) -> Options:
    """Options put together, later ones first; those that are None are left to transformers."""
    merged: Options = {}
    for part in (*parts, more):
        merged |= part
    return {name: value for name, value in merged.items() if value is not None}


ENCODERS: dict[str, Options] = {
    "albert": _of(_COMMON, embedding_size=16),
    "bert": _of(_COMMON),
    "camembert": _of(_COMMON, pad_token_id=1),
    "convbert": _of(_COMMON, embedding_size=32),
    "data2vec-text": _of(_COMMON, pad_token_id=1),
    "deberta": _of(_COMMON, relative_attention=True, pos_att_type=["c2p", "p2c"], max_relative_positions=64),
    "deberta-v2": _of(_COMMON, relative_attention=True, pos_att_type=["c2p", "p2c"], position_buckets=16),
    "distilbert": _of(_COMMON, dim=32, n_layers=3, n_heads=4, hidden_dim=64),
    "electra": _of(_COMMON, embedding_size=16),
    "ernie": _of(_COMMON),
    "esm": _of(_COMMON, mask_token_id=3),
    "eurobert": _of(_GROUPED),
    "flaubert": _of(vocab_size=320, emb_dim=32, n_layers=3, n_heads=4, max_position_embeddings=64),
    "ibert": _of(_COMMON, pad_token_id=1),
    "longformer": _of(_COMMON, pad_token_id=1, attention_window=[8, 8, 8]),
    "megatron-bert": _of(_COMMON),
    "mobilebert": _of(
        _COMMON,
        normalization_type="layer_norm",
        embedding_size=16,
        intra_bottleneck_size=16,
        true_hidden_size=16,
    ),
    "modernbert": _of(_COMMON, local_attention=8, global_attn_every_n_layers=3, mlp_bias=False),
    "mpnet": _of(_COMMON, pad_token_id=1),
    "nystromformer": _of(_COMMON, num_landmarks=8),
    "nomic_bert": _of(_COMMON),
    "rembert": _of(_COMMON, input_embedding_size=16),
    "roberta": _of(_COMMON, pad_token_id=1),
    "roberta-prelayernorm": _of(_COMMON, pad_token_id=1),
    "roc_bert": _of(_COMMON, pronunciation_vocab_size=50, shape_vocab_size=50),
    "roformer": _of(_COMMON, embedding_size=16),
    "squeezebert": _of(_COMMON, embedding_size=32),
    "xlm": _of(vocab_size=320, emb_dim=32, n_layers=3, n_heads=4, max_position_embeddings=64),
    "xlm-roberta": _of(_COMMON, pad_token_id=1),
    "xlnet": _of(vocab_size=320, d_model=32, n_layer=3, n_head=4, d_inner=64),
}

DECODERS: dict[str, Options] = {
    "arcee": _of(_GROUPED),
    "apertus": _of(_GROUPED),
    "bitnet": _of(_GROUPED),
    "biogpt": _of(_COMMON),
    "bloom": _of(vocab_size=320, hidden_size=32, n_layer=3, n_head=4),
    "codegen": _of(_GPT2, rotary_dim=4, n_ctx=64),
    "cohere": _of(_GROUPED),
    "cohere2": _of(_HEADS, sliding_window=8),
    "ctrl": _of(vocab_size=320, n_embd=32, n_layer=3, n_head=4, n_positions=64, dff=64),
    "deepseek_v2": _of(_LATENT),
    "deepseek_v3": _of(_LATENT),
    "doge": _of(_GROUPED),
    "diffllama": _of(_GROUPED),
    "ernie4_5": _of(_HEADS),
    "exaone4": _of(_HEADS, sliding_window=8, sliding_window_pattern=3),
    "falcon": _of(_COMMON, alibi=False, intermediate_size=None),
    "gemma": _of(_HEADS),
    "gemma2": _of(_HEADS, sliding_window=4, attn_logit_softcapping=5.0),
    "gemma3": _of(_HEADS, sliding_window=4, sliding_window_pattern=2),
    "glm": _of(_HEADS),
    "glm4": _of(_HEADS),
    "glm4_moe": _of(
        _HEADS, n_routed_experts=8, num_experts_per_tok=2, n_group=2, topk_group=1, moe_intermediate_size=16
    ),
    "granite_swa": _of(_GROUPED, sliding_window=8),
    "hunyuan_v1_dense": _of(_HEADS),
    "gpt2": _of(_GPT2),
    "gpt_bigcode": _of(_GPT2),
    "gpt_neo": _of(
        vocab_size=320,
        hidden_size=32,
        num_layers=3,
        num_heads=4,
        window_size=8,
        attention_types=[[["global", "local", "global"], 1]],
        max_position_embeddings=64,
    ),
    "gpt_neox": _of(_COMMON),
    "gpt_oss": _of(_HEADS, _EXPERTS, sliding_window=8),
    "gptj": _of(_GPT2, rotary_dim=4),
    "granite": _of(_GROUPED),
    "granitemoe": _of(_GROUPED, _EXPERTS),
    "helium": _of(_HEADS),
    "jetmoe": _of(_COMMON, num_key_value_heads=2, kv_channels=8, num_local_experts=4),
    "llama": _of(_GROUPED),
    "llama4": _of(
        _HEADS,
        _EXPERTS,
        intermediate_size_mlp=64,
        attention_chunk_size=8,
        layer_types=["chunked_attention", "full_attention", "chunked_attention"],
    ),
    "ministral": _of(_HEADS, sliding_window=8),
    "mistral": _of(_GROUPED, sliding_window=4),
    "mixtral": _of(_GROUPED, _EXPERTS),
    "modernbert-decoder": _of(_COMMON, local_attention=8, global_attn_every_n_layers=3, mlp_bias=False),
    "mpt": _of(vocab_size=320, d_model=32, n_layers=3, n_heads=4, max_seq_len=64),
    "nemotron": _of(_GROUPED),
    "olmo": _of(_GROUPED),
    "olmo2": _of(_GROUPED),
    "olmo3": _of(_GROUPED, sliding_window=8),
    "olmoe": _of(_GROUPED, num_experts=4, num_experts_per_tok=2),
    "openai-gpt": _of(_GPT2),
    "opt": _of(_COMMON, ffn_dim=64, word_embed_proj_dim=32),
    "persimmon": _of(_COMMON),
    "phi": _of(_GROUPED),
    "phi3": _of(_GROUPED, sliding_window=8),
    "phimoe": _of(_GROUPED, _EXPERTS),
    "qwen2": _of(_GROUPED),
    "qwen2_moe": _of(
        _GROUPED,
        num_experts=4,
        num_experts_per_tok=2,
        moe_intermediate_size=16,
        shared_expert_intermediate_size=16,
    ),
    "qwen3": _of(_HEADS),
    "qwen3_moe": _of(_HEADS, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=16),
    "seed_oss": _of(_HEADS),
    "smollm3": _of(_GROUPED),
    "stablelm": _of(_GROUPED),
    "starcoder2": _of(_GROUPED, sliding_window=8),
    "xglm": _of(
        vocab_size=320, d_model=32, num_layers=3, attention_heads=4, ffn_dim=64, max_position_embeddings=64
    ),
}

HYBRIDS: dict[str, Options] = {
    "bamba": _of(_GROUPED, _MAMBA, attn_layer_indices=[1]),
    "falcon_h1": _of(_HEADS, _MAMBA, mamba_d_ssm=64),
    "granitemoehybrid": _of(_GROUPED, _MAMBA, _EXPERTS, layer_types=_HYBRID, shared_intermediate_size=32),
    "jamba": _of(
        _GROUPED,
        num_experts=2,
        num_experts_per_tok=1,
        attn_layer_period=3,
        attn_layer_offset=1,
        use_mamba_kernels=False,
        mamba_d_state=8,
        mamba_dt_rank=4,
    ),
    "lfm2_moe": _of(
        _GROUPED,
        layer_types=["conv", "full_attention", "conv"],
        num_experts=4,
        num_experts_per_tok=2,
        moe_intermediate_size=16,
        num_dense_layers=1,
    ),
    "lfm2": _of(_GROUPED, layer_types=["conv", "full_attention", "conv"]),
    "minimax": _of(_HEADS, _EXPERTS, block_size=8, layer_types=_HYBRID),
    "nemotron_h": _of(
        _HEADS,
        mamba_num_heads=8,
        mamba_head_dim=8,
        ssm_state_size=8,
        n_groups=1,
        n_routed_experts=4,
        num_experts_per_tok=2,
        moe_intermediate_size=16,
        moe_shared_expert_intermediate_size=16,
    ),
    "olmo_hybrid": _of(
        _GROUPED,
        layer_types=["linear_attention", "linear_attention", "full_attention"],
        linear_num_key_heads=2,
        linear_num_value_heads=2,
        linear_key_head_dim=8,
        linear_value_head_dim=8,
    ),
    "qwen3_next": _of(
        _HEADS,
        layer_types=_HYBRID,
        num_experts=4,
        num_experts_per_tok=2,
        moe_intermediate_size=16,
        shared_expert_intermediate_size=16,
        linear_num_key_heads=2,
        linear_num_value_heads=2,
        linear_key_head_dim=8,
        linear_value_head_dim=8,
    ),
    "recurrent_gemma": _of(
        _HEADS,
        attention_window_size=8,
        lru_width=32,
        block_types=["recurrent", "recurrent", "attention"],
    ),
    "zamba": _of(
        _GROUPED,
        num_hidden_layers=4,
        layers_block_type=["linear_attention", "hybrid", "linear_attention", "hybrid"],
        use_mamba_kernels=False,
        mamba_d_state=8,
        mamba_dt_rank=4,
        n_mamba_heads=2,
        attention_hidden_size=64,
        attention_head_dim=16,
    ),
    "zamba2": _of(
        _GROUPED,
        layers_block_type=["linear_attention", "linear_attention", "hybrid", "linear_attention", "hybrid"],
        num_hidden_layers=5,
        use_mem_rope=False,
        mamba_d_state=8,
        n_mamba_heads=8,
        mamba_headdim=8,
        mamba_ngroups=1,
        attention_head_dim=16,
        attention_hidden_size=64,
        num_mem_blocks=1,
        use_mamba_kernels=False,
    ),
}

ENCODER_DECODERS: dict[str, Options] = {
    "bart": _of(_BART),
    "bigbird_pegasus": _of(_BART, attention_type="original_full"),
    "blenderbot": _of(_BART),
    "blenderbot-small": _of(_BART),
    "encoder-decoder": _of(
        encoder={**_COMMON, "model_type": "bert"},
        decoder={
            **_COMMON,
            "model_type": "bert",
            "is_decoder": True,
            "add_cross_attention": True,
            "num_hidden_layers": 2,
        },
        decoder_start_token_id=1,
        pad_token_id=0,
    ),
    "fsmt": _of(
        _BART,
        langs=["en", "de"],
        vocab_size=None,
        src_vocab_size=320,
        tgt_vocab_size=320,
    ),
    "led": _of(
        _BART,
        max_position_embeddings=None,
        max_encoder_position_embeddings=64,
        max_decoder_position_embeddings=64,
        attention_window=8,
    ),
    "longt5": _of(_T5, local_radius=4),
    "m2m_100": _of(_BART),
    "marian": _of(_BART, decoder_start_token_id=0, decoder_vocab_size=320),
    "mbart": _of(_BART),
    "mt5": _of(_T5),
    "mvp": _of(_BART),
    "pegasus": _of(_BART, decoder_start_token_id=0),
    "pegasus_x": _of(_BART, block_size=8, num_global_tokens=2),
    "plbart": _of(_BART),
    "prophetnet": _of(
        vocab_size=320,
        hidden_size=32,
        num_encoder_layers=3,
        num_decoder_layers=2,
        num_encoder_attention_heads=4,
        num_decoder_attention_heads=2,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        max_position_embeddings=64,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=0,
    ),
    "switch_transformers": _of(
        _T5, num_experts=4, expert_capacity=64, num_sparse_encoder_layers=1, num_sparse_decoder_layers=1
    ),
    "t5": _of(_T5),
    "t5gemma": _of(
        vocab_size=320,
        encoder={**_HEADS, "sliding_window": 8},
        decoder={**_HEADS, "sliding_window": 8, "num_hidden_layers": 2},
    ),
    "umt5": _of(_T5),
}

OTHERS: dict[str, Options] = {
    "big_bird": _of(_COMMON, block_size=8, num_random_blocks=1, attention_type="block_sparse"),
    "canine": _of(_COMMON),
    "falcon_mamba": _of(_COMMON, state_size=8),
    "fnet": _of(_COMMON),
    "mamba": _of(_COMMON, state_size=8),
    "mra": _of(_COMMON),
    "rwkv": _of(_COMMON, attention_hidden_size=32, context_length=64),
    "xlstm": _of(_COMMON, num_heads=4),
    "yoso": _of(_COMMON),
}

# The name of a family where transformers has another one for its text part alone.
TYPES = {"gemma3": "gemma3_text", "llama4": "llama4_text"}
FAMILIES = {**ENCODERS, **DECODERS, **HYBRIDS, **ENCODER_DECODERS, **OTHERS}
