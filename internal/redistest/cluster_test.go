package redistest

import (
	"fmt"
	"testing"
)

func TestStartCluster(t *testing.T) {
	c := StartCluster(t, "--appendonly", "yes", "--appendfsync", "always")
	client := c.ClusterClient(t)
	const keys = 200 // enough that a slot without a node would show
	for i := range keys {
		if err := client.Set(t.Context(), fmt.Sprint("key", i), i, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}

	if err := client.ForEachMaster(t.Context(), warm); err != nil {
		t.Fatal(err)
	}
	checkPause(t, &c.Server, client)

	c.Restart()
	for i := range keys {
		got, err := client.Get(t.Context(), fmt.Sprint("key", i)).Int()
		if got != i || err != nil {
			t.Fatalf("after Restart: key%d = %d, %v", i, got, err)
		}
	}
	err := c.Client(t).MGet(t.Context(), "key1", "key2").Err()
	if err == nil {
		t.Error("a command with keys of two slots is not refused, so this is no cluster")
	}
}
