package testserver

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

// FreePort finds a port that is free, and after it as many more as make n in a row.
func FreePort(n int) (int, error) {
	for range portTriesMax {
		port := portMin + n*rand.IntN((portMax-portMin)/n)
		if PortsFree(port, n) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no %d free loopback ports in %d..%d", n, portMin, portMax)
}

// PortsFree tells whether n ports from port on are free.
func PortsFree(port, n int) bool {
	for i := range n {
		if !portFree(port + i) {
			return false
		}
	}
	return true
}

func portFree(port int) bool {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return listener.Close() == nil
}
