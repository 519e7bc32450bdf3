"""Clients and servers of other makes on both sides of the gateway.

`serve` starts a gRPC server, a WebSocket server and an HTTP server, each on a free port, prints
the ports as one line of JSON and serves until its input ends. `call JSON` calls them through the
gateway at the addresses it is given, and fails at the first thing that is not as without it.
"""

import asyncio
import http.client
import http.server
import json
import socket
import ssl
import sys
import threading
import time
from concurrent import futures

import grpc
import httpx
import websockets

EVENTS = 3
PAUSE_S = 0.4


# === servers ===


class Echo(grpc.GenericRpcHandler):
    def service(self, details):
        kind = details.method.rsplit("/", 1)[-1]
        return {
            "Unary": grpc.unary_unary_rpc_method_handler(self.unary),
            "Stream": grpc.unary_stream_rpc_method_handler(self.stream),
            "Chat": grpc.stream_stream_rpc_method_handler(self.chat),
            "Fail": grpc.unary_unary_rpc_method_handler(self.fail),
            "Sleep": grpc.unary_unary_rpc_method_handler(self.sleep),
        }.get(kind)

    @staticmethod
    def unary(request, context):
        sent = dict(context.invocation_metadata())
        context.set_trailing_metadata((("x-seen", sent.get("x-sent", "")), ("x-raw-bin", b"\0\xff")))
        return request[::-1]

    @staticmethod
    def stream(request, _context):
        for number in range(int(request)):
            yield b"%d" % number

    @staticmethod
    def chat(requests, _context):
        for request in requests:
            yield b"re: " + request

    @staticmethod
    def fail(_request, context):
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "not so: ä")

    @staticmethod
    def sleep(_request, _context):
        time.sleep(2)
        return b"late"


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path != "/events":
            return self.answer(self.headers.get("x-forwarded-for", "").encode())
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for number in range(EVENTS):
            event = b"data: %d\n\n" % number
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
            self.wfile.flush()
            time.sleep(PAUSE_S)
        self.wfile.write(b"0\r\n\r\n")

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers["content-length"])))

    def answer(self, body):
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


async def echo_messages(connection):
    try:
        async for message in connection:
            await connection.send(message)
    except websockets.ConnectionClosedError:
        pass  # The caller ends with a code of its own, which is part of what is tried.


def serve():
    calls = grpc.server(futures.ThreadPoolExecutor(16))
    calls.add_generic_rpc_handlers((Echo(),))
    ports = {"grpc": calls.add_insecure_port("127.0.0.1:0")}
    calls.start()
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    ports["http"] = web.server_address[1]
    threading.Thread(target=web.serve_forever, daemon=True).start()

    async def main():
        async with websockets.serve(echo_messages, "127.0.0.1", 0, max_size=2**24) as server:
            ports["ws"] = server.sockets[0].getsockname()[1]
            print(json.dumps(ports), flush=True)
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

    asyncio.run(main())


# === clients ===


def check_grpc(channel):
    unary = channel.unary_unary("/echo.Echo/Unary")
    for number in range(50):
        answer, call = unary.with_call(b"abc%d" % number, metadata=(("x-sent", str(number)),))
        assert answer == (b"abc%d" % number)[::-1], answer
        trailers = dict(call.trailing_metadata())
        assert trailers["x-seen"] == str(number) and trailers["x-raw-bin"] == b"\0\xff", trailers
    large = bytes(range(256)) * 12_000
    assert unary(large) == large[::-1]
    stream = channel.unary_stream("/echo.Echo/Stream")
    assert [int(part) for part in stream(b"2000")] == list(range(2000))

    said, heard = threading.Semaphore(1), []

    def questions():
        for number in range(20):
            said.acquire(timeout=5)
            yield b"%d" % number

    # A question follows only upon the answer before it: nothing may wait for the stream to end.
    for answer in channel.stream_stream("/echo.Echo/Chat")(questions(), timeout=20):
        heard.append(answer)
        said.release()
    assert heard == [b"re: %d" % number for number in range(20)], heard
    for method, code, details in [
        ("Fail", grpc.StatusCode.INVALID_ARGUMENT, "not so: ä"),
        ("Nowhere", grpc.StatusCode.UNIMPLEMENTED, None),
        ("Sleep", grpc.StatusCode.DEADLINE_EXCEEDED, None),
    ]:
        try:
            channel.unary_unary("/echo.Echo/" + method)(b"x", timeout=0.7)
            raise AssertionError(f"{method} did not fail")
        except grpc.RpcError as error:
            assert error.code() == code, (method, error)
            assert details is None or error.details() == details, error


