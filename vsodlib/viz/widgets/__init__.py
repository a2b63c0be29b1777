"""Widgets for notebooks: clip_player, microscope, contrast. Each shows a static picture too."""
