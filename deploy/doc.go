// Package deploy holds the files with which operators run Holdfast: units for systemd, alerts for
// Prometheus and a dashboard for Grafana. Its tests run them.
package deploy
