"""The client's side of Structured Service Addressing: names or prefixes to addresses and connected sockets.

    service = Resolver().resolve("svc.example.com")
    selector = Selector(service)
    with selector.connect(443) as connection: ...

It calls libssa_client, which the environment variable SSA_CLIENT_LIBRARY may name. As a program it takes a service and a line,
and prints the address for this host and what answers there; --help says how.
"""

import argparse
import ctypes
import ipaddress
import os
import socket
import sys
import time
from ctypes import POINTER, byref, c_char, c_char_p, c_int32, c_size_t, c_uint8, c_uint16, c_uint32, c_uint64, c_void_p

ABI = 1
ANY_REPLICA = 2**32 - 1
NEVER = 2**64 - 1

# Of ssa_status.
(OK, INVALID, NOT_UNDERSTOOD, NO_KEY, NO_SUCH_OBJECT, NO_ADDRESS, CANCELLED, NO_SERVICE, NO_ANSWER, NOT_SIGNED, TIMED_OUT,
 NO_ROUTE, NOT_CONNECTED, INTERNAL) = range(14)
DNSSEC_IGNORED, DNSSEC_CHECKED, DNSSEC_REQUIRED = range(3)

Octets = c_uint8 * 16
Progress = ctypes.CFUNCTYPE(c_int32, c_uint64, c_void_p)


class Message(ctypes.Structure):
    _fields_ = [("text", c_char * 512)]


class Prefix(ctypes.Structure):
    _fields_ = [("address", Octets), ("length", c_uint8)]


class Key(ctypes.Structure):
    _fields_ = [("number", c_uint32), ("secret", Octets)]


