"""The learner's side. Exercises answer, bets are settled, progress is kept on this machine, doctor checks it.
What the exercises ask and expect stands in data/exercises; here is only how they are put and judged.
"""
