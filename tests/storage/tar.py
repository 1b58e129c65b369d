#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes a tar that no honest program would: tar.py OUT ENTRY...

An entry is KIND:NAME[:KEY=VALUE...], a backslash before ':' or '=' keeps it: file (data=TEXT, zeros=N,
mode=OCTAL, uid=N, gid=N, mtime=N, xattr.NAME=TEXT, hexattr.NAME=HEX), dir, link and hard (to=TARGET),
char, block, fifo. `many:PREFIX:n=N` is N empty files, `deep:NAME:n=N` one file below N directories that
have no entries. Sorted by nothing: they are written as they are given.
"""
import io
import re
import sys
import tarfile

KINDS = {
    "file": tarfile.REGTYPE, "dir": tarfile.DIRTYPE, "link": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE,
    "char": tarfile.CHRTYPE, "block": tarfile.BLKTYPE, "fifo": tarfile.FIFOTYPE,
}


class Zeros(io.RawIOBase):
    def read(self, n=-1):
        return bytes(n)


def split(text, mark):
    return [re.sub(r"\\(.)", r"\1", part) for part in re.split(r"(?<!\\)" + mark, text)]


def add(tar, word):
    kind, name, *rest = re.split(r"(?<!\\):", word)
    values = dict(split(part, "=") for part in rest)
    name = re.sub(r"\\(.)", r"\1", name)
    if kind == "many":
        for i in range(int(values["n"])):
            tar.addfile(tarfile.TarInfo(f"{name}{i}"))
        return
    if kind == "deep":
        kind, name = "file", "d/" * int(values["n"]) + name
    info = tarfile.TarInfo(name)
    info.type = KINDS[kind]
    info.mode = int(values.get("mode", "755" if kind == "dir" else "644"), 8)
    info.uid = int(values.get("uid", 0))
    info.gid = int(values.get("gid", 0))
    info.mtime = int(values.get("mtime", 1000000000))
    info.linkname = values.get("to", "")
    if kind in ("char", "block"):
        info.devmajor, info.devminor = (int(n) for n in values.get("dev", "1.3").split("."))
    for key, value in values.items():
        if key.startswith("xattr."):
            info.pax_headers["SCHILY.xattr." + key[6:]] = value
        if key.startswith("hexattr."):
            # Bytes that are no text, as a reader of pax headers gets them.
            info.pax_headers["SCHILY.xattr." + key[8:]] = bytes.fromhex(value).decode("latin-1")
    if "zeros" in values:
        info.size = int(values["zeros"])
        tar.addfile(info, Zeros())
        return
    data = values.get("data", "").encode()
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def main():
    out = sys.argv[1]
    target = sys.stdout.buffer if out == "-" else open(out, "wb")
    with tarfile.open(fileobj=target, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for word in sys.argv[2:]:
            add(tar, word)


main()
