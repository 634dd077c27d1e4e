-- transfer moves units of a SKU from one location to another in one step: on hand and available go
-- down at the one and up at the other. Held and committed units and safety stock stay.
--
-- Input
--   KEYS[1]  stock         hash    level -> available, units; epoch, gate, locations, expire_until
--   KEYS[2]  levels        hash    level -> on hand, committed, safety stock, backorder limit;
--                                  locations, the list of all
--   KEYS[3]  reservations  hash    id -> record
--   KEYS[4]  operations    hash    id -> fingerprint, time, nonce
--   KEYS[5]  deadlines     zset    deadline, Unix ms -> ids
--   KEYS[6]  limits        hash    limit, identity -> units
--   KEYS[7]  events        stream
--   ARGV[1]  now_ms        Unix ms, or "" for the Redis clock
--   ARGV[2]  nonce         of the caller, kept with the entry
--   ARGV[3]  n             requests
--   ARGV[4]  quantity_max  the largest on hand
--   ARGV[5]  locations_max the most locations
--   ARGV[6]  the n ids, then for each request: fingerprint, reason, actor, from, to (levels), units
-- Output: {"fenced"}, {"loading"}, {"stopped"} (gate), {"refused"} (XADD failed), or
-- {"ok", now_ms, version of the location list, status, payload, …}: per request, the first of
--   {"conflict", ""}             the id was used for another operation
--   {"corrupt", level}           a stored value is not a whole number
--   {"repeat", at_ms nonce level level}  the same operation was made before: its time, the nonce
--                                of its entry, and the two levels as they are
--   {"no_level", ""}             there is no level to take from
--   {"more_due", ""}             short, but more overdue units can be reclaimed: send it again
--   {"insufficient", units}      fewer are available there, or on hand
--   {"exceeds", on_hand}         on hand at the other would exceed its limit
--   {"too_many_locations", ""}   the other location would be one too many
--   {"done", at_ms nonce level level}  moved; each level: on hand, committed, safety stock,
--                                backorder limit, available, "1" if it was made

--@ records limits attributes plain expiry counts levels operations

-- bind
local stock_key, levels_key, reservations_key, operations_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local deadlines_key, limits_key, events_key = KEYS[5], KEYS[6], KEYS[7]
local args = ARGV
local now, nonce, n = clock(args[1]), args[2], tonumber(args[3])
local quantity_max, locations_max = tonumber(args[4]), tonumber(args[5])
local first_id, first_request = 6, 6 + n

-- read
local names = {}
for i = 1, n do
  names[2 * i - 1], names[2 * i] = args[first_request + 6 * i - 3], args[first_request + 6 * i - 2]
end
local closed, locations_version = read_stock(stock_key, names, 1, #names)
if closed then return { closed } end
read_fields(operations_key, args, first_id, first_id + n - 1, load_operation)
read_fields(levels_key, names, 1, #names, load_counts)
read_locations(levels_key)

-- decide
-- movable returns the units that a level can give away: those on hand that are available. Units
-- that only the backorder limit makes available can't move.
local function movable(level)
  local c = counts[level]
  return math.max(0, math.min(available[level] - c[4], c[1]))
end

-- add_on_hand adds to a level's on hand, and returns the change as an event has it.
local function add_on_hand(level, units)
  local c = counts[level] or { 0, 0, 0, 0 }
  return change_level(level, c[1] + units, c[3], c[4])
end

local function transfer(id, _, fingerprint, reason, actor, from, to, text)
  local units, before = tonumber(text), find_operation(id, fingerprint)
  if before and not before.same then return 'conflict', '' end
  if is_broken(from) then return 'corrupt', from end
  if is_broken(to) then return 'corrupt', to end
  if before then
    return 'repeat', table.concat({ before.made, level_text(from, false), level_text(to, false) }, RS)
  end
  if not counts[from] then return 'no_level', '' end
  if movable(from) < units and not reclaimed then
    reclaim(stock_key, reservations_key, deadlines_key, limits_key, now)
  end
  if movable(from) < units and more_due then return 'more_due', '' end
  if movable(from) < units then return 'insufficient', int(movable(from)) end
  local there, made = counts[to] and counts[to][1] or 0, not counts[to]
  if there + units > quantity_max then return 'exceeds', int(there) end
  local location = level_location(to)
  if made and not is_location[location] and #locations >= locations_max then return 'too_many_locations', '' end
  if made then add_location(location) end
  local head = 'transfer' .. US .. id .. US .. fingerprint .. US .. reason .. US .. actor
  events[#events + 1] = table.concat({ head, add_on_hand(from, -units), add_on_hand(to, units) }, RS)
  set_operation(id, fingerprint, now, nonce)
  return 'done', table.concat({ int(now) .. US .. nonce, level_text(from, false), level_text(to, made) }, RS)
end

--@ requests
local reply = answer_each(transfer, 6)

-- write
if #events > 0 then
  if not append(events_key, nonce, now) then return { 'refused' } end
  reply[3] = write_levels(stock_key, levels_key, locations_version, {})
  write_records(reservations_key, {})
  write_limits(limits_key)
  write_operations(operations_key)
end
if #due > 0 then write_deadlines(deadlines_key) end

-- return
return reply
