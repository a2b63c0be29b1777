"""Training: from a configuration and a data set to a trained network.

fit          the loop: forward, loss, backward, step
optimizer    optimiser, schedule, moving average
run          a run's folder: log, state, lock, signals
speed        the same network in fewer operations
ablations    the rows of Tables 3 and 4, run and collected
allocator    freed memory kept for the next tensor
"""
