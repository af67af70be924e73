"""The layer shapes of Llama-3.1-8B with random weights in plain PyTorch: one forward that reads prompts and writes single tokens.

The key and value caches have a fixed size, and the query heads of one key head stand as query positions, so that a step reads the cache
once and can be captured as a CUDA graph.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

EPSILON, THETA = 1e-5, 500_000.0


@dataclass(frozen=True)
class Shape:
    """Sizes of the layers."""

    layers: int = 32
    hidden: int = 4096
    heads: int = 32
    kv_heads: int = 8
    head: int = 128
    ffn: int = 14336
    vocab: int = 128256
    positions: int = 4096

    @property
    def cache_bytes_per_token(self) -> int:
        """Keys and values of one token, in bf16."""
        return self.layers * 2 * self.kv_heads * self.head * 2


class Model:
    """Random weights, and caches for a number of sequences."""

    def __init__(self, shape: Shape, device: str, seed: int = 1):
        self.shape, self.device = shape, device
        generator = torch.Generator(device=device).manual_seed(seed)

        def weight(*size: int) -> torch.Tensor:
            return torch.empty(*size, device=device, dtype=torch.bfloat16).normal_(0, 0.02, generator=generator)

        qkv = (shape.heads + 2 * shape.kv_heads) * shape.head
        self.embedding, self.output = weight(shape.vocab, shape.hidden), weight(shape.vocab, shape.hidden)
        self.gain = torch.ones(shape.hidden, device=device, dtype=torch.bfloat16)
        self.layers = [
            {
                "qkv": weight(qkv, shape.hidden),
                "out": weight(shape.hidden, shape.heads * shape.head),
                "up": weight(2 * shape.ffn, shape.hidden),
                "down": weight(shape.hidden, shape.ffn),
            }
            for _ in range(shape.layers)
        ]
        frequency = THETA ** (-torch.arange(0, shape.head, 2, device=device, dtype=torch.float64) / shape.head)
        angle = torch.arange(shape.positions, device=device, dtype=torch.float64)[:, None] * torch.cat([frequency, frequency])[None, :]
        self.cos, self.sin = angle.cos().bfloat16(), angle.sin().bfloat16()

    def caches(self, batch: int, tokens: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Keys and values of every layer, random: a board that reads zeros draws less than one that reads an answer."""
        size = (batch, self.shape.kv_heads, tokens, self.shape.head)
        return [tuple(torch.empty(size, device=self.device, dtype=torch.bfloat16).normal_() for _ in range(2)) for _ in self.layers]

    def forward(self, tokens: torch.Tensor, caches: list, start: int) -> torch.Tensor:
        """The next token of each sequence, after `tokens` (batch x length) that stand from `start` on."""
        batch, length = tokens.shape
        x = F.embedding(tokens.reshape(-1), self.embedding)
        for layer, (keys, values) in zip(self.layers, caches, strict=True):
            x = x + self._attention(F.rms_norm(x, (x.shape[1],), self.gain, EPSILON), layer, keys, values, batch, length, start)
            gate, up = F.linear(F.rms_norm(x, (x.shape[1],), self.gain, EPSILON), layer["up"]).chunk(2, dim=1)
            x = x + F.linear(F.silu(gate) * up, layer["down"])
        last = x.view(batch, length, -1)[:, -1]
        return F.linear(F.rms_norm(last, (last.shape[1],), self.gain, EPSILON), self.output).argmax(-1)

    def _attention(self, x, layer, keys, values, batch: int, length: int, start: int) -> torch.Tensor:
        heads, kv_heads, size = self.shape.heads, self.shape.kv_heads, self.shape.head
        mixed = F.linear(x, layer["qkv"]).view(batch, length, heads + 2 * kv_heads, size)
        turned = mixed[:, :, : heads + kv_heads]
        rotated = torch.cat([-turned[..., size // 2 :], turned[..., : size // 2]], -1)
        here = slice(start, start + length)
        turned = turned * self.cos[here, None] + rotated * self.sin[here, None]
        keys[:, :, here] = turned[:, :, heads:].transpose(1, 2)
        values[:, :, here] = mixed[:, :, heads + kv_heads :].transpose(1, 2)
        seen, query = start + length, turned[:, :, :heads]
        if length == 1:
            grouped = query.reshape(batch, kv_heads, heads // kv_heads, size)
            mixed_in = F.scaled_dot_product_attention(grouped, keys[:, :, :seen], values[:, :, :seen]).reshape(batch, -1)
        else:
            of_prompt = F.scaled_dot_product_attention(
                query.transpose(1, 2), keys[:, :, :seen], values[:, :, :seen], is_causal=True, enable_gqa=True
            )
            mixed_in = of_prompt.transpose(1, 2).reshape(batch * length, -1)
        return F.linear(mixed_in, layer["out"])
