package faultproxy

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
)

// readMessage reads one value of the Redis protocol (RESP2 or RESP3), a request or a reply, and
// returns its bytes unchanged. It parses only as much as it needs to find the end of the value.
func readMessage(in *bufio.Reader) ([]byte, error) {
	return appendMessage(nil, in)
}

func appendMessage(message []byte, in *bufio.Reader) ([]byte, error) {
	line, err := in.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	message = append(message, line...)
	switch line[0] {
	case '$', '=', '!': // strings with a length
		n, err := length(line)
		if err != nil || n < 0 {
			return message, err
		}
		return appendBulk(message, in, n)
	case '*', '~', '>', '%', '|': // collections with a count
		n, err := length(line)
		if err != nil {
			return nil, err
		}
		switch line[0] {
		case '%':
			n *= 2
		case '|': // attributes: pairs, followed by the value they describe
			n = 2*n + 1
		}
		for range n {
			if message, err = appendMessage(message, in); err != nil {
				return nil, err
			}
		}
	}
	return message, nil // every other value is one line, and so is a request typed by hand
}

// bulkMax is the longest string that is forwarded, which is the longest that Redis has.
const bulkMax = 512 << 20

func appendBulk(message []byte, in *bufio.Reader, n int) ([]byte, error) {
	const end = len("\r\n")
	if n > bulkMax {
		return nil, fmt.Errorf("protocol: a string of %d bytes", n)
	}
	start := len(message)
	message = append(message, make([]byte, n+end)...)
	if _, err := io.ReadFull(in, message[start:]); err != nil {
		return nil, err
	}
	return message, nil
}

// length returns the number in the first line of a value; -1 means null.
func length(line []byte) (int, error) {
	if len(line) < len("$0\r\n") {
		return 0, fmt.Errorf("protocol: no length in %q", line)
	}
	n, err := strconv.Atoi(string(line[1 : len(line)-2]))
	if err != nil {
		return 0, fmt.Errorf("protocol: %w", err)
	}
	return n, nil
}
