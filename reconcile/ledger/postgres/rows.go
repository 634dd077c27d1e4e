package postgres

import (
	"context"
	"database/sql/driver"
	"encoding/binary"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// rowTypes are the row types of which a batch sends arrays: one parameter for each table. With an
// array for each column, Postgres would have to take apart and zip together as many arrays as the
// table has columns.
var rowTypes = []string{"level_step", "reservations", "reservation_step", "reservation_lines", "movements"}

// rowArray builds an array of rows of one type in Postgres's binary format. A row has all columns
// of its type, in order; Postgres refuses a row with more, fewer or other ones. It appends to one
// buffer. Batches are on the hot path, and pgx's composite codec would box each field of each row
// in an any, and look up how to encode it.
type rowArray struct {
	columns int
	count   int
	body    []byte
}

func newRowArray(columns, most int) *rowArray {
	return &rowArray{columns: columns, body: make([]byte, 0, most*columns*20)}
}

// add adds a row; f adds its columns.
func (r *rowArray) add(f func()) {
	r.count++
	r.sized(func() {
		r.body = binary.BigEndian.AppendUint32(r.body, uint32(r.columns)) //nolint:gosec // few
		f()
	})
}

// sized adds what f adds, with its size in front.
func (r *rowArray) sized(f func()) {
	at := len(r.body)
	r.body = append(r.body, 0, 0, 0, 0)
	f()
	binary.BigEndian.PutUint32(r.body[at:], uint32(len(r.body)-at-4)) //nolint:gosec // Postgres takes less than 1 GB
}

func (r *rowArray) head(oid, size uint32) {
	r.body = binary.BigEndian.AppendUint32(r.body, oid)
	r.body = binary.BigEndian.AppendUint32(r.body, size)
}

func (r *rowArray) null(oid uint32) { r.head(oid, 1<<32-1) }

func (r *rowArray) text(values ...string) {
	for _, v := range values {
		r.head(pgtype.TextOID, uint32(len(v))) //nolint:gosec // as above
		r.body = append(r.body, v...)
	}
}

// textOrNull adds null for "".
func (r *rowArray) textOrNull(v string) {
	if v == "" {
		r.null(pgtype.TextOID)
		return
	}
	r.text(v)
}

func (r *rowArray) integer(v int32) {
	r.head(pgtype.Int4OID, 4)
	r.body = binary.BigEndian.AppendUint32(r.body, uint32(v)) //nolint:gosec // as bits
}

func (r *rowArray) bigint(values ...int64) {
	for _, v := range values {
		r.head(pgtype.Int8OID, 8)
		r.body = binary.BigEndian.AppendUint64(r.body, uint64(v)) //nolint:gosec // as bits
	}
}

func (r *rowArray) boolean(v bool) {
	bit := byte(0)
	if v {
		bit = 1
	}
	r.head(pgtype.BoolOID, 1)
	r.body = append(r.body, bit)
}

// moment adds a time, Unix ms. Postgres counts microseconds since 2000.
func (r *rowArray) moment(ms int64) {
	r.head(pgtype.TimestamptzOID, 8)
	r.body = binary.BigEndian.AppendUint64(r.body, uint64((ms-946_684_800_000)*1000)) //nolint:gosec // as bits
}

// momentOrNull adds null for 0.
func (r *rowArray) momentOrNull(ms int64) {
	if ms == 0 {
		r.null(pgtype.TimestamptzOID)
		return
	}
	r.moment(ms)
}

// json and jsonb add null for nil.
func (r *rowArray) json(raw []byte) { r.document(pgtype.JSONOID, "", raw) }

func (r *rowArray) jsonb(raw []byte) { r.document(pgtype.JSONBOID, "\x01", raw) }

func (r *rowArray) document(oid uint32, version string, raw []byte) {
	if raw == nil {
		r.null(oid)
		return
	}
	r.head(oid, uint32(len(version)+len(raw))) //nolint:gosec // as above
	r.body = append(append(r.body, version...), raw...)
}

// texts and bigints add an array of n elements.
func (r *rowArray) texts(n int, at func(int) string) {
	r.array(pgtype.TextArrayOID, pgtype.TextOID, n, func(i int) {
		v := at(i)
		r.body = binary.BigEndian.AppendUint32(r.body, uint32(len(v))) //nolint:gosec // as above
		r.body = append(r.body, v...)
	})
}

func (r *rowArray) bigints(n int, at func(int) int64) {
	r.array(pgtype.Int8ArrayOID, pgtype.Int8OID, n, func(i int) {
		r.body = binary.BigEndian.AppendUint32(r.body, 8)
		r.body = binary.BigEndian.AppendUint64(r.body, uint64(at(i))) //nolint:gosec // as bits
	})
}

func (r *rowArray) array(oid, element uint32, n int, add func(int)) {
	r.body = binary.BigEndian.AppendUint32(r.body, oid)
	r.sized(func() {
		r.body = appendArrayHead(r.body, element, n)
		for i := range n {
			add(i)
		}
	})
}

// appendArrayHead appends the header of an array of n elements, none of them null.
func appendArrayHead(to []byte, element uint32, n int) []byte {
	head := []uint32{1, 0, element, uint32(n), 1} //nolint:gosec // at most a batch
	if n == 0 {
		head = []uint32{0, 0, element}
	}
	for _, v := range head {
		to = binary.BigEndian.AppendUint32(to, v)
	}
	return to
}

// rowArrayCodec encodes a rowArray for pgx. element is the OID of the row type in this database.
type rowArrayCodec struct{ element uint32 }

// registerRowTypes registers the codec on a connection, for the array type of each row type.
func registerRowTypes(ctx context.Context, conn *pgx.Conn) error {
	const query = `select oid, typarray, typname from pg_type where oid = any($1::text[]::regtype[])`
	found, _ := conn.Query(ctx, query, rowTypes) // its error is that of the rows
	var oid, array uint32
	var name string
	_, err := pgx.ForEachRow(found, []any{&oid, &array, &name}, func() error {
		conn.TypeMap().RegisterType(&pgtype.Type{Name: "_" + name, OID: array, Codec: rowArrayCodec{oid}})
		return nil
	})
	return err
}

// Encode appends rows to a message.
func (c rowArrayCodec) Encode(value any, to []byte) ([]byte, error) {
	r, ok := value.(*rowArray)
	if !ok {
		return nil, errors.New("postgres: an array of rows takes a *rowArray")
	}
	return append(appendArrayHead(to, c.element, r.count), r.body...), nil
}

// PlanEncode returns c itself.
func (c rowArrayCodec) PlanEncode(*pgtype.Map, uint32, int16, any) pgtype.EncodePlan { return c }

// FormatSupported reports whether format is the binary one.
func (rowArrayCodec) FormatSupported(format int16) bool { return format == pgtype.BinaryFormatCode }

// PreferredFormat returns the binary format.
func (rowArrayCodec) PreferredFormat() int16 { return pgtype.BinaryFormatCode }

// PlanScan returns nil: arrays of rows are only written.
func (rowArrayCodec) PlanScan(*pgtype.Map, uint32, int16, any) pgtype.ScanPlan { return nil }

var errNotRead = errors.New("postgres: arrays of rows are only written, never read")

// DecodeDatabaseSQLValue fails.
func (rowArrayCodec) DecodeDatabaseSQLValue(*pgtype.Map, uint32, int16, []byte) (driver.Value, error) {
	return nil, errNotRead
}

// DecodeValue fails.
func (rowArrayCodec) DecodeValue(*pgtype.Map, uint32, int16, []byte) (any, error) {
	return nil, errNotRead
}
