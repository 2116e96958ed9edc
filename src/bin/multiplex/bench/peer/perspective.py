"""A hub of Twisted's Perspective Broker, kept as a Twisted programmer would write it.

A leaf is a remote reference; a shout is a remote call of each. No call wants an answer: an answer
would cost as much again, and there is nothing to say in it.
"""

from twisted.internet import reactor
from twisted.spread import pb


class Hub(pb.Root):
    def __init__(self):
        self.leaves = []

    def remote_join(self, leaf):
        self.leaves.append(leaf)
        leaf.notifyOnDisconnect(self.leaves.remove)

    def remote_shout(self, payload):
        for leaf in self.leaves:
            leaf.callRemote("hear", payload, pbanswer=0)


class Factory(pb.PBServerFactory):
    def clientConnectionMade(self, broker):
        broker.transport.setTcpNoDelay(True)


port = reactor.listenTCP(0, Factory(Hub()), backlog=1024, interface="127.0.0.1")
print(f"listening on 127.0.0.1:{port.getHost().port}", flush=True)
reactor.run()
