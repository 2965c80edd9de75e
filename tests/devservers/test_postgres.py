import psycopg
from eco2_devservers import PostgresServer


def test_committed_rows_survive_a_kill() -> None:
    with PostgresServer() as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("CREATE TABLE bins AS SELECT 'blue' AS colour")
            server.kill()
        server.start()
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT colour FROM bins").fetchall() == [("blue",)]


def test_a_stop_does_not_wait_for_clients_to_leave() -> None:
    with PostgresServer() as server, psycopg.connect(server.url):
        server.stop()
        assert not server.is_running
