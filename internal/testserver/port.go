package testserver

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports come from below the range that the system gives to outgoing connections (on Linux, from
// 32768). Otherwise such a connection could take the port of a server that is down for a moment, and
// a client that dials a dead port in that range can connect to itself.
const (
	portMin      = 12000
	portMax      = 32000
	portTriesMax = 200
)

// freePort returns the first of n consecutive free ports.
func freePort(n int) (int, error) {
	for range portTriesMax {
		port := portMin + n*rand.IntN((portMax-portMin)/n)
		if portsFree(port, n) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no %d consecutive free loopback ports in %d..%d", n, portMin, portMax)
}

// portsFree reports whether the n ports from port on are free.
func portsFree(port, n int) bool {
	for i := range n {
		listener, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port+i))
		if err != nil {
			return false
		}
		_ = listener.Close()
	}
	return true
}

// FreePair returns a free port, as text, whose sum with apart is a free port too.
func FreePair(apart int) (string, error) {
	for range portTriesMax {
		port := portMin + rand.IntN(portMax-portMin-apart)
		if portsFree(port, 1) && portsFree(port+apart, 1) {
			return strconv.Itoa(port), nil
		}
	}
	return "", fmt.Errorf("no two free loopback ports %d apart in %d..%d", apart, portMin, portMax)
}
