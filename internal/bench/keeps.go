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
		return t.postgresKeeps("sale")
	}
	return t.redisKeeps("hold")
}

// keepsRow is for what is committed in Postgres before it is answered.
func keepsRow(what string) func(*scene, *trust) string {
	return func(_ *scene, t *trust) string { return t.postgresKeeps(what) }
}

func keepsNothing(*scene, *trust) string { return "nothing (it only answers)" }
