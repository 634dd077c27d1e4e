package directoryfile

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/holdfast/holdfast/location"
)

// Encode writes a directory as YAML, with one line for each location, zone, channel, limit and kit.
// Decode reads back the same directory.
func Encode(d location.Directory) ([]byte, error) {
	var root yaml.Node
	if err := root.Encode(d); err != nil {
		return nil, fmt.Errorf("directory: %w", err)
	}
	for i := 1; i < len(root.Content); i += 2 {
		for _, entry := range root.Content[i].Content {
			entry.Style |= yaml.FlowStyle
		}
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(&root); err != nil {
		return nil, fmt.Errorf("directory: %w", err)
	}
	return out.Bytes(), encoder.Close()
}
