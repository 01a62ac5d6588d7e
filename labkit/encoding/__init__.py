"""Text becomes token vectors: encoders say their recipe, the store keeps each text's vectors once, packs hold them.
Compression and indexes on disk make them smaller. A vector's meaning is decided here and nowhere else.
"""
