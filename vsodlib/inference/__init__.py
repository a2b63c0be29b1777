"""Trained networks at work: predict, evaluate, video, and the scorer of folders of maps.

predict         saliency maps of frames
guided          maps to the frame's size along its edges
motion          maps of a video weighed by what moves against the camera
video           any video in, maps and an overlay video out
cutout          objects without their background; sheet: a video on one page
evaluate        a network's scores on a data set
score_folder    anyone's maps or masks against a ground truth
folding         batch norms folded into convolutions; overlap: reading while computing
export          a network as a function of tensors, for tracers, and as an ONNX file
"""
