"""maxsim-cpu 0.1.0 gives wrong scores above 128 dimensions, without an error: ``python maxsim_cpu_above_128.py``.

Needs ``pip install maxsim-cpu numpy``. Prints query tokens, d, and the largest error of 50 scores. Seen with the wheel
for CPython 3.11 on Linux x86_64 (AVX-512): right while query tokens x d is at most 4,096, so with 32 tokens up to 128
dimensions; beyond, errors from 3 to 1e38, other ones in each process, or a segmentation fault. stderr says "LIBXSMM
WARNING: application shall be linked against LAPACK/BLAS sgemm!": LIBXSMM compiles products of up to 64**3 operations
and passes larger ones on to an sgemm that is not there, so the scores are probably read from memory nobody wrote to.
"""

import maxsim_cpu
import numpy as np

draw = np.random.default_rng(0)
for tokens, dim in [(32, 96), (32, 128), (16, 256), (64, 64), (32, 129), (33, 128), (32, 192), (32, 256), (32, 384)]:
    query = draw.standard_normal((tokens, dim), np.float32) / dim**0.5
    documents = [draw.standard_normal((n, dim), np.float32) / dim**0.5 for n in range(40, 90)]
    truth = np.array([(query @ document.T).max(1).sum() for document in documents])
    scores = np.asarray(maxsim_cpu.maxsim_scores_variable(query, documents))
    print(f"{tokens:3} {dim:4} {np.abs(scores.astype(float) - truth).max():.2g}", flush=True)
