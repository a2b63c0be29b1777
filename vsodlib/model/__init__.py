"""The network of the paper's Figure 2: the folder is the figure.

    frame (B, 3, H, W)
      |
    encoder             backbone + ASPP: x, the deep feature; v, the first block's (Section 3.1)
      |--> self_attention   y = x xᵀ x;  z_self = DepthwiseConv(y, W_d) + x     (Eq. 1-5, Fig. 3)
      |--> co_attention     A = v W xᵀ;  z_co = softmax(A) x                    (Eq. 6)
      |--> inter_frame      the same between frames of a video: the rival of Table 4
      |
    gate                f_g(z), then z̃ = f_g(z) ⊙ z for both                    (Eq. 7, 8)
      |
    vsodnet             [x, z̃_self, z̃_co] -> 1x1 convolution -> the coarse map
      |
    decoder             upsample by 2, add a skip prediction, until the frame's size
      |
    logits (B, 1, H, W)

positions: feature maps as rows of matrices and back. checkpoint: trained networks as files.
"""
