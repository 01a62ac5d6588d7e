"""Scores become rankings: first stages, fusion, rerankers and their pipelines share one `Ranking` of documents.
Guard and trace make a pipeline fit for production. Models of others, local or hosted, come in by the same `rerank`.
"""
