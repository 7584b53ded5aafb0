# What a preview shows in a browser's tests: a page with relative links, an echo of what was asked, and a WebSocket that answers.
import base64, hashlib, json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# A browser asks for an icon when it likes, also after a page has loaded: the pages have theirs within them.
ICON = '<link rel="icon" href="data:,">'
PAGE = f"""<!doctype html><title>shop</title>{ICON}<link rel="stylesheet" href="assets/style.css">
<h1>Shop</h1><a href="about/">about</a><script src="assets/app.js"></script>"""
ABOUT = f'<!doctype html><title>about</title>{ICON}<a href="../">back</a><img src="../assets/dot.svg">'
FILES = {
    "/": ("text/html", PAGE),
    "/about/": ("text/html", ABOUT),
    "/assets/style.css": ("text/css", "h1 { color: rgb(1, 2, 3) }"),
    "/assets/app.js": ("text/javascript", "document.body.dataset.script = 'ran'; document.cookie = 'theme=dark';"),
    "/assets/dot.svg": ("image/svg+xml", '<svg xmlns="http://www.w3.org/2000/svg" width="7" height="7"/>'),
}
asked = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        # What a page asks for may not be mixed up with what asks for it.
        if self.path != "/asked":
            asked.append({"path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}})
        if self.headers.get("Upgrade", "").lower() == "websocket":
            return self.socket()
        if self.path == "/asked":
            return self.answer("application/json", json.dumps(asked))
        kind, text = FILES.get(self.path.split("?")[0], ("text/plain", "nothing here"))
        self.answer(kind, text)

    def answer(self, kind, text):
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        # A page that would like its cookies to go everywhere.
        self.send_header("Set-Cookie", "wide=1; Domain=localhost; Path=/")
        self.end_headers()
        self.wfile.write(body)

    def socket(self):
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers()
        self.close_connection = True
        while True:
            head = self.rfile.read(2)
            if len(head) < 2 or head[0] & 15 == 8:
                return
            # A browser's own frames are masked; those of the test are short.
            mask, data = self.rfile.read(4), self.rfile.read(head[1] & 127)
            text = b"echo " + bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))
            self.wfile.write(bytes([0x81, len(text)]) + text)
            self.wfile.flush()

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
