"""Text comes in: collections in BEIR layout and pydocs, loaded, checked for dirt, repaired, soiled and chunked.
Nothing here knows a model, but for word pieces that are counted. Every other room reads what this one gives.
"""
