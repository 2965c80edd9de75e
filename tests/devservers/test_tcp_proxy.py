import gc
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from eco2_devservers import TcpProxy, free_port

Eventually = Callable[[Callable[[], object]], None]


class _Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        try:
            while chunk := self.request.recv(65_536):
                self.request.sendall(chunk)
        except ConnectionError:
            return


class _EchoServer(socketserver.ThreadingTCPServer):
    daemon_threads = True


@pytest.fixture
def proxy(caplog: pytest.LogCaptureFixture) -> Iterator[TcpProxy]:
    with _EchoServer(("127.0.0.1", 0), _Echo) as echo:
        thread = threading.Thread(target=echo.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        with TcpProxy(echo.server_address[1]) as proxy:
            yield proxy
        echo.shutdown()
        thread.join()
    # asyncio complains of a forgotten failure only when its task is collected.
    gc.collect()
    assert caplog.records == []


def _connect(proxy: TcpProxy, timeout_s: float = 5) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=timeout_s)


def _receive(client: socket.socket, n_bytes: int) -> bytes:
    received = b""
    while len(received) < n_bytes and (chunk := client.recv(65_536)):
        received += chunk
    return received


def test_both_directions_are_forwarded_and_counted(proxy: TcpProxy) -> None:
    question = b"x" * 1_000_000
    with _connect(proxy) as client:
        sender = threading.Thread(target=client.sendall, args=(question,))
        sender.start()
        assert _receive(client, len(question)) == question
        sender.join()
    assert (proxy.bytes_to_server, proxy.bytes_to_client) == (len(question), len(question))


def test_the_end_of_one_side_reaches_the_other(proxy: TcpProxy, eventually: Eventually) -> None:
    with _connect(proxy) as client:
        client.sendall(b"last words")
        client.shutdown(socket.SHUT_WR)
        assert _receive(client, 100) == b"last words"
    eventually(lambda: proxy.connections == 0)


def test_a_cut_resets_open_connections_and_serves_new_ones(proxy: TcpProxy) -> None:
    with _connect(proxy) as client:
        client.sendall(b"1")
        assert client.recv(1) == b"1"
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    with _connect(proxy) as client:
        client.sendall(b"2")
        assert client.recv(1) == b"2"


def test_a_partition_is_silent_and_delivers_when_it_ends(proxy: TcpProxy) -> None:
    with _connect(proxy, timeout_s=0.2) as client:
        client.sendall(b"1")
        assert client.recv(1) == b"1"
        proxy.block()
        client.sendall(b"2")
        with _connect(proxy, timeout_s=0.2) as newcomer:
            newcomer.sendall(b"3")
            for waiting in (client, newcomer):
                with pytest.raises(TimeoutError):
                    waiting.recv(1)
            proxy.unblock()
            assert (client.recv(1), newcomer.recv(1)) == (b"2", b"3")


def test_a_delay_is_added_in_each_direction_without_narrowing_the_stream(proxy: TcpProxy) -> None:
    proxy.delay_s = 0.1
    with _connect(proxy) as client:
        started = time.monotonic()
        for _ in range(10):
            client.sendall(b"x")
        assert _receive(client, 10) == b"x" * 10
        elapsed_s = time.monotonic() - started
    assert 0.2 <= elapsed_s < 1


def test_a_limited_reply_breaks_off_at_the_byte_and_the_next_is_whole(proxy: TcpProxy) -> None:
    with _connect(proxy) as client:
        proxy.limit_replies(3)
        client.sendall(b"hello")
        assert _receive(client, 3) == b"hel"
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    with _connect(proxy) as client:
        client.sendall(b"hello")
        assert _receive(client, 5) == b"hello"


def test_a_target_that_is_down_resets_the_client() -> None:
    with TcpProxy(free_port()) as proxy, _connect(proxy) as client, pytest.raises(ConnectionResetError):
        client.recv(1)


def test_a_closed_proxy_refuses_and_may_start_again(proxy: TcpProxy) -> None:
    proxy.close()
    with pytest.raises(ConnectionRefusedError):
        _connect(proxy).close()
    proxy.start()
    with _connect(proxy) as client:
        client.sendall(b"x")
        assert client.recv(1) == b"x"
