package faultproxy

import (
	"bufio"
	"io"
	"strings"
	"testing"
)

func TestReadMessage(t *testing.T) {
	messages := map[string]string{
		"status":                "+OK\r\n",
		"error":                 "-ERR no such thing\r\n",
		"integer":               ":-12\r\n",
		"string":                "$5\r\na\r\nbc\r\n",
		"empty string":          "$0\r\n\r\n",
		"null string":           "$-1\r\n",
		"request":               "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n",
		"request typed by hand": "PING\r\n",
		"empty array":           "*0\r\n",
		"null array":            "*-1\r\n",
		"nested array":          "*2\r\n*2\r\n:1\r\n$1\r\na\r\n*1\r\n*-1\r\n",
		"map":                   "%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n:2\r\n",
		"set":                   "~2\r\n:1\r\n:2\r\n",
		"push":                  ">2\r\n+message\r\n$1\r\na\r\n",
		"attribute":             "|1\r\n+ttl\r\n:5\r\n$1\r\na\r\n",
		"null":                  "_\r\n",
		"boolean":               "#t\r\n",
		"double":                ",1.5\r\n",
		"big number":            "(12345678901234567890\r\n",
		"long error":            "!5\r\nERR a\r\n",
		"verbatim string":       "=5\r\ntxt:a\r\n",
	}
	const next = "+next\r\n"
	for name, message := range messages {
		t.Run(name, func(t *testing.T) {
			in := bufio.NewReader(strings.NewReader(message + next))
			for _, want := range []string{message, next} {
				if got, err := readMessage(in); string(got) != want || err != nil {
					t.Errorf("read %q, %v; want %q", got, err, want)
				}
			}
			for cut := range len(message) {
				part, err := readMessage(bufio.NewReader(strings.NewReader(message[:cut])))
				if err == nil {
					t.Errorf("%q, a part of it, was read as %q", message[:cut], part)
				}
			}
		})
	}
}

func TestReadMessage_Malformed(t *testing.T) {
	for _, message := range []string{"$x\r\na\r\n", "*\r\n", "$\n", "%1.5\r\n"} {
		got, err := readMessage(bufio.NewReader(strings.NewReader(message)))
		if err == nil || err == io.EOF {
			t.Errorf("%q was read as %q, %v", message, got, err)
		}
	}
}
