"""What YCSB's REST binding sends, byte for byte: Apache's HttpClient, values in chunks of 2048 bytes, a type on requests
without a body, POST to insert and PUT to update, connections that are kept. Some threads, each with its own keys, and
each answer checked; one to a body in chunks is the last of its connection. Arguments: host, port."""

import random
import socket
import sys
import threading

HOST, PORT = sys.argv[1], int(sys.argv[2])
N_THREADS = 4
N_OPERATIONS = 150  # of each thread, behind the inserts
N_KEYS = 20
CHUNK = 2048  # HttpClient's output buffer


class Connection:
    def __init__(self):
        self.socket = socket.create_connection((HOST, PORT), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as HttpClient does
        self.received = b""

    def read_until(self, end):
        while end not in self.received:
            piece = self.socket.recv(65536)
            if not piece:
                raise EOFError("the connection was closed")
            self.received += piece
        head, _, self.received = self.received.partition(end)
        return head

    def read_bytes(self, size):
        while len(self.received) < size:
            piece = self.socket.recv(65536)
            if not piece:
                raise EOFError("the connection was closed")
            self.received += piece
        body, self.received = self.received[:size], self.received[size:]
        return body

    def ask(self, method, key, value=None):
        """The status and the body of the answer."""
        head = f"{method} /v1/kv/{key} HTTP/1.1\r\nAccept: */*\r\nContent-Type: application/xml\r\n"
        head += "user-agent: Mozilla/5.0\r\n"
        if value is not None:
            head += "Transfer-Encoding: chunked\r\n"
        head += f"Host: {HOST}:{PORT}\r\nConnection: Keep-Alive\r\nAccept-Encoding: gzip,deflate\r\n\r\n"
        self.socket.sendall(head.encode())
        for at in range(0, len(value or b""), CHUNK):
            piece = value[at : at + CHUNK]
            self.socket.sendall(b"%x\r\n" % len(piece) + piece + b"\r\n")
        if value is not None:
            self.socket.sendall(b"0\r\n\r\n")
        lines = self.read_until(b"\r\n\r\n").decode().split("\r\n")
        status = int(lines[0].split()[1])
        fields = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in lines[1:]}
        closes = fields.get("connection", "keep-alive").lower() == "close"
        if "content-encoding" in fields or closes != (value is not None):
            raise ValueError(f"this would stop YCSB: {lines}")
        body = self.read_bytes(int(fields.get("content-length", "0")))
        if closes:  # HttpClient goes on with another
            self.socket.close()
            self.__init__()
        return status, body


def value_of(chance):
    """From the histogram of sizes of its workload: small ones, and some of 10 to 100 KB."""
    size = chance.choice((1, 100, 1000, CHUNK, CHUNK + 1, 10_000, 100_000))
    return chance.randbytes(size)


def expect(what, got, allowed):
    if got not in allowed:
        raise ValueError(f"{what}: {got}")


def run(number, errors):
    chance = random.Random(number)
    model = {}
    try:
        connection = Connection()
        for i in range(N_KEYS):
            key, value = f"user{number}{i}", value_of(chance)
            expect("insert", connection.ask("POST", key, value)[0], (201,))
            model[key] = value
        for _ in range(N_OPERATIONS):
            key = f"user{number}{chance.randrange(N_KEYS)}"
            operation = chance.random()
            if operation < 0.5:
                answer = connection.ask("GET", key)
                expected = (200, model[key]) if key in model else (404, answer[1])
                expect(f"read {key}", answer, (expected,))
            elif operation < 0.8:
                value = value_of(chance)
                expect("update", connection.ask("PUT", key, value)[0], (204 if key in model else 201,))
                model[key] = value
            elif operation < 0.9:
                value = value_of(chance)
                expect("insert", connection.ask("POST", key, value)[0], (204 if key in model else 201,))
                model[key] = value
            else:
                expect("delete", connection.ask("DELETE", key)[0], (204 if model.pop(key, None) is not None else 404,))
        connection.socket.close()
    except (OSError, EOFError, ValueError) as error:
        errors.append(error)


def main():
    errors = []
    threads = [threading.Thread(target=run, args=(i, errors)) for i in range(N_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in errors:
        print(error)
    print(f"{len(errors)} errors")
    return 1 if errors else 0


sys.exit(main())