class Failure(Exception):
    """Why there is no result: `status` is one of the numbers above."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


# Results and arguments of all functions. What can fail takes a message as well, and raises; see `_Library.make`.
_FUNCTIONS = {
    "ssa_client_abi_version": (c_uint32, []),
    "ssa_status_text": (c_char_p, [c_int32]),
    "ssa_service_new": (c_int32, [c_char_p, c_char_p, c_char_p, POINTER(c_void_p), POINTER(Message)]),
    "ssa_service_free": (None, [c_void_p]),
    "ssa_service_name": (c_char_p, [c_void_p]),
    "ssa_service_rule": (c_char_p, [c_void_p]),
    "ssa_service_prefix_count": (c_size_t, [c_void_p]),
    "ssa_service_prefix": (c_int32, [c_void_p, c_size_t, POINTER(Prefix), POINTER(Message)]),
    "ssa_service_excluded_count": (c_size_t, [c_void_p]),
    "ssa_service_excluded": (c_int32, [c_void_p, c_size_t, POINTER(Prefix), POINTER(Message)]),
    "ssa_service_port": (c_uint16, [c_void_p]),
    "ssa_service_ttl": (c_uint64, [c_void_p]),
    "ssa_service_authenticated": (c_int32, [c_void_p]),
    "ssa_resolver_new": (c_int32, [c_char_p, c_uint32, c_char_p, POINTER(c_void_p), POINTER(Message)]),
    "ssa_resolver_free": (None, [c_void_p]),
    "ssa_resolve": (c_int32, [c_void_p, c_char_p, c_uint32, POINTER(c_void_p), POINTER(Message)]),
    "ssa_selector_new": (c_int32, [c_void_p, POINTER(Key), c_size_t, POINTER(c_void_p), POINTER(Message)]),
    "ssa_selector_free": (None, [c_void_p]),
    "ssa_selector_replicas": (c_uint32, [c_void_p]),
    "ssa_object_id": (c_int32, [c_char_p, POINTER(Octets), POINTER(Message)]),
    "ssa_selector_address": (c_int32, [c_void_p, POINTER(Octets), POINTER(Octets), c_uint32, c_uint64, Progress, c_void_p,
                                       POINTER(Octets), POINTER(Message)]),
    "ssa_selector_epoch_end": (c_uint64, [c_void_p, c_uint64]),
    "ssa_selector_valid_until": (c_uint64, [c_void_p, c_uint64]),
    "ssa_source_for": (c_int32, [POINTER(Octets), POINTER(Octets), POINTER(Message)]),
    "ssa_connect_tcp": (c_int32, [c_void_p, POINTER(Octets), c_uint32, c_uint16, c_uint32, POINTER(c_int32), POINTER(Message)]),
    "ssa_connect_udp": (c_int32, [c_void_p, POINTER(Octets), c_uint32, c_uint16, c_uint32, POINTER(c_int32), POINTER(Message)]),
}


class _Number:
    """A whole number of C, which is never one of other octets: ctypes would cut off what has no room."""

    def __init__(self, kind):
        self._kind, self._bits = kind, 8 * ctypes.sizeof(kind)

    def from_param(self, value):
        return self._kind.from_param(self.checked(value))

    def checked(self, value):
        if not 0 <= value < 1 << self._bits:
            raise ValueError(f"{value} is not from 0 to {(1 << self._bits) - 1}")
        return value


_CHECKED = {kind: _Number(kind) for kind in (c_uint16, c_uint32, c_uint64)}


class _Library:
    def __init__(self, path):
        library = ctypes.CDLL(path)
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, [_CHECKED.get(kind, kind) for kind in arguments]
            setattr(self, name, function)
        if self.ssa_client_abi_version() != ABI:
            raise ImportError(f"{path} has another ABI than {ABI}")

    def make(self, function, kind, *arguments):
        """What a function writes that can fail: something of this kind, before the message."""
        made, message = kind(), Message()
        status = getattr(self, function)(*arguments, byref(made), byref(message))
        if status != OK:
            raise Failure(status, message.text.decode())
        return made


_library = _Library(os.environ.get("SSA_CLIENT_LIBRARY", f"libssa_client.so.{ABI}"))


def _text(text):
    if text is not None and "\0" in text:
        raise ValueError("a text for C has no NUL")
    return None if text is None else text.encode()


def _octets(value):
    """An address, or bytes, as 16 octets for C; None stays what it is."""
    if value is None:
        return None
    packed = bytes(value) if isinstance(value, (bytes, bytearray)) else ipaddress.IPv6Address(value).packed
    if len(packed) != 16:
        raise ValueError(f"{len(packed)} octets are given, and 16 are wanted")
    return Octets(*packed)


def _address(octets):
    return ipaddress.IPv6Address(bytes(octets))


def object_id(text):
    """The 16 octets of an object's id: of 0x and 32 digits, of a block's number, or of a name."""
    return bytes(_library.make("ssa_object_id", Octets, _text(text)))


def source_for(destination):
    """The address that the kernel would send from."""
    return _address(_library.make("ssa_source_for", Octets, _octets(destination)))


class _Handle:
    """What the library has made; given back when nobody has it any more."""

    def __init__(self, handle, free):
        self._handle, self._free = handle, free

    def __del__(self):
        if getattr(self, "_handle", None) is not None:
            self._free(self._handle)
            self._handle = None


class Service(_Handle):
    """Prefixes with a rule."""

    def __init__(self, name, prefixes, record):
        """By hand: "2001:db8::/64 !2001:db8::/80" and "v=1 rule=hash(48):14 any:*"."""
        self._take(_library.make("ssa_service_new", c_void_p, _text(name), _text(prefixes), _text(record)))

    def _take(self, handle):
        super().__init__(handle, _library.ssa_service_free)
        self.name = _library.ssa_service_name(handle).decode()
        self.rule = _library.ssa_service_rule(handle).decode()
        self.port = _library.ssa_service_port(handle) or None
        ttl = _library.ssa_service_ttl(handle)
        self.ttl = None if ttl == NEVER else ttl
        self.authenticated = _library.ssa_service_authenticated(handle) == 1
        self.prefixes = self._prefixes("ssa_service_prefix")
        self.excluded = self._prefixes("ssa_service_excluded")
        return self

    def _prefixes(self, function):
        count = getattr(_library, function + "_count")(self._handle)
        prefixes = [_library.make(function, Prefix, self._handle, index) for index in range(count)]
        return [ipaddress.IPv6Network((bytes(prefix.address), prefix.length)) for prefix in prefixes]


class Resolver(_Handle):
    """Names to services, over DNS."""

    def __init__(self, servers=None, dnssec=DNSSEC_IGNORED, anchors=None):
        handle = _library.make("ssa_resolver_new", c_void_p, _text(servers), dnssec, _text(anchors))
        super().__init__(handle, _library.ssa_resolver_free)

    def resolve(self, name, timeout=10.0):
        handle = _library.make("ssa_resolve", c_void_p, self._handle, _text(name), int(timeout * 1000))
        return Service.__new__(Service)._take(handle)


class Selector(_Handle):
    """Addresses of a service. `keys` are pairs of a number and 16 octets."""

    def __init__(self, service, keys=()):
        keys = [Key(_CHECKED[c_uint32].checked(number), _octets(secret)) for number, secret in keys]
        ring = (Key * len(keys))(*keys)
        handle = _library.make("ssa_selector_new", c_void_p, service._handle, ring, len(keys))
        super().__init__(handle, _library.ssa_selector_free)
        self.replicas = _library.ssa_selector_replicas(handle)

    def address(self, source, object=None, replica=0, when=None, progress=None):
        """The address for one connection, now or at a Unix second. `progress` is told attempts, and may give up with True."""
        told = Progress(lambda attempts, _: 1 if progress and progress(attempts) else 0)
        when = int(time.time()) if when is None else when
        wanted = (_octets(source), _octets(object), replica, when, told, None)
        return _address(_library.make("ssa_selector_address", Octets, self._handle, *wanted))

    def epoch_end(self, when):
        """The Unix second at which an address is to be computed anew; None: never."""
        return self._second("ssa_selector_epoch_end", when)

    def valid_until(self, when):
        """The first Unix second in which an address is taken no more; None: it always is."""
        return self._second("ssa_selector_valid_until", when)

    def _second(self, function, when):
        second = getattr(_library, function)(self._handle, when)
        return None if second == NEVER else second

    def connect(self, port, object=None, replica=ANY_REPLICA, timeout=10.0, udp=False):
        """A socket that is connected to an address of the service."""
        function = "ssa_connect_udp" if udp else "ssa_connect_tcp"
        wanted = (_octets(object), replica, port, int(timeout * 1000))
        connection = socket.socket(fileno=_library.make(function, c_int32, self._handle, *wanted).value)
        connection.settimeout(timeout)
        return connection


def _arguments():
    parser = argparse.ArgumentParser(description="Call a service, send it a line, and print its address and its answer.")
    parser.add_argument("--server", metavar="ADDRESS[#PORT]", help="ask this name server, and not those of the system")
    parser.add_argument("--prefixes", help="do not ask DNS: these are the service's")
    parser.add_argument("--record", help="and this is its rule record")
    parser.add_argument("--object", metavar="ID", help="the object that is wanted")
    parser.add_argument("--port", type=int, help="the port, if not the one that DNS says")
    parser.add_argument("--timeout", type=float, default=10.0, metavar="SECONDS")
    parser.add_argument("name")
    parser.add_argument("line")
    arguments = parser.parse_args()
    if (arguments.prefixes is None) != (arguments.record is None):
        parser.error("--prefixes goes with --record")
    return arguments


def main():
    arguments = _arguments()
    try:
        if arguments.prefixes is not None:
            service = Service(arguments.name, arguments.prefixes, arguments.record)
        else:
            service = Resolver(arguments.server).resolve(arguments.name, arguments.timeout)
        print(f"{service.name} has the rule {service.rule}", file=sys.stderr)
        wanted = None if arguments.object is None else object_id(arguments.object)
        port = service.port or 0 if arguments.port is None else arguments.port
        with Selector(service).connect(port, wanted, timeout=arguments.timeout) as connection:
            print(connection.getpeername()[0], flush=True)
            connection.sendall(arguments.line.encode() + b"\n")
            connection.shutdown(socket.SHUT_WR)
            while octets := connection.recv(4096):
                sys.stdout.write(octets.decode(errors="replace"))
    except (Failure, OSError) as error:
        sys.exit(f"ssa_client.py: {error}")


if __name__ == "__main__":
    main()
