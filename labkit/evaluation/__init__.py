"""Rankings become evidence. Metrics, paired comparisons, the ledger of runs, sweeps and load tests are here.
A figure leaves with its queries, its interval and the look at the test split that it cost.
"""
