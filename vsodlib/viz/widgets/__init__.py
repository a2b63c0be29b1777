"""Widgets for notebooks: clip_player, pixel_picker, contrast. Each shows a static picture too."""
