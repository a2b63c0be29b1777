"""Widgets for notebooks: clip_player, microscope. Each shows a static picture too."""
