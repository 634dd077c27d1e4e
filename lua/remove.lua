-- remove removes levels of which nothing is held or committed, and writes off what is on hand.
--
-- Input
--   KEYS[1]  stock         hash    level -> available, units; epoch, gate, locations, expire_until
--   KEYS[2]  levels        hash    level -> on hand, committed, safety stock, backorder limit;
--                                  removed, entry of the last removal
--   KEYS[3]  reservations  hash    id -> record
--   KEYS[4]  operations    hash    id -> fingerprint, time, nonce
--   KEYS[5]  deadlines     zset    deadline, Unix ms -> ids
--   KEYS[6]  limits        hash    limit, identity -> units
--   KEYS[7]  events        stream
--   ARGV[1]  now_ms        Unix ms, or "" for the Redis clock
--   ARGV[2]  nonce         of the caller, kept with the entry
--   ARGV[3]  n             requests
--   ARGV[4]  the n ids, then for each request: fingerprint, reason, actor, level
-- Output: {"fenced"}, {"loading"}, {"stopped"} (gate), {"refused"} (XADD failed), or
-- {"ok", now_ms, version of the location list, status, payload, …}: per request, the first of
--   {"conflict", ""}             the id was used for another operation
--   {"repeat", at_ms nonce}      the same operation was made before: its time, and the nonce of its
--                                entry
--   {"corrupt", level}           a stored value is missing or not a whole number, or held or
--                                committed is below zero
--   {"no_level", ""}             there is no such level
--   {"more_due", ""}             in use, but more overdue units can be reclaimed: send it again
--   {"in_use", held committed}   units of it are held or committed
--   {"done", at_ms nonce}        removed

--@ records limits attributes plain expiry counts levels operations

-- bind
local stock_key, levels_key, reservations_key, operations_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local deadlines_key, limits_key, events_key = KEYS[5], KEYS[6], KEYS[7]
local args = ARGV
local now, nonce, n = clock(args[1]), args[2], tonumber(args[3])
local first_id, first_request = 4, 4 + n

-- read
local names = {}
for i = 1, n do names[i] = args[first_request + 4 * i - 1] end
local closed, locations_version = read_stock(stock_key, names, 1, n)
if closed then return { closed } end
read_fields(operations_key, args, first_id, first_id + n - 1, load_operation)
read_fields(levels_key, names, 1, n, load_counts)

-- decide
local removed, is_removed = {}, {}

-- held_units returns the held units of a level.
local function held_units(level)
  local c = counts[level]
  return c[1] - c[2] - c[3] + c[4] - available[level]
end

-- usage returns held and committed of a level as an answer has them, or nil if both are zero.
local function usage(level)
  local held, committed = held_units(level), counts[level][2]
  if held == 0 and committed == 0 then return nil end
  return int(held) .. US .. int(committed)
end

local function remove(id, _, fingerprint, reason, actor, level)
  local before = find_operation(id, fingerprint)
  if before and not before.same then return 'conflict', '' end
  if before then return 'repeat', before.made end
  if is_broken(level) then return 'corrupt', level end
  if is_removed[level] or not counts[level] then return 'no_level', '' end
  local used = usage(level)
  if used and not reclaimed then
    reclaim(stock_key, reservations_key, deadlines_key, limits_key, now)
    used = usage(level)
  end
  if used and more_due then return 'more_due', '' end
  if held_units(level) < 0 or counts[level][2] < 0 then return 'corrupt', level end
  if used then return 'in_use', used end
  local head = 'remove' .. US .. id .. US .. fingerprint .. US .. reason .. US .. actor
  events[#events + 1] = head .. RS .. change_level(level, 0, 0, 0)
  is_removed[level], removed[#removed + 1] = true, level
  set_operation(id, fingerprint, now, nonce)
  return 'done', int(now) .. US .. nonce
end

--@ requests
local reply = answer_each(remove, 4)

-- write
if #events > 0 then
  local entry = append(events_key, nonce, now)
  if not entry then return { 'refused' } end
  write_stock(stock_key, {})
  write_counts(levels_key, {})
  write_records(reservations_key, {})
  write_limits(limits_key)
  write_operations(operations_key)
  if #removed > 0 then
    redis.call('HDEL', stock_key, unpack(removed))
    redis.call('HDEL', levels_key, unpack(removed))
    redis.call('HSET', levels_key, 'removed', entry)
  end
end
if #due > 0 then write_deadlines(deadlines_key) end

-- return
return reply
