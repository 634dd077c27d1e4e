package bench

// keepsCount is for what counts units and writes no record.
func keepsCount(_ *scene, t *trust) string { return t.redisKeeps("count") }

// keepsRecord is for a record that only Redis has.
func keepsRecord(s *scene, t *trust) string {
	if s.confirms {
		return t.redisKeeps("sale")
	}
	return t.redisKeeps("hold")
}

// keepsHoldfast is for holds in Redis, and sales in the ledger.
func keepsHoldfast(s *scene, t *trust) string {
	if s.confirms {
		return "the sale (Postgres)"
	}
	return t.redisKeeps("hold")
}
