package pgtest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports are taken from below the range that the system gives to outgoing connections (Linux: from
// 32768). A server that is down for a moment would else lose its port to such a connection, and a
// client that dials a dead port of that range can even end up connected to itself.
const (
	portMin      = 12000
	portMax      = 32000
	portTriesMax = 200
)

// freePort finds a port that is free.
func freePort() (int, error) {
	for range portTriesMax {
		port := portMin + rand.IntN(portMax-portMin)
		if portFree(port) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no free loopback port in %d..%d", portMin, portMax)
}

func portFree(port int) bool {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return listener.Close() == nil
}
