"""Token vectors become scores. MaxSim, its slow truth and its fast kernel stand here, with receipt, duel and eraser.
A score that does not balance to its tokens does not leave this room.
"""
