"""A device on a slow link, or an attacker, stalls in the middle of a TLS handshake: no CPU is spent on it."""
import pathlib
import socket
import ssl
import time


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def spent(server, seconds=1.5):
    before = cpu_seconds(server.process.pid)
    time.sleep(seconds)
    return cpu_seconds(server.process.pid) - before


def test_a_stalled_handshake_costs_nothing(server):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    received, to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(received, to_send, server_hostname="localhost")
    with socket.create_connection(("127.0.0.1", server.https_port)) as silent, \
            socket.create_connection(("127.0.0.1", server.https_port)) as partial, \
            socket.create_connection(("127.0.0.1", server.https_port)) as stalled:
        assert silent.fileno() >= 0
        partial.send(b"\x16\x03\x01\x01\x82")
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            stalled.send(to_send.read())
        assert stalled.recv(65536), "the server answers the hello"
        assert spent(server) < 0.1
