"""Numbers that explain a network: attention, embeddings, cost, seeds.

attention     how spread rows of attention are, and how much falls on the object
embeddings    where foregrounds and backgrounds lie (Eq. 9)
cost          parameters and multiply-adds (Table 5)
seeds         differences between rows of an ablation, seed by seed
"""
