-- return takes units that had left back into stock at some location: they are on hand and available there.
-- The reservation stays as it is, but for what its lines say came back.
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
--   ARGV[6]  the n ids, then for each request: version or "", transition, settled (the version that the
--            ledger has, "*" where there is no ledger), id of the operation, fingerprint, location, record
--            of the ledger where this has forgotten it or "", parts, then for each part: line, quantity
-- Output: "ok", now_ms, version of the locations, then status and payload for each request; or the
-- one word "fenced", "loading", "stopped" (gate), "refused" (the stream did not take the entry)
--   {"not_found", ""}            no such reservation
--   {"corrupt", level}           a stored value is not a whole number
--   {"conflict", ""}             the ledger has another reservation under this id, or the operation's id
--                                was used for another
--   {"repeat", record}           the same operation: nothing changed
--   {"wrong_state", record}      nothing of it can have left
--   {"version_conflict", record}  its version is another
--   {"unsettled", record}        the ledger has not decided that version yet
--   {"unknown_line", part}       number of the part whose line it does not have
--   {"exceeds", part units}      number of the part that asks for more units than are out
--   {"over_limit", sku on_hand}  on hand would exceed its limit
--   {"too_many_locations", ""}   the location would be one too many
--   {"done", record}             taken back

--@ records limits tags counts parts operations

-- bind
local stock_key, levels_key, reservations_key, operations_key, events_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local args = ARGV
local now, nonce, n = clock(args[1]), args[2], tonumber(args[3])
local quantity_max, locations_max = tonumber(args[4]), tonumber(args[5])
local first_id, cursor = 6, 6 + n

-- read
local closed, locations = read_stock(stock_key, {}, 1, 0)
if closed and closed ~= 'backlog' then return { closed } end
read_records(reservations_key, args, first_id, first_id + n - 1)
read_places(levels_key)
local starts, ids, names, listed = {}, {}, {}, {}
for i = 1, n do
  local id, to = args[first_id + i - 1], args[cursor + 5]
  starts[i], ids[i] = cursor, args[cursor + 3]
  if not records[id] and args[cursor + 6] ~= '' then records[id] = args[cursor + 6] end
  local r = reservation(id)
  for _, line in ipairs(r and r.lines or {}) do
    local level = line.sku .. US .. to
    if not listed[level] then
      listed[level] = true
      names[#names + 1] = level
    end
  end
  cursor = cursor + 8 + 2 * tonumber(args[cursor + 7])
end
fields(operations_key, ids, 1, n, take_operation)
fields(stock_key, names, 1, #names, take_available)
fields(levels_key, names, 1, #names, take_counts)

-- decide
-- gone is the units of a line that have left.
local function gone(line)
  local units = 0
  for _, a in ipairs(line.from) do units = units + a.fulfilled end
  return units
end

local function is_shipped(r)
  if r.state == 'confirmed' or r.state == 'fulfilled' then return true end
  for _, line in ipairs(r.state == 'released' and r.lines or {}) do
    if gone(line) > 0 then return true end
  end
  return false
end

-- out is the units of some lines, all of one kit or one alone, that left and did not come back.
local function out(r, numbers)
  local most = nil
  for _, number in ipairs(numbers) do
    local line = r.lines[number]
    local units = math.floor((gone(line) - whole(line.returned)) / tags(line).each)
    most = math.min(most or units, units)
  end
  return most
end

-- parts_back returns a refusal and its payload, or nil, nil and the parts as line number -> units.
local function parts_back(r, at, count)
  local parts, named = {}, lines_named(r)
  for i = 1, count do
    local numbers, units = named[args[at + 2 * i - 2]], tonumber(args[at + 2 * i - 1])
    if not numbers then return 'unknown_line', int(i) end
    local most = out(r, numbers)
    if units > most then return 'exceeds', int(i) .. US .. int(most) end
    for _, number in ipairs(numbers) do parts[number] = units * tags(r.lines[number]).each end
  end
  return nil, nil, parts
end

-- sum lists the levels that get units, and how many.
local function sum(r, parts, to)
  local list, units = {}, {}
  for i, line in ipairs(r.lines) do
    local level = line.sku .. US .. to
    if parts[i] and not units[level] then list[#list + 1] = level end
    if parts[i] then units[level] = (units[level] or 0) + parts[i] end
  end
  return list, units
end

-- obstacle is why levels can't get units: a refusal and its payload, or nil.
local function obstacle(list, units, to)
  for _, level in ipairs(list) do
    if is_broken(level) then return 'corrupt', level end
    local there = counts[level] and counts[level][1] or 0
    if there + units[level] > quantity_max then return 'over_limit', split(level, US)[1] .. US .. int(there) end
    if not counts[level] and not is_place[to] and places >= locations_max then return 'too_many_locations', '' end
  end
  return nil
end

-- put adds units to levels; it returns them as the event has them: of each SKU, led by FS, on hand before
-- and after, and available.
local function put(list, units, to)
  local text = ''
  for _, level in ipairs(list) do
    local c = counts[level] or { 0, 0, 0, 0 }
    if not counts[level] then add_place(to) end
    set_level(level, c[1] + units[level], c[3], c[4])
    local after = { split(level, US)[1], int(c[1]), int(counts[level][1]), int(available[level]) }
    text = text .. FS .. table.concat(after, FS)
  end
  return text
end

local function decide(id, at)
  local version, transition, settled = args[at], args[at + 1], args[at + 2]
  local operation, fingerprint, to = args[at + 3], args[at + 4], args[at + 5]
  if not records[id] then return 'not_found', '' end
  local r = reservation(id)
  if not r then return 'corrupt', id end
  local before = known(operation, fingerprint)
  if r.transition == CONFLICT or before and not before.same then return 'conflict', '' end
  if before then return 'repeat', records[id] end
  if not is_shipped(r) then return 'wrong_state', records[id] end
  if version ~= '' and version ~= int(r.version) then return 'version_conflict', records[id] end
  if settled ~= '*' and settled ~= int(r.version) then return 'unsettled', records[id] end
  local refusal, payload, parts = parts_back(r, at + 8, tonumber(args[at + 7]))
  if refusal then return refusal, payload end
  local list, units = sum(r, parts, to)
  refusal, payload = obstacle(list, units, to)
  if refusal then return refusal, payload end
  for number, back in pairs(parts) do
    local line = r.lines[number]
    line.returned = int(whole(line.returned) + back)
  end
  r.body = nil
  if r.state == 'released' then transition = transition .. '+' end -- it was confirmed, as release has it
  local extra = operation .. FS .. fingerprint .. FS .. to .. put(list, units, to)
  operate(operation, fingerprint, now, nonce)
  return 'done', move('return', id, r, r.state, transition, extra)
end

local reply = { 'ok', int(now), locations }
for i = 1, n do
  reply[#reply + 1], reply[#reply + 2] = decide(args[first_id + i - 1], starts[i])
end

-- write
if #events > 0 then
  if not append(events_key, nonce, now) then return { 'refused' } end
  local stock_list, levels_list
  stock_list, levels_list, reply[3] = placed(locations)
  write_stock(stock_key, stock_list)
  write_counts(levels_key, levels_list)
  write_records(reservations_key, {})
  write_operations(operations_key)
end

-- return
return reply
