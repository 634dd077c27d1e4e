-- confirm makes a held reservation a sale. One that is overdue but was not given back keeps its
-- units; one that has expired takes them again where they came from, all or none.
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
--   ARGV[4]  the n ids, then for each request: version or "", transition
-- Output: "ok", now_ms, version of the locations, then status and payload for each request; or the
-- one word "fenced", "loading", "stopped" (gate), "refused" (the stream did not take the entry)
--   {"not_found", ""}            no such reservation
--   {"corrupt", level}           a stored value is not a whole number
--   {"conflict", ""}             the ledger has another reservation under this id
--   {"repeat", record}           confirmed already: nothing was changed
--   {"wrong_state", record}      it is neither held nor expired
--   {"version_conflict", record}  its version is another
--   {"purchase_limit", limit most taken, record}  it had expired, and the customer may have no more
--   {"more_due", ""}             short, but more overdue units may be given back: send it again
--   {"insufficient", line available …, record}  it had expired, and these lines can't be had again
--   {"done", record}             confirmed

--@ limits counts plain

-- bind
local stock_key, levels_key, reservations_key = KEYS[1], KEYS[2], KEYS[3]
local deadlines_key, limits_key, events_key = KEYS[4], KEYS[5], KEYS[6]
local args = ARGV
local now, nonce, n = clock(args[1]), args[2], tonumber(args[3])
local first_id, cursor = 4, 4 + n

-- deciding makes the function that confirms any reservation. It is called when the first comes that is not
-- plain: making these closures takes Redis longer than a plain one. ids are those that may need more than
-- their records, and names and listed the levels whose counts will be read.
local function deciding(ids, names, listed)
  --@ records tags expiry transitions

  local stock_names, stock_listed, expired = {}, {}, {}
  for _, id in ipairs(ids) do
    local r = reservation(id)
    if r and r.state == 'expired' then
      levels_of(r, stock_names, stock_listed)
      expired[#expired + 1] = r
    end
    if r and (r.state == 'held' or r.state == 'expired') then counts_of(r, names, listed) end
  end
  fields(stock_key, stock_names, 1, #stock_names, take_available)
  read_limits(limits_key, expired)

  -- shortages lists the lines that can't be had again, each checked against what earlier ones left.
  local function shortages(r)
    local short, rest = {}, {}
    for i, line in ipairs(r.lines) do
      local there, need = 0, 0
      for _, a in ipairs(line.from) do
        local level = line.sku .. US .. a.location
        local left_there = rest[level] or available[level] or 0
        local units = math.min(a.quantity, math.max(0, left_there))
        rest[level] = left_there - units
        there, need = there + units, need + a.quantity
      end
      if there < need then short[#short + 1] = int(i) .. US .. int(there) end
    end
    return short
  end

  -- exceeded is the first purchase limit that a customer would exceed by having a record's units again.
  local function exceeded(r)
    local units, over = {}, nil
    limits_of(r, nil, function(name, more, most, id)
      units[name] = (units[name] or 0) + more
      if not over and taken[name] and taken[name] + units[name] > most then
        over = id .. US .. int(most) .. US .. int(taken[name])
      end
    end)
    return over
  end

  local function commit(r)
    if r.state == 'expired' then limits_of(r, nil, count_limit) end
    for _, line in ipairs(r.lines) do
      for _, a in ipairs(line.from) do
        local level = line.sku .. US .. a.location
        if r.state == 'expired' then change(level, available[level] - a.quantity) end
        shift(level, 0, a.quantity)
      end
    end
  end

  -- unusable is the first level a record draws on that is broken; of a held one also one that is missing.
  -- What an expired one came from may have been removed: then there is nothing to be had.
  local function unusable(r)
    for _, line in ipairs(r.lines) do
      for _, a in ipairs(line.from) do
        local level = line.sku .. US .. a.location
        local missing = counts[level] == nil
        if broken[level] or missing and r.state == 'held' then return level end
        if r.state == 'expired' and missing ~= (available[level] == nil) then return level end
      end
    end
    return nil
  end

  local reclaimed, more_due = false, false
  local function decide(id, version, transition)
    local r = reservation(id)
    if not r then return 'corrupt', id end
    if r.transition == CONFLICT then return 'conflict', '' end
    if repeated(r, 'confirmed', version) then return 'repeat', records[id] end
    if r.state ~= 'held' and r.state ~= 'expired' then return 'wrong_state', records[id] end
    if version ~= '' and version ~= int(r.version) then return 'version_conflict', records[id] end
    local level = unusable(r)
    if level then return 'corrupt', level end
    if r.state == 'expired' then
      local over, short = exceeded(r), shortages(r)
      if (over or #short > 0) and not reclaimed then
        local _
        reclaimed = true
        _, _, more_due = reclaim(stock_key, reservations_key, deadlines_key, limits_key, now)
        over, short = exceeded(r), shortages(r)
      end
      if (over or #short > 0) and more_due then return 'more_due', '' end
      if over then return 'purchase_limit', over .. GS .. records[id] end
      if #short > 0 then return 'insufficient', table.concat(short, RS) .. GS .. records[id] end
    end
    commit(r)
    return 'done', move('confirm', id, r, 'confirmed', transition)
  end
  return decide
end

-- read
local closed, locations = read_stock(stock_key, {}, 1, 0)
if closed and closed ~= 'backlog' then return { closed } end
read_records(reservations_key, args, first_id, first_id + n - 1)
local ready, others, names, listed = {}, {}, {}, {}
for i = first_id, first_id + n - 1 do
  local id = args[i]
  local r = plain(id)
  ready[id] = r
  if not r then
    others[#others + 1] = id
  elseif not listed[r.level] then
    listed[r.level] = true
    names[#names + 1] = r.level
  end
end
local decide = #others > 0 and deciding(others, names, listed) or nil
fields(levels_key, names, 1, #names, take_counts)

-- decide
-- confirm_plain confirms a plain reservation.
local function confirm_plain(id, r, version, transition)
  if version ~= '' and version ~= r.version then return 'version_conflict', r.text end
  if not counts[r.level] then return 'corrupt', r.level end
  shift(r.level, 0, r.units)
  return 'done', step_plain('confirm', id, r, 'confirmed', transition)
end

local reply = { 'ok', int(now), locations }
for i = 1, n do
  local id, version, transition = args[first_id + i - 1], args[cursor], args[cursor + 1]
  local r, status, payload = ready[id], nil, nil
  if r and r.text == records[id] then -- an earlier request may have confirmed it, or have had it expired
    status, payload = confirm_plain(id, r, version, transition)
  elseif records[id] then
    decide = decide or deciding({}, {}, {})
    status, payload = decide(id, version, transition)
  else
    status, payload = 'not_found', ''
  end
  reply[#reply + 1], reply[#reply + 2] = status, payload
  cursor = cursor + 2
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
