-- transfer moves units of a SKU from one location to another, in one step: on hand and available go down
-- at the one and up at the other. What is held or committed there, or kept as safety stock, stays.
--
-- Input
--   KEYS[1]  stock         hash    level -> available, units; epoch, gate, locations, expire_until
--   KEYS[2]  levels        hash    level -> on hand, committed, safety stock, backorder limit;
--                                  locations, the list of all
--   KEYS[3]  reservations  hash    id -> record
--   KEYS[4]  operations    hash    id -> fingerprint, time, nonce
--   KEYS[5]  deadlines     zset    deadline, Unix ms -> ids
--   KEYS[6]  limits        hash    limit, customer -> units
--   KEYS[7]  events        stream
--   ARGV[1]  now_ms        Unix ms, or "" for the Redis clock
--   ARGV[2]  nonce         of the caller, kept with the entry
--   ARGV[3]  n             requests
--   ARGV[4]  quantity_max  the largest on hand
--   ARGV[5]  locations_max the most locations
--   ARGV[6]  the n ids, then for each request: fingerprint, reason, actor, level from, level to, units
-- Output: "ok", now_ms, version of the locations, then status and payload for each request; or the
-- one word "fenced", "loading", "stopped" (gate), "refused" (the stream did not take the entry)
--   {"conflict", ""}             the id was used for another operation
--   {"repeat", at_ms birth level level}  the same operation: when it was applied, the nonce of the entry
--                                that made it, and the two levels as they are
--   {"corrupt", level}           a stored value is not a whole number
--   {"no_level", ""}             there is no level to take from
--   {"more_due", ""}             short, but more overdue units may be given back: send it again
--   {"insufficient", units}      fewer are available there, or on hand
--   {"exceeds", on_hand}         on hand at the other would exceed its limit
--   {"too_many_locations", ""}   the other location would be one too many
--   {"done", at_ms birth level level}  moved; each level: on hand, committed, safety stock, backorder
--                                limit, available, "1" if it was made

--@ records limits tags plain expiry counts operations

-- bind
local stock_key, levels_key, reservations_key, operations_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local deadlines_key, limits_key, events_key = KEYS[5], KEYS[6], KEYS[7]
local args = ARGV
local now, nonce, n = clock(args[1]), args[2], tonumber(args[3])
local quantity_max, locations_max = tonumber(args[4]), tonumber(args[5])
local first_id, cursor = 6, 6 + n

-- read
local names = {}
for i = 1, n do
  names[2 * i - 1], names[2 * i] = args[cursor + 6 * i - 3], args[cursor + 6 * i - 2]
end
local closed, locations = read_stock(stock_key, names, 1, #names)
if closed and closed ~= 'backlog' then return { closed } end
fields(operations_key, args, first_id, first_id + n - 1, take_operation)
fields(levels_key, names, 1, #names, take_counts)
read_places(levels_key)

-- decide
local reclaimed, more_due = false, false

-- movable is the units that a level can give away: what is there and available. What may be sold beyond what is
-- there can't be moved, nor be left in place of what is held.
local function movable(level)
  local c = counts[level]
  return math.max(0, math.min(available[level] - c[4], c[1]))
end

-- add adds to a level's on hand, and returns the change as an event has it.
local function add(level, units)
  local c = counts[level] or { 0, 0, 0, 0 }
  return set_level(level, c[1] + units, c[3], c[4])
end

local function decide(id, fingerprint, reason, actor, from, to, text)
  local units, before = tonumber(text), known(id, fingerprint)
  if before and not before.same then return 'conflict', '' end
  if is_broken(from) then return 'corrupt', from end
  if is_broken(to) then return 'corrupt', to end
  if before then
    return 'repeat', table.concat({ before.made, level_text(from, false), level_text(to, false) }, RS)
  end
  if not counts[from] then return 'no_level', '' end
  if movable(from) < units and not reclaimed then
    local _
    reclaimed = true
    _, _, more_due = reclaim(stock_key, reservations_key, deadlines_key, limits_key, now)
  end
  if movable(from) < units and more_due then return 'more_due', '' end
  if movable(from) < units then return 'insufficient', int(movable(from)) end
  local there, made = counts[to] and counts[to][1] or 0, not counts[to]
  if there + units > quantity_max then return 'exceeds', int(there) end
  if made and not is_place[place_of(to)] and places >= locations_max then return 'too_many_locations', '' end
  if made then add_place(place_of(to)) end
  local head = 'transfer' .. US .. id .. US .. fingerprint .. US .. reason .. US .. actor
  events[#events + 1] = table.concat({ head, add(from, -units), add(to, units) }, RS)
  operate(id, fingerprint, now, nonce)
  return 'done', table.concat({ int(now) .. US .. nonce, level_text(from, false), level_text(to, made) }, RS)
end

local reply = { 'ok', int(now), locations }
for i = 1, n do
  reply[#reply + 1], reply[#reply + 2] = decide(args[first_id + i - 1], unpack(args, cursor, cursor + 5))
  cursor = cursor + 6
end

-- write
if #events > 0 then
  if not append(events_key, nonce, now) then return { 'refused' } end
  local stock_list, levels_list
  stock_list, levels_list, reply[3] = placed(locations)
  write_stock(stock_key, stock_list)
  write_counts(levels_key, levels_list)
  write_records(reservations_key, {})
  write_limits(limits_key)
  write_operations(operations_key)
end
if #due > 0 then write_deadlines(deadlines_key) end

-- return
return reply
