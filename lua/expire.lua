-- expire expires reservations whose deadline has passed, the oldest first, a bounded number per
-- call.
--
-- Input
--   KEYS[1]  stock         hash    level -> available, units; epoch, gate, locations
--   KEYS[2]  reservations  hash    id -> record
--   KEYS[3]  deadlines     zset    deadline, Unix ms -> ids
--   KEYS[4]  limits        hash    limit, identity -> units
--   KEYS[5]  events        stream
--   ARGV[1]  now_ms        Unix ms, or "" for the Redis clock
--   ARGV[2]  nonce         of the caller, kept with the entry
-- Output: {"fenced"}, {"loading"}, {"stopped"} (gate), {"refused"} (XADD failed), or
--   {"ok", now_ms, version of the location list, expired, skipped, more}  how many expired; how
--                                many could not: their levels are missing or broken; "1" if more
--                                are due

--@ records limits attributes plain expiry

-- bind
local stock_key, reservations_key, deadlines_key = KEYS[1], KEYS[2], KEYS[3]
local limits_key, events_key = KEYS[4], KEYS[5]
local now, nonce = clock(ARGV[1]), ARGV[2]

-- read
local closed, locations_version = read_stock(stock_key)
if closed then return { closed } end

-- decide
local expired, skipped = reclaim(stock_key, reservations_key, deadlines_key, limits_key, now)

-- write
if #events > 0 then
  if not append(events_key, nonce, now) then return { 'refused' } end
  write_stock(stock_key, {})
  write_records(reservations_key, {})
  write_limits(limits_key)
end
write_deadlines(deadlines_key)

-- return
return { 'ok', int(now), locations_version, int(expired), int(skipped), more_due and '1' or '0' }
