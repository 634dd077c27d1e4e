// Package directory reads and writes the routing directory as YAML. What is wrong with a file is told all
// at once, each fault with its line and column.
package directory
