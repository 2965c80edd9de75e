"""TLS whose certificate may be replaced while it serves: whoever connects next is shown the new one."""

import logging
from pathlib import Path
from typing import Any

import grpc

_log = logging.getLogger(__name__)

# Its types leave out None, by which a fetcher says that nothing has changed.
_dynamic: Any = grpc.dynamic_ssl_server_credentials


def credentials_of(cert: Path, key: Path) -> grpc.ServerCredentials:
    """Credentials from two PEM files, read anew for every handshake; raises OSError at the first reading.

    Files that cannot be read later, or do not belong together, change nothing: the pair before them goes on.
    """
    files = _Files(cert, key)
    return _dynamic(files.read(), files.renewed)


class _Files:
    def __init__(self, cert: Path, key: Path) -> None:
        self._cert, self._key = cert, key
        self._shown: tuple[bytes, bytes] | None = None

    def read(self) -> grpc.ServerCertificateConfiguration:
        self._shown = self._bytes()
        return grpc.ssl_server_certificate_configuration([self._shown])

    def renewed(self) -> grpc.ServerCertificateConfiguration | None:
        """None where nothing has changed; called by threads of gRPC, which only print what is raised here."""
        try:
            if self._bytes() == self._shown:
                return None
            renewed = self.read()
        except OSError as error:
            _log.warning("the certificate cannot be read, the one before it goes on: %s", error.strerror)
            return None
        _log.info("there is a new certificate in %s", self._cert)
        return renewed

    def _bytes(self) -> tuple[bytes, bytes]:
        return self._key.read_bytes(), self._cert.read_bytes()
