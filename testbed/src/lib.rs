//! A small AWS on loopback ports: stateful, on real sockets, speaking the real wire protocols.
