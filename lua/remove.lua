-- remove takes levels away of which nothing is held or committed. What is on hand there is written off.
--
-- Input
--   KEYS[1]  stock         hash    level -> available, units; epoch, gate, locations, expire_until
--   KEYS[2]  levels        hash    level -> on hand, committed, safety stock, backorder limit;
--                                  removed, entry of the last removal
--   KEYS[3]  reservations  hash    id -> record
--   KEYS[4]  operations    hash    id -> fingerprint, time, nonce
--   KEYS[5]  deadlines     zset    deadline, Unix ms -> ids
--   KEYS[6]  limits        hash    limit, customer -> units
--   KEYS[7]  events        stream
--   ARGV[1]  now_ms        Unix ms, or "" for the Redis clock
--   ARGV[2]  nonce         of the caller, kept with the entry
--   ARGV[3]  n             requests
--   ARGV[4]  the n ids, then for each request: fingerprint, reason, actor, level
-- Output: "ok", now_ms, version of the locations, then status and payload for each request; or the
-- one word "fenced", "loading", "stopped" (gate), "refused" (the stream did not take the entry)
--   {"conflict", ""}             the id was used for another operation
--   {"repeat", at_ms birth}      the same operation: when it was applied, and the nonce of the entry
--                                that made it
--   {"corrupt", level}           a stored value is missing or not a whole number, or more is available
--                                than there is
--   {"no_level", ""}             there is no such level
--   {"more_due", ""}             in use, but more overdue units may be given back: send it again
--   {"in_use", held committed}   units of it are held or committed
--   {"done", at_ms birth}        removed

--@ records limits tags plain expiry counts operations

-- bind
local stock_key, levels_key, reservations_key, operations_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local deadlines_key, limits_key, events_key = KEYS[5], KEYS[6], KEYS[7]
local args = ARGV
local now, nonce, n = clock(args[1]), args[2], tonumber(args[3])
local first_id, cursor = 4, 4 + n

-- read
local names = {}
for i = 1, n do names[i] = args[cursor + 4 * i - 1] end
local closed, locations = read_stock(stock_key, names, 1, n)
if closed and closed ~= 'backlog' then return { closed } end
fields(operations_key, args, first_id, first_id + n - 1, take_operation)
fields(levels_key, names, 1, n, take_counts)

-- decide
local gone, is_gone = {}, {}
local reclaimed, more_due = false, false

-- users is what is held and committed of a level, as an answer has it, or nil where nothing is.
local function users(level)
  local units, committed = held(level), counts[level][2]
  if units == 0 and committed == 0 then return nil end
  return int(units) .. US .. int(committed)
end

local function decide(id, fingerprint, reason, actor, level)
  local before = known(id, fingerprint)
  if before and not before.same then return 'conflict', '' end
  if before then return 'repeat', before.made end
  if is_broken(level) then return 'corrupt', level end
  if is_gone[level] or not counts[level] then return 'no_level', '' end
  local busy = users(level)
  if busy and not reclaimed then
    local _
    reclaimed = true
    _, _, more_due = reclaim(stock_key, reservations_key, deadlines_key, limits_key, now)
    busy = users(level)
  end
  if busy and more_due then return 'more_due', '' end
  if held(level) < 0 or counts[level][2] < 0 then return 'corrupt', level end
  if busy then return 'in_use', busy end
  local head = 'remove' .. US .. id .. US .. fingerprint .. US .. reason .. US .. actor
  events[#events + 1] = head .. RS .. set_level(level, 0, 0, 0)
  is_gone[level], gone[#gone + 1] = true, level
  operate(id, fingerprint, now, nonce)
  return 'done', int(now) .. US .. nonce
end

local reply = { 'ok', int(now), locations }
for i = 1, n do
  reply[#reply + 1], reply[#reply + 2] = decide(args[first_id + i - 1], unpack(args, cursor, cursor + 3))
  cursor = cursor + 4
end

-- write
if #events > 0 then
  local entry = append(events_key, nonce, now)
  if not entry then return { 'refused' } end
  write_stock(stock_key, {})
  write_counts(levels_key, {})
  write_records(reservations_key, {})
  write_limits(limits_key)
  write_operations(operations_key)
  if #gone > 0 then
    redis.call('HDEL', stock_key, unpack(gone))
    redis.call('HDEL', levels_key, unpack(gone))
    redis.call('HSET', levels_key, 'removed', entry)
  end
end
if #due > 0 then write_deadlines(deadlines_key) end

-- return
return reply
