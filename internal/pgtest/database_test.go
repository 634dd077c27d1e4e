package pgtest

import (
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestDatabase(t *testing.T) {
	var first string
	t.Run("empty and separate", func(t *testing.T) {
		first = Database(t)
		conn := connect(t, first)
		execute(t, conn, "create table mine ()")
		other := connect(t, Database(t))
		if got := value(t, other, "select count(*)::text from pg_class where relname = 'mine'"); got != "0" {
			t.Error("two databases share a table")
		}
		if got := value(t, other, "show synchronous_commit"); got != "on" {
			t.Errorf("synchronous_commit = %s", got)
		}
	})
	t.Run("dropped", func(t *testing.T) {
		conn := connect(t, Database(t))
		config, err := pgx.ParseConfig(first)
		if err != nil {
			t.Fatal(err)
		}
		if got := value(t, conn, "select count(*)::text from pg_database where datname = '"+config.Database+"'"); got != "0" {
			t.Errorf("%s is still there", config.Database)
		}
	})
	t.Run("copied", func(t *testing.T) {
		original, err := KeptDatabase()
		if err != nil {
			t.Fatal(err)
		}
		Exec(t, original, "create table mine as select 7 as number")
		for range 2 {
			copied := CopyDatabase(t, original)
			if got := value(t, connect(t, copied), "select number::text from mine"); got != "7" || copied == original {
				t.Errorf("the copy %s of %s has %s", copied, original, got)
			}
		}
	})
	t.Run("concurrent", func(t *testing.T) {
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() { Database(t) })
		}
		group.Wait()
	})
}

func BenchmarkDatabase(b *testing.B) {
	Database(b) // starts the server
	for b.Loop() {
		Database(b)
	}
}

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		Start(b)
	}
}