async def check_websocket(scheme, port, tls):
    way = {"host": "127.0.0.1", "port": port, "ssl": tls, "max_size": 2**24}
    async with websockets.connect(f"{scheme}://ws.test/chat", **way) as connection:
        for message in ["hello", "ä" * 1000, b"\0\x01" * 500_000]:
            await connection.send(message)
            assert await connection.recv() == message
        await (await connection.ping())
        await connection.close(4001, "enough")
        assert connection.close_code == 4001, connection.close_code


def check_events(client, base):
    began, came = time.monotonic(), []
    with client.stream("GET", base + "/events") as answer:
        for line in answer.iter_lines():
            if line:
                came.append((time.monotonic() - began, line))
    assert [line for _, line in came] == [f"data: {number}" for number in range(EVENTS)], came
    for number, (after_s, _) in enumerate(came):
        assert after_s < number * PAUSE_S + 0.35, f"events came late: {came}"


def check_continue(host, port):
    body = b"x" * 100_000
    with socket.create_connection((host, port), timeout=10) as stream:
        stream.sendall(
            b"POST /upload HTTP/1.1\r\nHost: web.test\r\nContent-Type: image/png\r\n"
            b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(body)
        )
        head = stream.recv(100)
        assert head.startswith(b"HTTP/1.1 100 "), head
        stream.sendall(body)
        answer = http.client.HTTPResponse(stream, method="POST")
        answer.begin()
        assert answer.status == 200 and answer.read() == body, answer.status


def call(where):
    tls = ssl.create_default_context(cafile=where["ca"])
    with open(where["ca"], "rb") as file:
        credentials = grpc.ssl_channel_credentials(file.read())
    options = (
        ("grpc.default_authority", "grpc.test"),
        ("grpc.max_receive_message_length", -1),
        ("grpc.max_send_message_length", -1),
    )
    for names_tls in [False, True]:
        address = where["tls" if names_tls else "plain"]
        if names_tls:
            options += (("grpc.ssl_target_name_override", "grpc.test"),)
            channel = grpc.secure_channel(address, credentials, options=options)
        else:
            channel = grpc.insecure_channel(address, options=options)
        with channel:
            check_grpc(channel)
        print("gRPC over", "TLS" if names_tls else "h2c", flush=True)
    port = {name: int(where[name].rsplit(":", 1)[1]) for name in ["plain", "tls", "v6"]}
    asyncio.run(check_websocket("ws", port["plain"], None))
    asyncio.run(check_websocket("wss", port["tls"], tls))
    print("WebSocket over TCP and TLS", flush=True)
    web = {"host": "web.test"}
    with httpx.Client(http2=True, verify=tls, headers=web) as client:
        base = f"https://localhost:{port['tls']}"
        assert client.get(base + "/").http_version == "HTTP/2"
        check_events(client, base)
    with httpx.Client(http1=True, verify=tls, headers=web) as client:
        assert client.get(base + "/").http_version == "HTTP/1.1"
        check_events(client, base)
    print("events over HTTP/1.1 and HTTP/2, chosen by ALPN", flush=True)
    with httpx.Client(headers=web) as client:
        answer = client.get(f"http://[::1]:{port['v6']}/")
        assert (answer.status_code, answer.text) == (200, "::1"), answer.text
        body = bytes(1_000_000)
        assert client.post(f"http://[::1]:{port['v6']}/", content=body).content == body
    print("IPv6", flush=True)
    check_continue("127.0.0.1", port["plain"])
    print("100-continue", flush=True)


if __name__ == "__main__":
    serve() if sys.argv[1] == "serve" else call(json.loads(sys.argv[2]))
