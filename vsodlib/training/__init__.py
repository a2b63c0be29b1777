"""Training: from a configuration and a data set to a trained network.

fit          the loop: forward, loss, backward, step
optimizer    optimiser, schedule, moving average
run          network, optimiser and average on a device, in a folder
log          losses as lines, and listeners to them
state        what a run resumes from
signals      Ctrl-C, SIGTERM, and processes that load data
speed        the same network in fewer operations
ablations    the rows of Tables 3 and 4, run and collected
allocator    freed memory kept for the next tensor
"""
