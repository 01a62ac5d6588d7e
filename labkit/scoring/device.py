"""MaxSim where the pack lies on an accelerator: products and maxima by torch, some documents at a time."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch

from labkit.scoring.kernel import Chosen, Reader

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
    docs = Chosen(documents.offsets, chosen, max(DEVICE_TOKENS, int(lengths.max(initial=0))))
    for low, high in pairwise(docs.chunks.tolist()):
        products = reader.read(docs.runs(low, high), None) @ right
        sizes = np.diff(docs.ends[low : high + 1])
        begins = np.repeat(docs.ends[low:high] - docs.ends[low], sizes)
        owner = torch.from_numpy(np.repeat(np.arange(len(sizes)), sizes)).to(device)[:, None].expand_as(products)
        position = torch.from_numpy(np.arange(len(begins)) - begins).to(device)
        shape = (len(sizes), products.shape[1])
        top = torch.full(shape, -torch.inf, device=device).scatter_reduce(0, owner, products, "amax")
        none = int(sizes.max())  # no token of these documents stands there
        there = torch.where(products == top.gather(0, owner), position[:, None], none)
        first = torch.full(shape, none, device=device, dtype=there.dtype).scatter_reduce(0, owner, there, "amin")
        places = docs.places[low:high]
        best[places], winners[places] = top.cpu().numpy(), first.cpu().numpy()
    return best, winners
