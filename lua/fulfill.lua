-- fulfill records that committed units have left. They go out of on hand and committed together, so
-- available does not change.
--
-- Input
--   KEYS[1]  stock         hash    epoch, gate, locations
--   KEYS[2]  levels        hash    level -> on hand, committed, safety stock, backorder limit
--   KEYS[3]  reservations  hash    id -> record
--   KEYS[4]  operations    hash    id -> fingerprint, time, nonce
--   KEYS[5]  events        stream
--   ARGV[1]  now_ms        Unix ms, or "" for the Redis clock
--   ARGV[2]  nonce         of the caller, kept with the entry
--   ARGV[3]  n             requests
--   ARGV[4]  the n ids, then for each request: version or "", transition, settled (the ledger's
--            version, or "*" without a ledger), id of the operation or "", its fingerprint, parts,
--            then for each part: line, quantity
-- Output: {"fenced"}, {"loading"}, {"stopped"} (gate), {"refused"} (XADD failed), or
-- {"ok", now_ms, version of the location list, status, payload, …}: per request, the first of
--   {"not_found", ""}            there is no such reservation
--   {"corrupt", level}           a stored value is not a whole number
--   {"conflict", ""}             the ledger has another reservation under this id, or the
--                                operation's id was used for another one
--   {"repeat", record}           the same operation was made before; or, without an operation, it is
--                                fulfilled, or this call was the last: nothing changed
--   {"wrong_state", record}      it is not confirmed
--   {"version_conflict", record}  it has another version
--   {"unsettled", record}        it is confirmed, and the ledger has not decided that version yet
--   {"unknown_line", part}       number of the part that names no line of the reservation
--   {"exceeds", part left}       number of the part that asks for more units than the line has left
--   {"insufficient", line available …, record}  lines that would take on hand below zero, and how
--                                many of the units asked for are on hand
--   {"done", record}             fulfilled, or partly

--@ records limits attributes counts transitions partial operations

-- bind
local stock_key, levels_key, reservations_key, operations_key, events_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local args = ARGV
local now, nonce, n = clock(args[1]), args[2], tonumber(args[3])
local first_id, first_request = 4, 4 + n

-- read
local closed, locations_version = read_stock(stock_key)
if closed then return { closed } end
n = read_reservations(reservations_key, args, first_id, n)
local names = {}
for i = first_id, first_id + n - 1 do
  local r = reservation(args[i])
  if r and r.state == 'confirmed' then add_levels(r, names) end
end
read_fields(levels_key, names, 1, #names, load_counts)
read_operations(operations_key, args, first_request, n, 6, true)

-- decide
-- departures lists the units that leave, the first allocation first, and the lines that are short.
local function departures(r, parts)
  local list, short, rest = {}, {}, {}
  for i, line in ipairs(r.lines) do
    local units, missing = parts[i] or 0, 0
    local asked = units
    for _, a in ipairs(line.from) do
      local part = math.min(units, a.quantity - a.fulfilled)
      if part > 0 then
        local level = a.level
        local on_hand = rest[level] or counts[level][1]
        missing = missing + math.max(0, part - math.max(0, on_hand))
        rest[level] = on_hand - part
        list[#list + 1] = { level, a, part }
        units = units - part
      end
    end
    if missing > 0 then short[#short + 1] = int(i) .. US .. int(asked - missing) end
  end
  return list, short
end

-- is_made reports whether a fulfill without an operation was made before.
local function is_made(r, count, version, transition)
  if count == 0 then return is_repeat(r, 'fulfilled', version) end
  return r.transition == transition
end

local function fulfill(id, r, at, version, transition, settled, operation, fingerprint, parts_asked)
  local count, before = tonumber(parts_asked), find_operation(operation, fingerprint)
  if before and not before.same then return 'conflict', '' end
  if before or operation == '' and is_made(r, count, version, transition) then return 'repeat', records[id] end
  if r.state ~= 'confirmed' then return 'wrong_state', records[id] end
  if version ~= '' and version ~= int(r.version) then return 'version_conflict', records[id] end
  if is_unsettled(r, settled) then return 'unsettled', records[id] end
  local level = missing_level(r, counts)
  if level then return 'corrupt', level end
  local parts, everything, refusal, payload = read_parts(r, args, at + 6, count)
  if refusal then return refusal, payload end
  local list, short = departures(r, parts)
  if #short > 0 then return 'insufficient', table.concat(short, RS) .. GS .. records[id] end
  for _, entry in ipairs(list) do
    local a, part = entry[2], entry[3]
    add_counts(entry[1], -part, -part)
    a.fulfilled = a.fulfilled + part
  end
  r.body = nil
  local extra = set_step_operation(operation, fingerprint, now, nonce)
  return 'done', step('fulfill', id, r, everything and 'fulfilled' or 'confirmed', transition, extra)
end

--@ requests
local reply = answer_each(of_reservation(fulfill), 6, 2)

-- write
if #events > 0 then
  if not append(events_key, nonce, now) then return { 'refused' } end
  write_counts(levels_key, {})
  write_records(reservations_key, {})
  write_operations(operations_key)
end

-- return
return reply
