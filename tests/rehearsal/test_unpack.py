"""What a gateway sends as an export stays in its folder."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from counterfoil.core.errors import Unreadable
from counterfoil.rehearsal.coalition import _unpack


def archive(name: str, kind: bytes = tarfile.REGTYPE) -> bytes:
    kept = io.BytesIO()
    with tarfile.open(fileobj=kept, mode="w") as tar:
        info = tarfile.TarInfo(name)
        info.type, info.size, info.linkname = kind, 0 if kind != tarfile.REGTYPE else 5, "/etc/passwd"
        tar.addfile(info, io.BytesIO(b"bytes"))
    return kept.getvalue()


def test_plain_files_are_unpacked(tmp_path: Path) -> None:
    _unpack(archive("headers/1.json"), tmp_path / "public")
    assert (tmp_path / "public" / "headers" / "1.json").read_bytes() == b"bytes"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("../out", tarfile.REGTYPE), ("a/../../out", tarfile.REGTYPE), ("/tmp/out", tarfile.REGTYPE),
     ("link", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE), ("folder", tarfile.DIRTYPE)],
)  # fmt: skip
def test_anything_else_is_refused(tmp_path: Path, name: str, kind: bytes) -> None:
    with pytest.raises(Unreadable, match="no plain file"):
        _unpack(archive(name, kind), tmp_path / "public")
    assert not (tmp_path / "out").exists()
