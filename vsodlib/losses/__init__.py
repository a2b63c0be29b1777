"""The terms that training minimises.

saliency       L_bce between map and mask, and an optional soft IoU
contrastive    regions, the mining of hard ones, and L_cl (Section 3.4, Eq. 9)
objective      L = L_bce + L_cl (Section 3.5, Eq. 10)
"""
