-- move moves what is left of a line to another location, in one step: units that one location gets
-- back, the other gives.
--
-- Input
--   KEYS[1]  stock         hash    level -> available, units; epoch, gate, locations
--   KEYS[2]  levels        hash    level -> on hand, committed, safety stock, backorder limit
--   KEYS[3]  reservations  hash    id -> record
--   KEYS[4]  operations    hash    id -> fingerprint, time, nonce
--   KEYS[5]  deadlines     zset    deadline, Unix ms -> ids
--   KEYS[6]  limits        hash    limit, identity -> units
--   KEYS[7]  events        stream
--   ARGV[1]  now_ms        Unix ms, or "" for the Redis clock
--   ARGV[2]  nonce         of the caller, kept with the entry
--   ARGV[3]  n             requests
--   ARGV[4]  the n ids, then for each request: version or "", transition, settled (the ledger's
--            version, or "*" without a ledger), id of the operation or "", its fingerprint, line,
--            location, "1" if the directory bars the location or ""
-- Output: {"fenced"}, {"loading"}, {"stopped"} (gate), {"refused"} (XADD failed), or
-- {"ok", now_ms, version of the location list, status, payload, …}: per request, the first of
--   {"not_found", ""}            there is no such reservation
--   {"corrupt", level}           a stored value is not a whole number
--   {"conflict", ""}             the ledger has another reservation under this id, or the
--                                operation's id was used for another one
--   {"repeat", record}           the same operation was made before; or, without an operation, this
--                                call was the last, or all units are there: nothing changed
--   {"repeat_durable", record}   as repeat, for a confirmed reservation
--   {"wrong_state", record}      it is neither confirmed, nor held before its deadline
--   {"version_conflict", record}  it has another version
--   {"unsettled", record}        it is confirmed, and the ledger has not decided that version yet
--   {"unknown_line", ""}         it has no such line
--   {"barred", ""}               the directory bars the location
--   {"no_level", ""}             the location has no level of the SKU, or of a kit's component
--   {"more_due", ""}             short, but more overdue units can be reclaimed: send it again
--   {"insufficient", sku units available}  the units to move and those available, or the kits
--   {"done", record}             moved
--   {"done_durable", record}     moved, and it is confirmed

--@ records limits attributes plain expiry counts transitions partial operations

-- bind
local stock_key, levels_key, reservations_key, operations_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local deadlines_key, limits_key, events_key = KEYS[5], KEYS[6], KEYS[7]
local args = ARGV
local now, nonce, n = clock(args[1]), args[2], tonumber(args[3])
local first_id, first_request = 4, 4 + n

-- read
local closed, locations_version = read_stock(stock_key)
if closed then return { closed } end
n = read_reservations(reservations_key, args, first_id, n)
local names = {}
for i = first_id, first_id + n - 1 do
  local r, to = reservation(args[i]), args[first_request + 8 * (i - first_id) + 6]
  if r and (r.state == 'held' or r.state == 'confirmed') then
    add_levels(r, names)
    for _, line in ipairs(r.lines) do add_once(names, line.sku .. US .. to) end
  end
end
read_fields(stock_key, names, 1, #names, load_available)
read_fields(levels_key, names, 1, #names, load_counts)
read_operations(operations_key, args, first_request, n, 8)

-- decide
-- units_elsewhere returns the units of a line that are not fulfilled, and not at a location.
local function units_elsewhere(line, to)
  local units = 0
  for _, a in ipairs(line.from) do
    if a.location ~= to then units = units + a.quantity - a.fulfilled end
  end
  return units
end

-- move_line moves the units of a line to a location. Fulfilled units stay where they left from.
local function move_line(line, to, committed)
  local kept, units, there = {}, units_elsewhere(line, to), nil
  for _, a in ipairs(line.from) do
    local part = a.location ~= to and a.quantity - a.fulfilled or 0
    if part > 0 then
      set_available(a.level, available[a.level] + part)
      if committed then add_counts(a.level, 0, -part) end
      a.quantity = a.fulfilled
    end
    if a.quantity > 0 then kept[#kept + 1] = a end
    if a.location == to then there = a end
  end
  if not there then
    there = { location = to, level = line.sku .. US .. to, quantity = 0, fulfilled = 0 }
    kept[#kept + 1] = there
  end
  there.quantity = there.quantity + units
  set_available(there.level, available[there.level] - units)
  if committed then add_counts(there.level, 0, units) end
  line.from = kept
end

-- obstacle returns why lines can't move, a refusal and its payload, or nil. The lines are those of
-- one kit, or a single one.
local function obstacle(r, numbers, to)
  local asked, there, sku = 0, nil, nil
  for _, number in ipairs(numbers) do
    local line = r.lines[number]
    local level, each = line.sku .. US .. to, attributes(line).each
    if broken[level] then return 'corrupt', level end
    if not available[level] or not counts[level] then return 'no_level', '' end
    local some = math.floor(math.max(0, available[level]) / each)
    asked = units_elsewhere(line, to) / each
    if attributes(line).backorder then some = math.max(some, asked) end
    there = math.min(there or some, some)
    sku = attributes(line).kit or line.sku
  end
  if there < asked then return 'insufficient', sku .. US .. int(asked) .. US .. int(there) end
  return nil
end

-- move_lines moves the lines of one kit, or a single line, or returns a refusal and its payload.
local function move_lines(r, numbers, to, barred, confirmed)
  if barred ~= '' then return 'barred', '' end
  local refusal, payload = obstacle(r, numbers, to)
  if refusal == 'insufficient' and not reclaimed then
    reclaim(stock_key, reservations_key, deadlines_key, limits_key, now)
    refusal, payload = obstacle(r, numbers, to)
  end
  if refusal == 'insufficient' and more_due then return 'more_due', '' end
  if refusal then return refusal, payload end
  for _, number in ipairs(numbers) do move_line(r.lines[number], to, confirmed) end
  r.body = nil
  return nil
end

local function move(id, r, _, version, transition, settled, operation, fingerprint, name, to, barred)
  local confirmed = r.state == 'confirmed'
  local again = confirmed and 'repeat_durable' or 'repeat'
  local before = find_operation(operation, fingerprint)
  if before and not before.same then return 'conflict', '' end
  if before or operation == '' and r.transition == transition then return again, records[id] end
  if not confirmed and (r.state ~= 'held' or r.expires <= now) then return 'wrong_state', records[id] end
  if version ~= '' and version ~= int(r.version) then return 'version_conflict', records[id] end
  if is_unsettled(r, settled) then return 'unsettled', records[id] end
  local level = missing_level(r, available) or missing_level(r, counts)
  if level then return 'corrupt', level end
  local numbers, units = lines_by_name(r)[name], 0
  if not numbers then return 'unknown_line', '' end
  for _, number in ipairs(numbers) do units = units + units_elsewhere(r.lines[number], to) end
  if units == 0 and operation == '' then return again, records[id] end
  if units > 0 then
    local refusal, payload = move_lines(r, numbers, to, barred, confirmed)
    if refusal then return refusal, payload end
  end
  local text = step('move', id, r, r.state, transition, set_step_operation(operation, fingerprint, now, nonce))
  if confirmed then return 'done_durable', text end
  return 'done', text
end

--@ requests
local reply = answer_each(of_reservation(move), 8)

-- write
if #events > 0 then
  if not append(events_key, nonce, now) then return { 'refused' } end
  write_stock(stock_key, {})
  write_counts(levels_key, {})
  write_records(reservations_key, {})
  write_operations(operations_key)
  write_limits(limits_key)
end
if #due > 0 then write_deadlines(deadlines_key) end

-- return
return reply
