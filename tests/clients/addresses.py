"""Lines in; the address that each leads to, or why to none, out, a line each: what addresses.c does, by the Python example."""

import sys

import ssa_client


def keys(text):
    pairs = [word.split(":") for word in text.split(",") if word != "-"]
    return [(int(number), bytes.fromhex(digits)) for number, digits in pairs]


def answer(prefixes, record, ring, source, wanted, replica, when):
    selector = ssa_client.Selector(ssa_client.Service("svc.example", prefixes, record), keys(ring))
    identity = None if wanted == "-" else ssa_client.object_id(wanted)
    return selector.address(source, identity, int(replica), int(when), progress=lambda attempts: attempts == 0)


for line in sys.stdin:
    try:
        print(answer(*line.rstrip("\n").split("\t")))
    except ssa_client.Failure as failure:
        print(failure.status, failure)
