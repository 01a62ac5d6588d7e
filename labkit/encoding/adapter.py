"""The adapter that ships: a small change of the default model's weights, trained for MaxSim over its token vectors.

``load_encoder("labkit-late-minilm")`` loads it. ``data/recipes/train_adapter.py`` trained it on the documentation of
packages that pydocs does not hold, to rank as the sum of MaxSim, the dense twin and half of BM25 does. The data card
says what it gains, and where. The mean of its token vectors was not trained to search: it has no dense twin.
"""

from __future__ import annotations

from labkit import paths
from labkit.encoding.low_rank import changed, read_change

NAME = "labkit-late-minilm"
FILE = "adapter.safetensors"
SHA256 = "a90e0e00fa4e4a00b99b30af3d87d21bc2fb4aec337e65a487ee29d4274c621a"


def adapt(model) -> None:
    """Change the weights of the default model, a transformers ``BertModel``, in place.

    Raises
    ------
    LabError
        If the change is not there, or has another hash.
    """
    change = read_change(paths.data() / FILE, SHA256, "the trained adapter")
    model.load_state_dict(changed(model.state_dict(), change))
