"""Freed memory, which the C library keeps for the next tensor."""

import ctypes

# Parameters of glibc's mallopt (malloc.h).
TRIM_THRESHOLD, MMAP_THRESHOLD, MMAP_MAX = -1, -3, -4


def keep_freed_memory() -> bool:
    """Have the C library keep freed memory for the next tensor.

    glibc returns blocks of more than a few megabytes to the system and asks for them again a
    moment later; the system then hands out zeroed pages one by one, which costs as long as a
    convolution over them. The process stays as large as it ever was. It holds for the process,
    from now on; calling it again does nothing.

    Returns:
        Whether the C library could be told; only glibc can.
    """
    # No padding of the heap (M_TOP_PAD): it saves nothing more, and with it every frame of a video
    # that FFmpeg's threads decode leaves a kilobyte behind.
    return tell({MMAP_MAX: 0, TRIM_THRESHOLD: 2**31 - 1})


def tell(settings: dict[int, int]) -> bool:
    """Set parameters of glibc's `mallopt`; whether there is one that took them."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # musl, macOS, Windows
        return False
    return all([mallopt(name, value) for name, value in settings.items()])
