"""What each `vsod data` command does."""

from __future__ import annotations

from argparse import Namespace


def listing(args: Namespace) -> None:
    from vsodlib.data import data_root
    from vsodlib.data.download import available

    root = data_root(args.root)
    print(f"Data root: {root}")
    for row in available(root):
        how = "`vsod data fetch`" if row.fetchable else "by hand"
        place = str(row.path or f"not here, {how}")
        print(f"{row.name:12} {place:42} {row.licence}; {row.home}")


def fetch(args: Namespace) -> None:
    from vsodlib.data import data_root
    from vsodlib.data.download import fetch as download

    print(download(args.name, data_root(args.root)))


def check(args: Namespace) -> None:
    from vsodlib.data.check import check as find_problems

    problems = find_problems(args.root, args.name)
    for problem in problems:
        print(problem)
    if problems:
        raise ValueError(f"{len(problems)} problems in {args.root}.")
    print("No problems.")


def pack(args: Namespace) -> None:
    from vsodlib.data.pack import pack as write_pack

    how = (args.split, args.format, args.quality, args.every, args.max_mib)
    for path in write_pack(args.root, args.height, args.out, args.name, *how):
        print(f"{path}  {path.stat().st_size / 2**20:.1f} MiB")


def make_synthetic(args: Namespace) -> None:
    from vsodlib.data.synthetic import make_synthetic as draw

    print(draw(args.out, args.videos, args.frames, args.height, args.width, args.seed))
