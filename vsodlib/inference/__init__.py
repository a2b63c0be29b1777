"""Trained networks at work: predict, evaluate, video, and the scorer of folders of maps.

predict         saliency maps of frames
guided          maps to the frame's size along its edges
video           any video in, maps and an overlay video out
evaluate        a network's scores on a data set
score_folder    anyone's maps or masks against a ground truth
folding         batch norms folded into convolutions, for speed
traceable       a network as a function of tensors, for tracers
export          a network as an ONNX file
"""
