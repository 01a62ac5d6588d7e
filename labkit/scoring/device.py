"""MaxSim where the pack lies on an accelerator: products and maxima by torch, some documents at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from labkit.scoring.kernel import Reader, chunks

if TYPE_CHECKING:
    from labkit.encoding.tokens import PackedTokens

DEVICE_TOKENS = 65_536


def winners_on_device(tokens: np.ndarray, documents: PackedTokens, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As `labkit.scoring.kernel.winners_packed`: best similarity [n, C] and who has it [n, C], in numpy."""
    reader = Reader(documents)
    device = reader.vectors.device
    right = torch.from_numpy(tokens).to(device).T
    best = np.full((len(chosen), len(tokens)), -np.inf, np.float32)
    winners = np.full((len(chosen), len(tokens)), -1, np.int32)
    lengths = documents.lengths[chosen]
    limit = max(DEVICE_TOKENS, int(lengths.max(initial=0)))
    for chunk in chunks(documents.offsets, chosen, np.flatnonzero(lengths), limit):
        products = reader.read(chunk.runs, None) @ right
        sizes = np.diff(chunk.ends)
        owner = torch.from_numpy(np.repeat(np.arange(len(sizes)), sizes)).to(device)[:, None].expand_as(products)
        position = torch.from_numpy(np.arange(chunk.ends[-1]) - np.repeat(chunk.ends[:-1], sizes)).to(device)
        shape = (len(sizes), products.shape[1])
        high = torch.full(shape, -torch.inf, device=device).scatter_reduce(0, owner, products, "amax")
        there = torch.where(products == high.gather(0, owner), position[:, None], int(sizes.max()))
        first = torch.full(shape, int(sizes.max()), device=device, dtype=there.dtype).scatter_reduce(
            0, owner, there, "amin"
        )
        best[chunk.places], winners[chunk.places] = high.cpu().numpy(), first.cpu().numpy()
    return best, winners
