"""MaxSim where the pack lies on an accelerator: products and maxima by torch, some documents at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from labkit.encoding.tokens import PackedTokens

DEVICE_TOKENS = 65_536


def winners_on_device(tokens: np.ndarray, documents: PackedTokens, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As `labkit.scoring.kernel.winners_packed`: best similarity [n, C] and who has it [n, C], in numpy."""
    device = documents.vectors.device
    right = torch.from_numpy(np.ascontiguousarray(tokens)).to(device).T
    best = np.full((len(chosen), len(tokens)), -np.inf, np.float32)
    winners = np.full((len(chosen), len(tokens)), -1, np.int32)
    places = documents.lengths[chosen].nonzero()[0]
    cuts = np.flatnonzero(np.diff(documents.lengths[chosen[places]].cumsum() // DEVICE_TOKENS)) + 1
    for part in np.split(places, cuts) if len(places) else ():
        sizes, starts = documents.lengths[chosen[part]], documents.offsets[chosen[part]]
        position = np.concatenate([np.arange(size) for size in sizes])
        products = _read(documents, np.repeat(starts, sizes) + position) @ right
        owner = torch.from_numpy(np.repeat(np.arange(len(sizes)), sizes)).to(device)[:, None].expand_as(products)
        shape = (len(sizes), products.shape[1])
        top = torch.full(shape, -torch.inf, device=device).scatter_reduce(0, owner, products, "amax")
        none = int(sizes.max())  # no token of these documents stands there
        there = torch.where(products == top.gather(0, owner), torch.from_numpy(position).to(device)[:, None], none)
        first = torch.full(shape, none, device=device, dtype=there.dtype).scatter_reduce(0, owner, there, "amin")
        best[part], winners[part] = top.cpu().numpy(), first.cpu().numpy()
    return best, winners


def _read(documents: PackedTokens, rows: np.ndarray) -> torch.Tensor:
    """These rows as float32; a view where they are stored so and stand together."""
    together = rows[-1] - rows[0] == len(rows) - 1 and (np.diff(rows) == 1).all()
    chosen = slice(int(rows[0]), int(rows[-1]) + 1) if together else torch.from_numpy(rows).to(documents.vectors.device)
    wide = documents.vectors[chosen].float()
    return wide if documents.scales is None else wide * documents.scales[chosen, None]
