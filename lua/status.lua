-- status lists every status word that a script answers. It is not put into scripts: as locals in
-- front of each script these words cost a reserve of one request 4 % more Redis CPU. The scripts
-- use them as literals, and a test refuses any other word. internal/wire/status.go names the same
-- words for Go in the same order, and a test compares the two. The header of a script says what its
-- words mean and which comes first.
return {
  -- of a call: the gate, the stream, and the form of the reply
  'fenced', 'loading', 'stopped', 'backlog', 'refused', 'ok',
  -- of a request: repeats and refusals
  'conflict', 'replay', 'repeat', 'repeat_durable', 'gone', 'void', 'not_found', 'corrupt', 'wrong_state',
  'version_conflict', 'unsettled', 'unknown_line', 'exceeds', 'over_limit', 'elsewhere', 'not_on_sale', 'no_location',
  'no_level', 'no_identity', 'barred', 'behind', 'too_many_locations', 'more_due', 'purchase_limit', 'in_use', 'insufficient',
  'too_many_parts',
  -- of a request: success
  'held', 'done', 'done_durable',
}
