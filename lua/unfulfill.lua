-- unfulfill takes units that had left back to their reservation. They are on hand and committed
-- again, so that available does not change and nobody else can take them in between.
--
-- Input
--   KEYS[1]  stock         hash    level -> available, units; epoch, gate, locations
--   KEYS[2]  levels        hash    level -> on hand, committed, safety stock, backorder limit;
--                                  locations, the list of all
--   KEYS[3]  reservations  hash    id -> record
--   KEYS[4]  operations    hash    id -> fingerprint, time, nonce
--   KEYS[5]  events        stream
--   ARGV[1]  now_ms        Unix ms, or "" for the Redis clock
--   ARGV[2]  nonce         of the caller, kept with the entry
--   ARGV[3]  n             requests
--   ARGV[4]  quantity_max  the largest on hand
--   ARGV[5]  locations_max the most locations
--   ARGV[6]  the n ids, then for each request: version or "", transition, settled (the ledger's
--            version, or "*" without a ledger), id of the operation, fingerprint, location or "" for
--            those that the units left from, the ledger's record if Redis has forgotten it or "",
--            parts, then for each part: line, quantity
-- Output: {"fenced"}, {"loading"}, {"stopped"} (gate), {"refused"} (XADD failed), or
-- {"ok", now_ms, version of the location list, status, payload, …}: per request, the first of
--   {"not_found", ""}            there is no such reservation
--   {"corrupt", level}           a stored value is not a whole number
--   {"conflict", ""}             the ledger has another reservation under this id, or the
--                                operation's id was used for another one
--   {"repeat", record}           the same operation was made before: nothing changed
--   {"wrong_state", record}      it is neither confirmed nor fulfilled
--   {"version_conflict", record}  it has another version
--   {"unsettled", record}        the ledger has not decided that version yet
--   {"unknown_line", part}       number of the part that names no line of the reservation
--   {"exceeds", part units}      number of the part that asks for more units than are out
--   {"over_limit", level on_hand}  on hand would exceed its limit
--   {"too_many_locations", ""}   a location would be one too many
--   {"done", record}             taken back, and it is confirmed

--@ records limits attributes counts transitions partial levels operations

-- bind
local stock_key, levels_key, reservations_key, operations_key, events_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local args = ARGV
local now, nonce, n = clock(args[1]), args[2], tonumber(args[3])
local quantity_max, locations_max = tonumber(args[4]), tonumber(args[5])
local first_id, first_request = 6, 6 + n

-- read
local closed, locations_version = read_stock(stock_key)
if closed then return { closed } end
n = read_reservations(reservations_key, args, first_id, n)

--@ shipped
n = read_shipped(stock_key, levels_key, operations_key, function(r, to, names)
  add_levels(r, names)
  for _, line in ipairs(to ~= '' and r.lines or {}) do add_once(names, line.sku .. US .. to) end
end)

-- decide
-- arrivals lists the units that come back: number of the line, allocation, units, and the level that
-- gets them. Those of the last allocation come first. It also returns the levels and their units.
local function arrivals(r, parts, to)
  local list, levels, units = {}, {}, {}
  for number, line in ipairs(r.lines) do
    local rest = parts[number] or 0
    for i = #line.from, 1, -1 do
      local a = line.from[i]
      local part = math.min(rest, a.fulfilled)
      if part > 0 then
        local level = to ~= '' and line.sku .. US .. to or a.level
        list[#list + 1] = { number, a, part, level }
        add_once(levels, level)
        units[level] = (units[level] or 0) + part
        rest = rest - part
      end
    end
  end
  return list, levels, units
end

-- allocation_at returns a line's allocation at a location. It makes one if there is none.
local function allocation_at(line, location)
  for _, a in ipairs(line.from) do
    if a.location == location then return a end
  end
  local a = { location = location, level = line.sku .. US .. location, quantity = 0, fulfilled = 0 }
  line.from[#line.from + 1] = a
  return a
end

-- drop_empty drops the allocations of a line that have no units any more.
local function drop_empty(line)
  for i = #line.from, 1, -1 do
    if line.from[i].quantity == 0 then table.remove(line.from, i) end
  end
end

-- commit_again adds units to on hand and committed of a level. It makes the level if there is none.
local function commit_again(level, units)
  if not counts[level] then
    add_location(level_location(level))
    set_level(level, 0, 0, 0)
  end
  add_counts(level, units, units)
end

-- come_back takes the listed units back. It returns those that come back to another location, as the
-- event has them: for each, led by FS, SKU, the location that they left from, and units.
local function come_back(r, list)
  local carried = {}
  for _, entry in ipairs(list) do
    local line, a, part, level = r.lines[entry[1]], entry[2], entry[3], entry[4]
    a.fulfilled = a.fulfilled - part
    if level ~= a.level then
      a.quantity = a.quantity - part
      local there = allocation_at(line, level_location(level))
      there.quantity = there.quantity + part
      carried[#carried + 1] = FS .. line.sku .. FS .. a.location .. FS .. int(part)
    end
    commit_again(level, part)
  end
  for _, line in ipairs(r.lines) do drop_empty(line) end
  r.body = nil
  return table.concat(carried)
end

local function unfulfill(id, r, at, version, transition, settled, operation, fingerprint, to, _, count)
  local before = find_operation(operation, fingerprint)
  if before and not before.same then return 'conflict', '' end
  if before then return 'repeat', records[id] end
  if r.state ~= 'confirmed' and r.state ~= 'fulfilled' then return 'wrong_state', records[id] end
  if version ~= '' and version ~= int(r.version) then return 'version_conflict', records[id] end
  if settled ~= '*' and settled ~= int(r.version) then return 'unsettled', records[id] end
  local missing = missing_level(r, counts)
  if missing then return 'corrupt', missing end
  local refusal, payload, parts = read_back(r, at + 8, tonumber(count))
  if refusal then return refusal, payload end
  local list, levels, units = arrivals(r, parts, to)
  refusal, payload = obstacle(levels, units)
  if refusal then return refusal, payload end
  local carried = come_back(r, list)
  local extra = set_step_operation(operation, fingerprint, now, nonce) .. FS .. to .. carried
  return 'done', step('unfulfill', id, r, 'confirmed', transition, extra)
end

--@ requests
local reply = answer_each(of_reservation(unfulfill), 8, 2)

-- write
if #events > 0 then
  if not append(events_key, nonce, now) then return { 'refused' } end
  reply[3] = write_levels(stock_key, levels_key, locations_version, {})
  write_records(reservations_key, {})
  write_operations(operations_key)
end

-- return
return reply
