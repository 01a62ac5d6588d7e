"""One pass of a multi-vector model: texts in, the vectors, ids and places of their scored tokens out."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from labkit.encoding.store import Entry

if TYPE_CHECKING:
    import torch
    from sentence_transformers import MultiVectorEncoder


class Forward:
    """The model and its tokenizer, one caller at a time: the tokenizer's truncation is state that calls change.

    ``twin`` says whether the mean of the raw token vectors is wanted too.
    """

    def __init__(self, model: MultiVectorEncoder, twin: bool) -> None:
        self.model, self.twin = model, twin
        self._lock = threading.Lock()

    def entries(self, texts: list[str], places: list[tuple[np.ndarray, int]], task: str) -> list[Entry]:
        """Run the model once and cut out each text's scored tokens; documents are rounded to float16 here."""
        import torch

        prompt = self.model.prompts.get(task) or ""
        raw: dict[str, torch.Tensor] = {}
        with self._lock, torch.inference_mode():  # the hook inside, so that it never hears another caller's pass
            hook = self.model[0].register_forward_hook(lambda _module, _args, out: raw.update(out))
            try:
                features = self.model.preprocess(texts, prompt=prompt or None, task=task)
                features = {k: v.to(self.model.device) if hasattr(v, "to") else v for k, v in features.items()}
                features = self.model(features, task=task)
            finally:
                hook.remove()
        pooled = _mean(raw["token_embeddings"], raw["attention_mask"]) if self.twin else [None] * len(texts)
        scored = features["attention_mask"].bool().cpu()
        dtype = np.float32 if task == "query" else np.float16
        entries = []
        for i, (spans, total) in enumerate(places):
            mask, ids = scored[i].numpy(), features["input_ids"][i].cpu().numpy().astype(np.int32)
            vectors = features["token_embeddings"][i].cpu().float().numpy()[mask].astype(dtype)
            lost = max(0, total - int(raw["attention_mask"][i].sum()))
            entries.append(Entry(vectors, ids[mask], _fit(spans, len(ids))[mask], pooled[i], lost))
        return entries

    def places(self, texts: list[str], task: str) -> list[tuple[np.ndarray, int]]:
        """For each text: character spans of its tokens before any cut (-1 for special ones), and their number."""
        prompt = self.model.prompts.get(task) or ""
        with self._lock:
            found = self.model.tokenizer(
                [prompt + text for text in texts], truncation=False, padding=False, return_offsets_mapping=True,
                return_special_tokens_mask=True, verbose=False,
            )  # fmt: skip
        answer = []
        for offsets, special in zip(found["offset_mapping"], found["special_tokens_mask"], strict=True):
            spans = np.array(offsets, np.int32).reshape(-1, 2) - len(prompt)
            spans[(np.array(special, bool)) | (spans[:, 0] < 0)] = -1
            answer.append((spans, len(spans)))
        return answer


def _mean(vectors: torch.Tensor, mask: torch.Tensor) -> np.ndarray:
    """Mean over the attended tokens of [B, L, d], then unit length; as sentence-transformers pools."""
    weights = mask.unsqueeze(-1).float()
    total = (vectors.float() * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
    return (total / total.norm(dim=-1, keepdim=True).clamp(min=1e-12)).cpu().numpy()


def _fit(spans: np.ndarray, length: int) -> np.ndarray:
    """Spans cut or extended to ``length`` tokens. A cut text still ends in [SEP]; expansion has no place: both -1."""
    fitted = np.full((length, 2), -1, np.int32)
    kept = min(length, len(spans))
    fitted[:kept] = spans[:kept]
    if len(spans) > length:
        fitted[length - 1] = -1
    return fitted
