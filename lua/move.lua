-- move takes what is left of a line from where it comes from to another location, in one step: what the
-- one gets back the other gives.
--
-- Input
--   KEYS[1]  stock         hash    level -> available, units; epoch, gate, locations
--   KEYS[2]  levels        hash    level -> on hand, committed, safety stock, backorder limit
--   KEYS[3]  reservations  hash    id -> record
--   KEYS[4]  deadlines     zset    deadline, Unix ms -> ids
--   KEYS[5]  limits        hash    limit, customer -> units
--   KEYS[6]  events        stream
--   ARGV[1]  now_ms        Unix ms, or "" for the Redis clock
--   ARGV[2]  nonce         of the caller, kept with the entry
--   ARGV[3]  n             requests
--   ARGV[4]  the n ids, then for each request: version, transition, settled (the version that the
--            ledger has, "*" where there is no ledger), line, location, "1" where the directory has nothing
--            moved there or ""
-- Output: "ok", now_ms, version of the locations, then status and payload for each request; or the
-- one word "fenced", "loading", "stopped" (gate), "refused" (the stream did not take the entry)
--   {"not_found", ""}            no such reservation
--   {"corrupt", level}           a stored value is not a whole number
--   {"conflict", ""}             the ledger has another reservation under this id
--   {"repeat", record}           this very call was the last, or all is there already: nothing changed
--   {"repeat_durable", record}   as repeat, of a confirmed reservation
--   {"wrong_state", record}      it is neither held, and not overdue, nor confirmed
--   {"version_conflict", record}  its version is another
--   {"unsettled", record}        it is confirmed, and the ledger has not decided that version yet
--   {"unknown_line", ""}         it does not have that line
--   {"barred", ""}               the directory has nothing moved there
--   {"no_level", ""}             the location has no level of the line's SKU, or of a kit's component
--   {"more_due", ""}             short, but more overdue units may be given back: send it again
--   {"insufficient", sku units available}  what would move, and what the location has; of a kit, kits
--   {"done", record}             moved
--   {"done_durable", record}     moved, of a confirmed reservation

--@ records limits tags plain expiry counts transitions parts

-- bind
local stock_key, levels_key, reservations_key = KEYS[1], KEYS[2], KEYS[3]
local deadlines_key, limits_key, events_key = KEYS[4], KEYS[5], KEYS[6]
local args = ARGV
local now, nonce, n = clock(args[1]), args[2], tonumber(args[3])
local first_id, cursor = 4, 4 + n

-- read
local closed, locations = read_stock(stock_key, {}, 1, 0)
if closed and closed ~= 'backlog' then return { closed } end
read_records(reservations_key, args, first_id, first_id + n - 1)
local names, listed = {}, {}
for i = first_id, first_id + n - 1 do
  local r, to = reservation(args[i]), args[cursor + 6 * (i - first_id) + 4]
  if r and (r.state == 'held' or r.state == 'confirmed') then
    counts_of(r, names, listed)
    for _, line in ipairs(r.lines) do
      local level = line.sku .. US .. to
      if not listed[level] then
        listed[level] = true
        names[#names + 1] = level
      end
    end
  end
end
fields(stock_key, names, 1, #names, take_available)
fields(levels_key, names, 1, #names, take_counts)

-- decide
-- leaving is the units of a line that are neither fulfilled nor at a location already.
local function leaving(line, to)
  local units = 0
  for _, a in ipairs(line.from) do
    if a.location ~= to then units = units + a.quantity - a.fulfilled end
  end
  return units
end

-- transfer moves what is leaving of a line; what was fulfilled stays where it left from.
local function transfer(line, to, committed)
  local kept, units, there = {}, leaving(line, to), nil
  for _, a in ipairs(line.from) do
    local part = a.location ~= to and a.quantity - a.fulfilled or 0
    if part > 0 then
      local level = line.sku .. US .. a.location
      change(level, available[level] + part)
      if committed then shift(level, 0, -part) end
      a.quantity = a.fulfilled
    end
    if a.quantity > 0 then kept[#kept + 1] = a end
    if a.location == to then there = a end
  end
  if not there then
    there = { location = to, quantity = 0, fulfilled = 0 }
    kept[#kept + 1] = there
  end
  there.quantity = there.quantity + units
  local level = line.sku .. US .. to
  change(level, available[level] - units)
  if committed then shift(level, 0, units) end
  line.from = kept
end

-- shortage says what is in the way of moving some lines, all of one kit or one alone: a refusal and its
-- payload, or nil.
local function shortage(r, numbers, to)
  local asked, there, sku = 0, nil, nil
  for _, number in ipairs(numbers) do
    local line = r.lines[number]
    local level, each = line.sku .. US .. to, tags(line).each
    if broken[level] then return 'corrupt', level end
    if not available[level] or not counts[level] then return 'no_level', '' end
    local some = math.floor(math.max(0, available[level]) / each)
    asked, there, sku = leaving(line, to) / each, math.min(there or some, some), tags(line).kit or line.sku
  end
  if there < asked then return 'insufficient', sku .. US .. int(asked) .. US .. int(there) end
  return nil
end

local reclaimed, more_due = false, false
local function decide(id, version, transition, settled, name, to, barred)
  if not records[id] then return 'not_found', '' end
  local r = reservation(id)
  if not r then return 'corrupt', id end
  if r.transition == CONFLICT then return 'conflict', '' end
  local durable = r.state == 'confirmed'
  if r.transition == transition then return durable and 'repeat_durable' or 'repeat', records[id] end
  local overdue = r.state == 'held' and r.expires <= now
  if overdue or (r.state ~= 'held' and not durable) then return 'wrong_state', records[id] end
  if version ~= int(r.version) then return 'version_conflict', records[id] end
  if unsettled(r, settled) then return 'unsettled', records[id] end
  local level = lacking(r, available) or lacking(r, counts)
  if level then return 'corrupt', level end
  local numbers, units = lines_named(r)[name], 0
  if not numbers then return 'unknown_line', '' end
  for _, number in ipairs(numbers) do units = units + leaving(r.lines[number], to) end
  if units == 0 then return durable and 'repeat_durable' or 'repeat', records[id] end
  if barred ~= '' then return 'barred', '' end
  local refusal, payload = shortage(r, numbers, to)
  if refusal == 'insufficient' and not reclaimed then
    local _
    reclaimed = true
    _, _, more_due = reclaim(stock_key, reservations_key, deadlines_key, limits_key, now)
    refusal, payload = shortage(r, numbers, to)
  end
  if refusal == 'insufficient' and more_due then return 'more_due', '' end
  if refusal then return refusal, payload end
  for _, number in ipairs(numbers) do transfer(r.lines[number], to, durable) end
  r.body = nil
  local text = move('move', id, r, r.state, transition)
  if durable then return 'done_durable', text end
  return 'done', text
end

local reply = { 'ok', int(now), locations }
for i = 1, n do
  reply[#reply + 1], reply[#reply + 2] = decide(args[first_id + i - 1], unpack(args, cursor, cursor + 5))
  cursor = cursor + 6
end

-- write
if #events > 0 then
  if not append(events_key, nonce, now) then return { 'refused' } end
  write_stock(stock_key, {})
  write_counts(levels_key, {})
  write_records(reservations_key, {})
  write_limits(limits_key)
end
if #due > 0 then write_deadlines(deadlines_key) end

-- return
return reply
