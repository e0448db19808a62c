"""A tiny app of a vendor: begins a sign-in, keeps state, checks signatures, answers sign-out notices.

Started as a process of its own. `GET /control?…` changes how well it behaves, `GET /seen` tells what it received.
"""

import base64
import hashlib
import hmac
import json
import secrets
import sys
import time
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

STATE: dict[str, object] = {"key": "", "client_id": "sandbox", "fault": "", "answer": 200}
SEEN: list[dict[str, object]] = []
SESSIONS: dict[str, str] = {}


class VendorApp(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        if parts.path == "/control":
            STATE.update(query)
            self._say(200, "done")
        elif parts.path == "/seen":
            self._say(200, json.dumps(SEEN), kind="application/json")
        elif parts.path == "/privacy":
            self._say(200, "<p>" + "我们只用这些数据来布置和批改作业，学期结束就删除。" * 3 + "</p>")
        elif parts.path == "/start":
            self._begin(query.get("iss", ""))
        elif parts.path == "/callback":
            self._come_back(query)
        else:
            self._say(404, "nothing here")

    def _begin(self, issuer: str) -> None:
        state, verifier, session = secrets.token_urlsafe(16), secrets.token_urlsafe(48), secrets.token_urlsafe(8)
        SESSIONS[session] = state
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": str(STATE["client_id"]),
            "redirect_uri": f"http://{self.headers['Host']}/callback",
            "scope": "openid",
            "state": state,
            "nonce": secrets.token_urlsafe(12),
            "code_challenge": challenge,
            "code_challenge_method": "plain" if STATE["fault"] == "pkce" else "S256",
        }
        self.send_response(302)
        self.send_header("Location", f"{issuer}/oauth/authorize?{urlencode(asked)}")
        self.send_header("Set-Cookie", f"session={session}; Path=/; HttpOnly")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _come_back(self, query: dict[str, str]) -> None:
        session = SimpleCookie(self.headers.get("Cookie", "")).get("session")
        kept = SESSIONS.get(session.value if session else "", "")
        if STATE["fault"] != "state" and (not kept or query.get("state") != kept):
            self._say(400, "the state is not ours")
        elif "error" in query:
            self._say(200, "signed in as nobody")
        else:
            self._say(200, "welcome")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/logout":
            self._say(400, "not a token of ours")
            return
        if self.path != "/hook":
            self._say(404, "nothing here")
            return
        if STATE["fault"] != "signature" and not self._is_signed(body):
            self._say(401, "not signed")
            return
        answer = int(str(STATE["answer"]))
        if json.loads(body)["type"] != "ping" or self.headers["webhook-id"]:
            SEEN.append({"id": self.headers["webhook-id"], "answer": answer, **json.loads(body)})
        self._say(answer, "thanks")

    def _is_signed(self, body: bytes) -> bool:
        moment = int(self.headers["webhook-timestamp"])
        if abs(time.time() - moment) > 300 or not STATE["key"]:
            return False
        key = base64.b64decode(str(STATE["key"]).removeprefix("whsec_"))
        signed = f"{self.headers['webhook-id']}.{moment}.".encode() + body
        wanted = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return any(hmac.compare_digest(wanted, given) for given in self.headers["webhook-signature"].split())

    def _say(self, status: int, text: str, kind: str = "text/html; charset=utf-8") -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        return


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), VendorApp)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
