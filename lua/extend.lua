-- extend moves the deadline of a held reservation to now + ttl.
--
-- Input
--   KEYS[1]  stock         hash    epoch, gate, locations
--   KEYS[2]  reservations  hash    id -> record
--   KEYS[3]  deadlines     zset    deadline, Unix ms -> ids
--   KEYS[4]  events        stream
--   ARGV[1]  now_ms        Unix ms, or "" for the Redis clock
--   ARGV[2]  nonce         of the caller, kept with the entry
--   ARGV[3]  n             requests
--   ARGV[4]  the n ids, then for each request: version or "", transition, ttl_ms
-- Output: {"fenced"}, {"loading"}, {"stopped"} (gate), {"refused"} (XADD failed), or
-- {"ok", now_ms, version of the location list, status, payload, …}: per request, the first of
--   {"not_found", ""}            there is no such reservation
--   {"corrupt", id}              the stored record can't be read
--   {"conflict", ""}             the ledger has another reservation under this id
--   {"repeat", record}           this call, with its version, was the last: nothing changed
--   {"wrong_state", record}      it is not held, or overdue
--   {"version_conflict", record}  it has another version
--   {"done", record}             extended

--@ records transitions

-- bind
local stock_key, reservations_key, deadlines_key, events_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local args = ARGV
local now, nonce, n = clock(args[1]), args[2], tonumber(args[3])
local first_id, first_request = 4, 4 + n

-- read
local closed, locations_version = read_stock(stock_key)
if closed then return { closed } end
n = read_reservations(reservations_key, args, first_id, n)

-- decide
local function extend(id, r, _, version, transition, ttl)
  if version ~= '' and r.transition == transition then return 'repeat', records[id] end
  if r.state ~= 'held' or r.expires <= now then return 'wrong_state', records[id] end
  if version ~= '' and version ~= int(r.version) then return 'version_conflict', records[id] end
  r.expires = now + tonumber(ttl)
  add_deadline(r.expires, id)
  return 'done', step('extend', id, r, 'held', transition)
end

--@ requests
local reply = answer_each(of_reservation(extend), 3)

-- write
if #events > 0 then
  if not append(events_key, nonce, now) then return { 'refused' } end
  write_records(reservations_key, {})
  write_deadlines(deadlines_key)
end

-- return
return reply
