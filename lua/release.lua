-- release gives units back to sale: all that a reservation has left, or some units of some lines.
--
-- Input
--   KEYS[1]  stock         hash    level -> available, units; epoch, gate, locations
--   KEYS[2]  levels        hash    level -> on hand, committed, safety stock, backorder limit
--   KEYS[3]  reservations  hash    id -> record
--   KEYS[4]  operations    hash    id -> fingerprint, time, nonce
--   KEYS[5]  limits        hash    limit, identity -> units
--   KEYS[6]  events        stream
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
--                                released, or this call was the last: nothing changed
--   {"repeat_durable", record}   as repeat, for a reservation that was confirmed
--   {"wrong_state", record}      it is neither confirmed, nor held before its deadline
--   {"version_conflict", record}  it has another version
--   {"unsettled", record}        it is confirmed, and the ledger has not decided that version yet
--   {"unknown_line", part}       number of the part that names no line of the reservation
--   {"exceeds", part left}       number of the part that asks for more units than the line has left
--   {"done", record}             released
--   {"done_durable", record}     released, and it was confirmed

--@ records limits attributes counts transitions partial operations

-- bind
local stock_key, levels_key, reservations_key = KEYS[1], KEYS[2], KEYS[3]
local operations_key, limits_key, events_key = KEYS[4], KEYS[5], KEYS[6]
local args = ARGV
local now, nonce, n = clock(args[1]), args[2], tonumber(args[3])
local first_id, first_request = 4, 4 + n

-- read
local closed, locations_version = read_stock(stock_key)
if closed then return { closed } end
n = read_reservations(reservations_key, args, first_id, n)
local stock_names, counts_names, live = {}, {}, {}
for i = first_id, first_id + n - 1 do
  local r = reservation(args[i])
  if r and (r.state == 'held' or r.state == 'confirmed') then
    live[#live + 1] = r
    add_levels(r, stock_names)
    if r.state == 'confirmed' then add_levels(r, counts_names) end
  end
end
read_fields(stock_key, stock_names, 1, #stock_names, load_available)
read_fields(levels_key, counts_names, 1, #counts_names, load_counts)
read_limits(limits_key, live)
read_operations(operations_key, args, first_request, n, 6, true)

-- decide
-- give_back returns units of one line to sale, the last allocation first.
local function give_back(line, units, committed)
  for i = #line.from, 1, -1 do
    local a = line.from[i]
    local part = math.min(units, a.quantity - a.fulfilled)
    if part > 0 then
      set_available(a.level, available[a.level] + part)
      if committed then add_counts(a.level, 0, -part) end
      a.quantity = a.quantity - part
      units = units - part
      if a.quantity == 0 then table.remove(line.from, i) end
    end
  end
end

-- is_made reports whether a release without an operation was made before.
local function is_made(r, count, version, transition)
  if count == 0 then return is_repeat(r, 'released', version) end
  return r.transition == transition or r.transition == transition .. SALE
end

local function release(id, r, at, version, transition, settled, operation, fingerprint, parts_asked)
  local count, before = tonumber(parts_asked), find_operation(operation, fingerprint)
  if before and not before.same then return 'conflict', '' end
  if before or operation == '' and is_made(r, count, version, transition) then
    local durable = r.state == 'confirmed' or string.sub(r.transition, -1) == SALE
    return durable and 'repeat_durable' or 'repeat', records[id]
  end
  local confirmed = r.state == 'confirmed'
  if not confirmed and (r.state ~= 'held' or r.expires <= now) then return 'wrong_state', records[id] end
  if version ~= '' and version ~= int(r.version) then return 'version_conflict', records[id] end
  if is_unsettled(r, settled) then return 'unsettled', records[id] end
  local level = missing_level(r, available) or confirmed and missing_level(r, counts)
  if level then return 'corrupt', level end
  local parts, everything, refusal, payload = read_parts(r, args, at + 6, count)
  if refusal then return refusal, payload end
  local state, body = r.state, nil
  if everything then state, body = 'released', r.body end
  each_limit(r, parts, function(name, units) add_to_limit(name, -units) end)
  for i, units in pairs(parts) do give_back(r.lines[i], units, confirmed) end
  r.body = body -- the record of a whole release keeps its lines
  local extra = set_step_operation(operation, fingerprint, now, nonce)
  if not confirmed then return 'done', step('release', id, r, state, transition, extra) end
  return 'done_durable', step('release', id, r, state, transition .. SALE, extra)
end

--@ requests
local reply = answer_each(of_reservation(release), 6, 2)

-- write
if #events > 0 then
  if not append(events_key, nonce, now) then return { 'refused' } end
  write_stock(stock_key, {})
  write_counts(levels_key, {})
  write_records(reservations_key, {})
  write_operations(operations_key)
  write_limits(limits_key)
end

-- return
return reply
