-- return takes units that had left back into stock at a location. They are on hand and available
-- there. The reservation keeps its state; its lines say what came back.
--
-- Input
--   KEYS[1]  stock         hash    level -> available, units; epoch, gate, locations
--   KEYS[2]  levels        hash    level -> on hand, committed, safety stock, backorder limit;
--                                  locations, the list of all
--   KEYS[3]  reservations  hash    id -> record
--   KEYS[4]  operations    hash    id -> fingerprint, time, nonce
--   KEYS[5]  limits        hash    limit, identity -> units
--   KEYS[6]  events        stream
--   ARGV[1]  now_ms        Unix ms, or "" for the Redis clock
--   ARGV[2]  nonce         of the caller, kept with the entry
--   ARGV[3]  n             requests
--   ARGV[4]  quantity_max  the largest on hand
--   ARGV[5]  locations_max the most locations
--   ARGV[6]  the n ids, then for each request: version or "", transition, settled (the ledger's
--            version, or "*" without a ledger), id of the operation, fingerprint, location, the
--            ledger's record if Redis has forgotten it or "", parts, then for each part: line,
--            quantity
-- Output: {"fenced"}, {"loading"}, {"stopped"} (gate), {"refused"} (XADD failed), or
-- {"ok", now_ms, version of the location list, status, payload, …}: per request, the first of
--   {"not_found", ""}            there is no such reservation
--   {"corrupt", level}           a stored value is not a whole number
--   {"conflict", ""}             the ledger has another reservation under this id, or the
--                                operation's id was used for another one
--   {"repeat", record}           the same operation was made before: nothing changed
--   {"wrong_state", record}      no units of it can have left
--   {"version_conflict", record}  it has another version
--   {"unsettled", record}        the ledger has not decided that version yet
--   {"unknown_line", part}       number of the part that names no line of the reservation
--   {"exceeds", part units}      number of the part that asks for more units than are out
--   {"over_limit", sku on_hand}  on hand would exceed its limit
--   {"too_many_locations", ""}   the location would be one too many
--   {"done", record}             taken back

--@ records limits attributes counts transitions partial levels operations

-- bind
local stock_key, levels_key, reservations_key = KEYS[1], KEYS[2], KEYS[3]
local operations_key, limits_key, events_key = KEYS[4], KEYS[5], KEYS[6]
local args = ARGV
local now, nonce, n = clock(args[1]), args[2], tonumber(args[3])
local quantity_max, locations_max = tonumber(args[4]), tonumber(args[5])
local first_id, first_request = 6, 6 + n

