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

// importRun sends a checked file in chunks. The id of a chunk is the id of the import and the
// number of the chunk, so that sending a chunk again changes nothing.
type importRun struct {
	importFlags
	server *client.Client
	file   *rereadable
	want   stockcsv.Summary // from the check
	bar    *progressbar.ProgressBar
	result imported

	chunk  int // number of the next chunk, from 1
	counts []contract.Count
	lines  [2]int // first and last line of counts
}

// sendAll reads the file again and sends it. It returns an error if the file has changed since
// the check. It may notice that only at the end, because it does not hold the file in memory.
func (r *importRun) sendAll(ctx context.Context) error {
	if err := r.file.rewind(); err != nil {
		return err
	}
	reader := stockcsv.NewReader(r.file.name, r.file)
	r.chunk = 1
	for {
		row, faults, err := reader.Read()
		switch {
		case errors.Is(err, io.EOF) && reader.Sum() == r.want.SHA256:
			return r.send(ctx)
		case errors.Is(err, io.EOF), len(faults) > 0:
			return fmt.Errorf("%s changed during the import, after %d rows were set: run the command again",
				r.file.name, r.result.done())
		case err != nil:
			return err
		}
		if len(r.counts) == contract.CountsMax {
			if err := r.send(ctx); err != nil {
				return err
			}
		}
		r.add(row)
	}
}

func (r *importRun) add(row stockcsv.Row) {
	if len(r.counts) == 0 {
		r.lines[0] = row.Line
	}
	r.lines[1] = row.Line
	r.counts = append(r.counts, contract.Count{
		SKU: row.SKU, Location: row.Location, OnHand: (*contract.Whole)(&row.OnHand),
		SafetyStock: (*contract.Whole)(row.SafetyStock), BackorderLimit: (*contract.Whole)(row.BackorderLimit),
	})
}

// send sends the chunk in counts.
func (r *importRun) send(ctx context.Context) error {
	request := contract.CountsRequest{
		ID: fmt.Sprintf("%s:%d", r.id, r.chunk), Reason: r.reason, Actor: r.actor, Counts: r.counts,
	}
	if r.asOf != "" {
		request.AsOf = &r.asOf
	}
	answer, replay, err := r.server.Count(ctx, request)
	if err != nil {
		return r.stopped(err)
	}
	if replay {
		r.result.Before += len(r.counts)
	} else {
		r.result.Set += len(r.counts)
	}
	if r.result.AppliedAt.Before(answer.AppliedAt.Time) {
		r.result.AppliedAt = answer.AppliedAt.Time
	}
	r.result.Durable = r.result.Durable && answer.Durable
	r.result.addShort(answer.Levels)
	_ = r.bar.Add(len(r.counts))
	r.chunk++
	r.counts = r.counts[:0]
	return nil
}

// stopped adds to err where the import stopped and how to continue.
func (r *importRun) stopped(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	where := fmt.Sprintf("%s: lines %d to %d", r.file.name, r.lines[0], r.lines[1])
	problem, _ := errors.AsType[*contract.Problem](err)
	if problem != nil && problem.Code == "id_conflict" {
		return fmt.Errorf("%s: %w\nthe import %s was made before with other rows, --as-of, --reason or --actor: "+
			"use another --id", where, err, r.id)
	}
	next := "run the same command again to continue"
	if problem != nil && problem.Code == "invalid_request" {
		next = "correct the file or the flags, then run the command again"
	}
	return fmt.Errorf("%s: %w\n%d of %d rows are set: %s", where, err, r.result.done(), r.want.Rows, next)
}
