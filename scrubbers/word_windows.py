#!/usr/bin/env python3
"""word_windows.py FOLDER...: the four bytes in a row that files have most often, as lib/scan/word_windows.cpp lists them.

Bit 32 of each byte is set, so that small and capital letters are one. Made of /usr of a machine with compilers, Python
and documentation, of which 64 MB were read.
"""
import collections
import os
import random
import sys

PIECE, ENOUGH, LISTED, IN_LINE = 1 << 16, 64 << 20, 1600, 29


def pieces(folders):
    """Of each file at most PIECE bytes, so that no large one outweighs the others."""
    paths = []
    for folder in folders:
        for here, _, names in os.walk(folder):
            paths += [os.path.join(here, name) for name in names]
    paths = sorted(path for path in paths if os.path.isfile(path) and not os.path.islink(path))
    random.Random(1).shuffle(paths)
    read = 0
    for path in paths:
        with open(path, "rb") as file:
            file.seek(max(0, (os.path.getsize(path) - PIECE) // 2))
            piece = file.read(PIECE)
        yield piece
        read += len(piece)
        if read > ENOUGH:
            return


def main():
    table = bytes(byte | 32 for byte in range(256))
    counts = collections.Counter()
    for piece in pieces(sys.argv[1:]):
        piece = piece.translate(table)
        for offset in range(4):
            whole = piece[offset : offset + (len(piece) - offset) // 4 * 4]
            counts.update(whole[i : i + 4] for i in range(0, len(whole), 4))
    shown = [(-count, window) for window, count in counts.items() if max(window) < 127]
    windows = [window.decode() for _, window in sorted(shown)[:LISTED]]
    for i in range(0, LISTED, IN_LINE):
        print("".join(windows[i : i + IN_LINE]))


if __name__ == "__main__":
    main()