-- read
local closed, locations_version = read_stock(stock_key)
if closed then return { closed } end
n = read_reservations(reservations_key, args, first_id, n)
read_locations(levels_key)
local ids, names, list, at = {}, {}, {}, first_request
for i = 1, n do
  local id, to = args[first_id + i - 1], args[at + 5]
  ids[i] = args[at + 3]
  if not records[id] and args[at + 6] ~= '' then records[id] = args[at + 6] end
  local r = reservation(id)
  list[#list + 1] = r
  for _, line in ipairs(r and r.lines or {}) do add_once(names, line.sku .. US .. to) end
  at = at + 8 + 2 * args[at + 7]
  if parts_decoded >= PARTS_PER_CALL then
    n = i
    break
  end
end
read_fields(operations_key, ids, 1, n, load_operation)
read_fields(stock_key, names, 1, #names, load_available)
read_fields(levels_key, names, 1, #names, load_counts)
read_limits(limits_key, list)

-- decide
-- units_fulfilled returns the units of a line that have left.
local function units_fulfilled(line)
  local units = 0
  for _, a in ipairs(line.from) do units = units + a.fulfilled end
  return units
end

-- is_shipped reports whether units of a reservation can have left.
local function is_shipped(r)
  if r.state == 'confirmed' or r.state == 'fulfilled' then return true end
  for _, line in ipairs(r.state == 'released' and r.lines or {}) do
    if units_fulfilled(line) > 0 then return true end
  end
  return false
end

-- units_out returns the units that left and did not come back. The lines are those of one kit, or a
-- single one.
local function units_out(r, numbers)
  local most = nil
  for _, number in ipairs(numbers) do
    local line = r.lines[number]
    local units = math.floor((units_fulfilled(line) - whole(line.returned)) / attributes(line).each)
    most = math.min(most or units, units)
  end
  return most
end

-- read_returned returns a refusal and its payload, or nil, nil and line number -> units.
local function read_returned(r, at, count)
  local parts, named = {}, lines_by_name(r)
  for i = 1, count do
    local numbers, units = named[args[at + 2 * i - 2]], tonumber(args[at + 2 * i - 1])
    if not numbers then return 'unknown_line', int(i) end
    local most = units_out(r, numbers)
    if units > most then return 'exceeds', int(i) .. US .. int(most) end
    for _, number in ipairs(numbers) do parts[number] = units * attributes(r.lines[number]).each end
  end
  return nil, nil, parts
end

-- sum lists the levels that get units, and their units.
local function sum(r, parts, to)
  local list, units = {}, {}
  for i, line in ipairs(r.lines) do
    local level = line.sku .. US .. to
    if parts[i] and not units[level] then list[#list + 1] = level end
    if parts[i] then units[level] = (units[level] or 0) + parts[i] end
  end
  return list, units
end

-- obstacle returns why levels can't get units, a refusal and its payload, or nil.
local function obstacle(list, units, to)
  for _, level in ipairs(list) do
    if is_broken(level) then return 'corrupt', level end
    local there = counts[level] and counts[level][1] or 0
    if there + units[level] > quantity_max then return 'over_limit', split(level, US)[1] .. US .. int(there) end
    if not counts[level] and not is_location[to] and #locations >= locations_max then return 'too_many_locations', '' end
  end
  return nil
end

-- add_units adds units to levels. It returns them as the event has them: for each, led by FS, SKU,
-- on hand before and after, and available.
local function add_units(list, units, to)
  local texts = {}
  for i, level in ipairs(list) do
    local c = counts[level] or { 0, 0, 0, 0 }
    if not counts[level] then add_location(to) end
    set_level(level, c[1] + units[level], c[3], c[4])
    local after = { split(level, US)[1], int(c[1]), int(counts[level][1]), int(available[level]) }
    texts[i] = FS .. table.concat(after, FS)
  end
  return table.concat(texts)
end

-- take_back decides a request: "return" is a keyword of Lua.
local function take_back(id, r, at, version, transition, settled, operation, fingerprint, to, _, count)
  local before = find_operation(operation, fingerprint)
  if before and not before.same then return 'conflict', '' end
  if before then return 'repeat', records[id] end
  if not is_shipped(r) then return 'wrong_state', records[id] end
  if version ~= '' and version ~= int(r.version) then return 'version_conflict', records[id] end
  if settled ~= '*' and settled ~= int(r.version) then return 'unsettled', records[id] end
  local refusal, payload, parts = read_returned(r, at + 8, tonumber(count))
  if refusal then return refusal, payload end
  local list, units = sum(r, parts, to)
  refusal, payload = obstacle(list, units, to)
  if refusal then return refusal, payload end
  for number, back in pairs(parts) do
    local line = r.lines[number]
    line.returned = int(whole(line.returned) + back)
  end
  r.body = nil
  each_limit(r, parts, function(name, back) add_to_limit(name, -back) end, true)
  if r.state == 'released' then transition = transition .. SALE end
  local extra = operation .. FS .. fingerprint .. FS .. to .. add_units(list, units, to)
  set_operation(operation, fingerprint, now, nonce)
  return 'done', step('return', id, r, r.state, transition, extra)
end

--@ requests
local reply = answer_each(of_reservation(take_back), 8, 2)

-- write
if #events > 0 then
  if not append(events_key, nonce, now) then return { 'refused' } end
  reply[3] = write_levels(stock_key, levels_key, locations_version, {})
  write_records(reservations_key, {})
  write_operations(operations_key)
  write_limits(limits_key)
end

-- return
return reply
