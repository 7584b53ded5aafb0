# Tries every way out of a sandbox that it is told of and says, as JSON, how each ended. Opens connections and nothing more.
import errno, json, socket, sys

plan = json.loads(sys.argv[1])
found = {}


def attempt(name, work):
    try:
        found[name] = work() or "reached"
    except OSError as error:
        found[name] = errno.errorcode.get(error.errno, str(error))


def stream(family, address):
    def work():
        with socket.socket(family, socket.SOCK_STREAM) as one:
            one.settimeout(2)
            one.connect(address)

    return work


def datagram(address):
    def work():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.sendto(b"x", address)

    return work


def opened(family, kind, protocol=0):
    return lambda: socket.socket(family, kind, protocol).close()


for port in plan["ports"]:
    attempt(f"tcp4 {port}", stream(socket.AF_INET, ("127.0.0.1", port)))
attempt("host address", stream(socket.AF_INET, (plan["address"], plan["ports"][0])))
attempt("tcp6", stream(socket.AF_INET6, ("::1", plan["port6"])))
attempt("udp", datagram(("192.0.2.1", 53)))
attempt("abstract", stream(socket.AF_UNIX, "\0" + plan["abstract"]))
attempt("path", stream(socket.AF_UNIX, plan["path"]))
attempt("raw", opened(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP))
attempt("packet", opened(socket.AF_PACKET, socket.SOCK_RAW))
attempt("vsock", opened(socket.AF_VSOCK, socket.SOCK_STREAM))


def routes():
    with open("/proc/net/route") as table:
        return str(len(table.read().splitlines()[1:]))


def interfaces():
    with open("/proc/net/dev") as table:
        return " ".join(line.split(":")[0].strip() for line in table.read().splitlines()[2:])


def proxy():
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as one:
        one.settimeout(5)
        one.connect(plan["egress"])
        one.sendall(plan["ask"].encode())
        answer = b""
        while chunk := one.recv(4096):
            answer += chunk
        return answer.decode("latin1")


attempt("routes", routes)
attempt("interfaces", interfaces)
attempt("proxy", proxy)
print(json.dumps(found))
