"""A certificate for loopback, signed by itself: whoever trusts it trusts this broker and nothing else."""

import subprocess
from pathlib import Path
from typing import Final

from bench.broker.ports import HOST
from bench.broker.tools import find_openssl

__all__ = ["CERTIFICATE", "KEYSTORE", "make_certificate"]

CERTIFICATE: Final = "ca.pem"  # what clients trust
KEYSTORE: Final = "keystore.pem"  # key and certificate in one file, as Kafka reads PEM
DAYS: Final = 3650
MAKE_S: Final = 60


def make_certificate(directory: Path) -> None:
    """Make both files in a broker's folder, unless they are there.

    Raises:
        ToolMissing: there is no openssl.
        subprocess.CalledProcessError: openssl refuses.
    """
    certificate, keystore = directory / CERTIFICATE, directory / KEYSTORE
    if keystore.exists():
        return
    key = directory / "key.pem"
    words = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", str(DAYS))
    named = ("-subj", f"/CN={HOST}", "-addext", f"subjectAltName=IP:{HOST}")
    subprocess.run(  # noqa: S603 - fixed words and our own paths
        [find_openssl(), *words, *named, "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True, timeout=MAKE_S,
    )  # fmt: skip
    fresh = directory / f"{KEYSTORE}.new"
    fresh.touch(mode=0o600)
    fresh.write_bytes(key.read_bytes() + certificate.read_bytes())
    key.unlink()
    fresh.replace(keystore)  # last: where it is, both are whole
