"""Tests and the notebooks they run use the smoke profile: seconds, synthetic data."""

import os

os.environ["VSOD_PROFILE"] = "smoke"
# Two processes with all threads each would only get in each other's way.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "agg")
# Read when FFmpeg is first used, which may be in a test that reads no broken video.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
