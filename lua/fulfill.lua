-- fulfill records that committed units have left: they go out of on hand and committed together,
-- so what is available does not change.
--
-- Input
--   KEYS[1]  stock         hash    epoch, gate, locations
--   KEYS[2]  levels        hash    level -> on hand, committed, safety stock, backorder limit
--   KEYS[3]  reservations  hash    id -> record
--   KEYS[4]  events        stream
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
--   {"repeat", record}           fulfilled already, or this very call was the last: nothing changed
--   {"wrong_state", record}      it is not confirmed
--   {"version_conflict", record}  its version is another
--   {"unsettled", record}        it is confirmed, and the ledger has not decided that version yet
--   {"unknown_line", part}       number of the part whose line it does not have
--   {"exceeds", part left}       number of the part that asks for more units than the line has left
--   {"insufficient", line available …, record}  lines that would take on hand below zero, and how
--                                many of the units asked for are there
--   {"done", record}             fulfilled, or partly

--@ records limits tags counts transitions parts

-- bind
local stock_key, levels_key, reservations_key, events_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local args = ARGV
local now, nonce, n = clock(args[1]), args[2], tonumber(args[3])
local first_id, cursor = 4, 4 + n

-- read
local closed, locations = read_stock(stock_key, {}, 1, 0)
if closed and closed ~= 'backlog' then return { closed } end
read_records(reservations_key, args, first_id, first_id + n - 1)
local names, listed = {}, {}
for i = first_id, first_id + n - 1 do
  local r = reservation(args[i])
  if r and r.state == 'confirmed' then counts_of(r, names, listed) end
end
fields(levels_key, names, 1, #names, take_counts)

-- decide
-- departures lists what leaves, allocation by allocation from the first, and the lines for which
-- there is less on hand.
local function departures(r, parts)
  local list, short, there = {}, {}, {}
  for i, line in ipairs(r.lines) do
    local units, lacking = parts[i] or 0, 0
    local asked = units
    for _, a in ipairs(line.from) do
      local part = math.min(units, a.quantity - a.fulfilled)
      if part > 0 then
        local level = line.sku .. US .. a.location
        local on_hand = there[level] or counts[level][1]
        lacking = lacking + math.max(0, part - math.max(0, on_hand))
        there[level] = on_hand - part
        list[#list + 1] = { level, a, part }
        units = units - part
      end
    end
    if lacking > 0 then short[#short + 1] = int(i) .. US .. int(asked - lacking) end
  end
  return list, short
end

local function decide(id, version, transition, settled, count)
  if not records[id] then return 'not_found', '' end
  local r = reservation(id)
  if not r then return 'corrupt', id end
  if r.transition == CONFLICT then return 'conflict', '' end
  if count == 0 and repeated(r, 'fulfilled', version) then return 'repeat', records[id] end
  if count > 0 and r.transition == transition then return 'repeat', records[id] end
  if r.state ~= 'confirmed' then return 'wrong_state', records[id] end
  if version ~= '' and version ~= int(r.version) then return 'version_conflict', records[id] end
  if unsettled(r, settled) then return 'unsettled', records[id] end
  local level = lacking(r, counts)
  if level then return 'corrupt', level end
  local parts, everything, refusal, payload = parts_of(r, args, cursor + 4, count)
  if refusal then return refusal, payload end
  local list, short = departures(r, parts)
  if #short > 0 then return 'insufficient', table.concat(short, RS) .. GS .. records[id] end
  for _, entry in ipairs(list) do
    local a, part = entry[2], entry[3]
    shift(entry[1], -part, -part)
    a.fulfilled = a.fulfilled + part
  end
  r.body = nil
  return 'done', move('fulfill', id, r, everything and 'fulfilled' or 'confirmed', transition)
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
  write_counts(levels_key, {})
  write_records(reservations_key, {})
end

-- return
return reply
