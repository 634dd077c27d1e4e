package config

import (
	"regexp"
	"strings"
)

const environmentPrefix = "HOLDFAST_"

// ServerVariable names the environment variable with the server that client commands call. It is
// not a setting.
const ServerVariable = "HOLDFAST_SERVER"

// Kubernetes sets such variables in every container next to a Service whose name begins with
// holdfast. Nobody chose them, so they are ignored.
var (
	serviceVariable = regexp.MustCompile(`^HOLDFAST_([A-Z0-9_]+_)?` +
		`(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$`)
	servicePort  = regexp.MustCompile(`^HOLDFAST_([A-Z0-9_]+_)?PORT$`)
	serviceValue = regexp.MustCompile(`^(tcp|udp|sctp)://`)
)

func (l *loader) readEnvironment(env []string) {
	byVariable := make(map[string]setting, len(settings))
	for _, s := range settings {
		byVariable[s.variable()] = s
	}
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, environmentPrefix) || name == ServerVariable || fromKubernetes(name, value) {
			continue
		}
		s, known := byVariable[name]
		if !known {
			l.faults = append(l.faults, unknown(name, "the environment"))
			continue
		}
		if value != "" {
			l.set(s.key, value, name)
		}
	}
}

func fromKubernetes(name, value string) bool {
	return serviceVariable.MatchString(name) ||
		servicePort.MatchString(name) && serviceValue.MatchString(value)
}
