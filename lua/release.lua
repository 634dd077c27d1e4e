-- release gives units back to sale: all that a reservation has left, or some of its lines.
--
-- Input
--   KEYS[1]  stock         hash    level -> available, units; epoch, gate, locations
--   KEYS[2]  levels        hash    level -> on hand, committed, safety stock, backorder limit
--   KEYS[3]  reservations  hash    id -> record
--   KEYS[4]  limits        hash    limit, customer -> units
--   KEYS[5]  events        stream
--   ARGV[1]  now_ms        Unix ms, or "" for the Redis clock
--   ARGV[2]  nonce         of the caller, kept with the entry
--   ARGV[3]  n             requests
--   ARGV[4]  the n ids, then for each request: version or "", transition, settled (the version that
--            the ledger has, "*" where there is no ledger), parts, then for each part: line, quantity
-- Output: "ok", now_ms, version of the locations, then status and payload for each request; or the
-- one word "fenced", "loading", "stopped" (gate), "refused" (the stream did not take the entry)
--   {"not_found", ""}            no such reservation
--   {"corrupt", level}           a stored value is not a whole number
--   {"conflict", ""}             the ledger has another reservation under this id
--   {"repeat", record}           released already, or this very call was the last: nothing changed
--   {"repeat_durable", record}   as repeat, of a reservation that was confirmed
--   {"wrong_state", record}      it is neither held, and not overdue, nor confirmed
--   {"version_conflict", record}  its version is another
--   {"unsettled", record}        it is confirmed, and the ledger has not decided that version yet
--   {"unknown_line", part}       number of the part whose line it does not have
--   {"exceeds", part left}       number of the part that asks for more units than the line has left
--   {"done", record}             given back
--   {"done_durable", record}     given back, of a confirmed reservation

--@ records limits tags counts transitions parts

-- bind
local stock_key, levels_key, reservations_key = KEYS[1], KEYS[2], KEYS[3]
local limits_key, events_key = KEYS[4], KEYS[5]
local args = ARGV
local now, nonce, n = clock(args[1]), args[2], tonumber(args[3])
local first_id, cursor = 4, 4 + n

-- read
local closed, locations = read_stock(stock_key, {}, 1, 0)
if closed and closed ~= 'backlog' then return { closed } end
read_records(reservations_key, args, first_id, first_id + n - 1)
local stock_names, counts_names, stock_listed, counts_listed, live = {}, {}, {}, {}, {}
for i = first_id, first_id + n - 1 do
  local r = reservation(args[i])
  if r and (r.state == 'held' or r.state == 'confirmed') then
    live[#live + 1] = r
    levels_of(r, stock_names, stock_listed)
    if r.state == 'confirmed' then counts_of(r, counts_names, counts_listed) end
  end
end
fields(stock_key, stock_names, 1, #stock_names, take_available)
fields(levels_key, counts_names, 1, #counts_names, take_counts)
read_limits(limits_key, live)

-- decide
local CONFIRMED = '+' -- ends the transition of what was confirmed, for a repeat to know

-- hand_back returns units of one line to sale, from the allocation used last.
local function hand_back(line, units, committed)
  for i = #line.from, 1, -1 do
    local a = line.from[i]
    local part = math.min(units, a.quantity - a.fulfilled)
    if part > 0 then
      local level = line.sku .. US .. a.location
      change(level, available[level] + part)
      if committed then shift(level, 0, -part) end
      a.quantity = a.quantity - part
      units = units - part
      if a.quantity == 0 then table.remove(line.from, i) end
    end
  end
end

local function decide(id, version, transition, settled, count)
  if not records[id] then return 'not_found', '' end
  local r = reservation(id)
  if not r then return 'corrupt', id end
  if r.transition == CONFLICT then return 'conflict', '' end
  local mark = transition .. CONFIRMED
  local part_again = count > 0 and (r.transition == transition or r.transition == mark)
  if part_again or count == 0 and repeated(r, 'released', version) then
    local durable = r.state == 'confirmed' or string.sub(r.transition, -1) == CONFIRMED
    return durable and 'repeat_durable' or 'repeat', records[id]
  end
  local overdue = r.state == 'held' and r.expires <= now
  if overdue or (r.state ~= 'held' and r.state ~= 'confirmed') then
    return 'wrong_state', records[id]
  end
  if version ~= '' and version ~= int(r.version) then return 'version_conflict', records[id] end
  if unsettled(r, settled) then return 'unsettled', records[id] end
  local level = lacking(r, available) or r.state == 'confirmed' and lacking(r, counts)
  if level then return 'corrupt', level end
  local parts, everything, refusal, payload = parts_of(r, args, cursor + 4, count)
  if refusal then return refusal, payload end
  local confirmed, state, body = r.state == 'confirmed', r.state, nil
  if everything then state, body = 'released', r.body end
  limits_of(r, parts, function(name, units) count_limit(name, -units) end)
  for i, units in pairs(parts) do hand_back(r.lines[i], units, confirmed) end
  r.body = body -- a whole release leaves the lines as they were, for the record
  if not confirmed then return 'done', move('release', id, r, state, transition) end
  return 'done_durable', move('release', id, r, state, mark)
end

local reply = { 'ok', int(now), locations }
for i = 1, n do
  local id, count = args[first_id + i - 1], tonumber(args[cursor + 3])
  local status, payload = decide(id, args[cursor], args[cursor + 1], args[cursor + 2], count)
  reply[#reply + 1], reply[#reply + 2] = status, payload
  cursor = cursor + 4 + 2 * count
end

-- write
if #events > 0 then
  if not append(events_key, nonce, now) then return { 'refused' } end
  write_stock(stock_key, {})
  write_counts(levels_key, {})
  write_records(reservations_key, {})
  write_limits(limits_key)
end

-- return
return reply
