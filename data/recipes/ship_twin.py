"""Write data/pydocs_twin.safetensors: the dense twin's vectors of every pydocs passage, int8.

python data/recipes/ship_twin.py
"""

import labkit as lk
from labkit import paths
from labkit.encoding.shipped import FILE, write_shipped


def main() -> None:
    passages = lk.load_collection("pydocs", progress=True).passages
    write_shipped(lk.load_encoder(), passages, paths.data() / FILE)
    print(f"{len(passages):,} passages, {(paths.data() / FILE).stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
