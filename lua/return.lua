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
--   {"over_limit", level on_hand}  on hand would exceed its limit
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

--@ shipped
local list = {}
n = read_shipped(stock_key, levels_key, operations_key, function(r, to, names)
  list[#list + 1] = r
  for _, line in ipairs(r.lines) do add_once(names, line.sku .. US .. to) end
end)
read_limits(limits_key, list)

-- decide
-- is_shipped reports whether units of a reservation can have left.
local function is_shipped(r)
  if r.state == 'confirmed' or r.state == 'fulfilled' then return true end
  for _, line in ipairs(r.state == 'released' and r.lines or {}) do
    if units_fulfilled(line) > 0 then return true end
  end
  return false
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

-- add_units adds units to levels. It returns them as the event has them: for each, led by FS, SKU,
-- on hand before and after, and available.
local function add_units(list, units, to)
  local texts = {}
  for i, level in ipairs(list) do
    local c = counts[level] or { 0, 0, 0, 0 }
    if not counts[level] then add_location(to) end
    set_level(level, c[1] + units[level], c[3], c[4])
    local sku = string.sub(level, 1, string.find(level, US, 1, true) - 1)
    texts[i] = FS .. sku .. FS .. int(c[1]) .. FS .. int(counts[level][1]) .. FS .. int(available[level])
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
  local refusal, payload, parts = read_back(r, at + 8, tonumber(count))
  if refusal then return refusal, payload end
  local list, units = sum(r, parts, to)
  refusal, payload = obstacle(list, units)
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
