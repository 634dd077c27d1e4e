package config

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestParseEndpoint(t *testing.T) {
	for raw, want := range map[string]Endpoint{
		"":                                 {},
		"redis://h":                        {Hosts: []string{"h:6379"}},
		"redis://h:1/3":                    {Hosts: []string{"h:1"}, Database: 3},
		"redis://h/":                       {Hosts: []string{"h:6379"}},
		"rediss://u:p%2Fw@h":               {Hosts: []string{"h:6379"}, TLS: true, Username: "u", Password: "p/w"},
		"redis://:p@h":                     {Hosts: []string{"h:6379"}, Password: "p"},
		"redis://:p@q@h":                   {Hosts: []string{"h:6379"}, Password: "p@q"},
		"redis://[::1]":                    {Hosts: []string{"[::1]:6379"}},
		"redis://[::1]:7":                  {Hosts: []string{"[::1]:7"}},
		"redis://u:p@a,b:7002,10.0.0.3:70": {Hosts: []string{"a:6379", "b:7002", "10.0.0.3:70"}, Username: "u", Password: "p"},
		"redis+sentinel://a,b:1/main":      {Hosts: []string{"a:26379", "b:1"}, Primary: "main"},
		"rediss+sentinel://u:p@a/sale.1/2": {Hosts: []string{"a:26379"}, TLS: true, Username: "u", Password: "p", Primary: "sale.1", Database: 2},
	} {
		t.Run(raw, func(t *testing.T) {
			got, err := parseEndpoint(raw)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("got %v %v, want %v", got, err, want)
			}
		})
	}
}

func TestParseEndpointRefuses(t *testing.T) {
	for raw, want := range map[string]string{
		"h:6379":                        "must begin with redis://",
		"http://:hunter2@h":             "must begin with redis://",
		"redis+sentinel://a,b":          "must name the primary",
		"redis+sentinel:///main":        "must name hosts",
		"redis+sentinel://a/hun@ter2/0": "must name the primary",
		"redis+sentinel://a/main/0/1":   "must end in a database number",
		"redis+sentinel://a/main?db=1":  "must end after the database",
		"redis+cluster://a":             "must begin with redis://",
		"redis://":                      "must name hosts",
		"redis://a,":                    "must name hosts",
		"redis://h:port":                "must name hosts",
		"redis://h:0":                   "must name hosts",
		"redis://::1":                   "must name hosts",
		"redis://:hun/ter2@h":           "must name hosts",
		"redis://user:12/hunter2@h":     "must end in a database number",
		"redis://:hunter2%@h":           "has a password that is not percent-encoded: write % as %25",
		"redis://%:hunter2@h":           "has a user name that is not percent-encoded: write % as %25",
		"redis://:hun?ter2@h":           "must end after the database",
		"redis://h?password=hunter2":    "must end after the database",
		"redis://h,password=hunter2":    "must name hosts",
		"redis://h/x":                   "must end in a database number",
		"redis://h/-1":                  "must end in a database number",
		"redis://a,b/1":                 "must not name a database with several hosts",
	} {
		t.Run(raw, func(t *testing.T) {
			_, err := parseEndpoint(raw)
			if err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Fatalf("got %v, want %s…", err, want)
			}
			if text := err.Error(); strings.Contains(text, "ter2") {
				t.Errorf("a password was printed: %s", text)
			}
		})
	}
}

func TestEndpointHidesItsPassword(t *testing.T) {
	e, err := parseEndpoint("redis://u:hunter2@h")
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Redis: Redis{Endpoint: e}}
	if text := fmt.Sprintf("%v %+v %#v %s", c, c, c, e); strings.Contains(text, "hunter2") {
		t.Errorf("a password was printed: %s", text)
	}
}
