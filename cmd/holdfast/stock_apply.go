package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/schollz/progressbar/v3"

	"github.com/holdfast/holdfast/internal/client"
	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/internal/stockcsv"
)

// applying sends a checked file in chunks. Each chunk has an id of its own, made of the import's id
// and its number, so that one that is sent again changes nothing.
type applying struct {
	importFlags
	server *client.Client
	file   *twice
	want   stockcsv.Summary // what the check found
	bar    *progressbar.ProgressBar
	result imported

	chunk  int // number of the next one, from 1
	counts []contract.Count
	lines  [2]int // of the first and last row in counts
}

// all reads the file a second time and sends it. A file that is not the one that was checked is an
// error: it may be found only at the end, since a file is not held in memory.
func (a *applying) all(ctx context.Context) error {
	if err := a.file.rewind(); err != nil {
		return err
	}
	reader := stockcsv.NewReader(a.file.name, a.file.text)
	a.chunk = 1
	for {
		row, faults, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if len(faults) > 0 {
			return a.changed()
		}
		if err := a.add(ctx, row); err != nil {
			return err
		}
	}
	if reader.Sum() != a.want.SHA256 {
		return a.changed()
	}
	return a.send(ctx)
}

func (a *applying) changed() error {
	return fmt.Errorf("%s was changed while it was imported, and %d rows are set: run the command again",
		a.file.name, a.result.done())
}

func (a *applying) add(ctx context.Context, row stockcsv.Row) error {
	if len(a.counts) == contract.CountsMax {
		if err := a.send(ctx); err != nil {
			return err
		}
	}
	if len(a.counts) == 0 {
		a.lines[0] = row.Line
	}
	a.lines[1] = row.Line
	a.counts = append(a.counts, contract.Count{
		SKU: row.SKU, Location: row.Location, OnHand: (*contract.Whole)(&row.OnHand),
		SafetyStock: (*contract.Whole)(row.SafetyStock), BackorderLimit: (*contract.Whole)(row.BackorderLimit),
	})
	return nil
}

// send sends the chunk that has gathered.
func (a *applying) send(ctx context.Context) error {
	counts := contract.CountsRequest{
		ID: fmt.Sprintf("%s:%d", a.id, a.chunk), Reason: a.reason, Actor: a.actor, Counts: a.counts,
	}
	if a.asOf != "" {
		counts.AsOf = &a.asOf
	}
	answer, replay, err := a.server.Count(ctx, counts)
	if err != nil {
		return a.stopped(err)
	}
	if replay {
		a.result.Before += len(a.counts)
	} else {
		a.result.Set += len(a.counts)
	}
	if a.result.AppliedAt.Before(answer.AppliedAt.Time) {
		a.result.AppliedAt = answer.AppliedAt.Time
	}
	a.result.Durable = a.result.Durable && answer.Durable
	a.result.addShort(answer.Levels)
	_ = a.bar.Add(len(a.counts)) // only a picture
	a.chunk++
	a.counts = a.counts[:0]
	return nil
}

// stopped says where an import stopped and how to go on.
func (a *applying) stopped(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	where := fmt.Sprintf("%s: lines %d to %d", a.file.name, a.lines[0], a.lines[1])
	var problem *contract.Problem
	if errors.As(err, &problem) && problem.Code == "id_conflict" {
		return fmt.Errorf("%s: %w\nthe import %s was made with other rows, --as-of, reason or actor: "+
			"give this one another --id", where, err, a.id)
	}
	then := "run the same command again to go on"
	if problem != nil && problem.Code == "invalid_request" {
		then = "put that right, then run it again"
	}
	return fmt.Errorf("%s: %w\n%d of %d rows are set: %s", where, err, a.result.done(), a.want.Rows, then)
}
