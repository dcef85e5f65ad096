"""A stand-in for the service that the tasks call: each answer takes two seconds.

    python slow_server.py

Take it away when FACEBOOK_URL names the real one. HOST and PORT: where it listens.
"""

import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LATENCY = float(os.environ.get("LATENCY", 2))  # seconds


class Edge(BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(LATENCY)
        user, edge = self.path.split("/")[-2:]
        found = edge in ("photos", "posts", "likes", "friends", "events")
        names = [f"{edge} {number} of {user}" for number in (1, 2, 3)] if found else []
        body = json.dumps({"data": [{"name": name} for name in names]}).encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    address = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", 8010))
    ThreadingHTTPServer(address, Edge).serve_forever()
