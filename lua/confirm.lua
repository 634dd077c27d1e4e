-- confirm turns a held reservation into a sale. An overdue one that has not expired keeps its
-- units. An expired one takes its units again from the same levels, all or none.
--
-- Input
--   KEYS[1]  stock         hash    level -> available, units; epoch, gate, locations
--   KEYS[2]  levels        hash    level -> on hand, committed, safety stock, backorder limit
--   KEYS[3]  reservations  hash    id -> record
--   KEYS[4]  deadlines     zset    deadline, Unix ms -> ids
--   KEYS[5]  limits        hash    limit, identity -> units
--   KEYS[6]  events        stream
--   ARGV[1]  now_ms        Unix ms, or "" for the Redis clock
--   ARGV[2]  nonce         of the caller, kept with the entry
--   ARGV[3]  n             requests
--   ARGV[4]  the n ids, then for each request: version or "", transition, the ledger's record if
--            Redis has forgotten that the reservation expired, or ""
-- Output: {"fenced"}, {"loading"}, {"stopped"} (gate), {"refused"} (XADD failed), or
-- {"ok", now_ms, version of the location list, status, payload, …}: per request, the first of
--   {"not_found", ""}            there is no such reservation
--   {"corrupt", level}           a stored value is not a whole number
--   {"conflict", ""}             the ledger has another reservation under this id
--   {"repeat", record}           it is confirmed: nothing changed
--   {"wrong_state", record}      it is neither held nor expired
--   {"version_conflict", record}  it has another version
--   {"purchase_limit", limit identity most units, record}  it had expired, and may have no more
--   {"more_due", ""}             short, but more overdue units can be reclaimed: send it again
--   {"insufficient", line available …, record}  it had expired, and these lines are short
--   {"done", record}             confirmed

--@ limits counts plain

-- bind
local stock_key, levels_key, reservations_key = KEYS[1], KEYS[2], KEYS[3]
local deadlines_key, limits_key, events_key = KEYS[4], KEYS[5], KEYS[6]
local args = ARGV
local now, nonce, n = clock(args[1]), args[2], tonumber(args[3])
local first_id, cursor = 4, 4 + n
local BYTES_PER_CALL = 50000 -- a call reads no more records when it has as many bytes
local FEW, MANY, SMALL = 8, 32, 1000 -- ids in one read: few at first, and while records are not small, bytes

-- new_confirm makes the function that confirms a reservation which may not be plain. It is called
-- for the first such: Redis takes longer to make these functions than to confirm a plain
-- reservation. It reads what the reservations of the ids at some places need, but for their counts:
-- their levels go to names. It reduces n as
-- read_reservations does.
local function new_confirm(places, names)
  --@ records attributes expiry transitions retake

  local stock_names, expired = {}, {}
  for _, place in ipairs(places) do
    if is_full(records[args[place]]) then
      n = place - first_id
      break
    end
    local r = reservation(args[place])
    if r and r.state == 'expired' then
      add_levels(r, stock_names)
      expired[#expired + 1] = r
    end
    if r and (r.state == 'held' or r.state == 'expired') then add_levels(r, names) end
  end
  read_fields(stock_key, stock_names, 1, #stock_names, load_available)
  read_limits(limits_key, expired)

  -- commit commits the units of a record, and takes those of an expired one.
  local function commit(r)
    if r.state == 'expired' then each_limit(r, nil, add_to_limit) end
    for _, line in ipairs(r.lines) do
      for _, a in ipairs(line.from) do
        if r.state == 'expired' then set_available(a.level, available[a.level] - a.quantity) end
        add_counts(a.level, 0, a.quantity)
      end
    end
  end

  -- unusable returns the first level of a record that is broken, or missing if the record is held.
  -- An expired record may have lost its level: then it is short.
  local function unusable(r)
    for _, line in ipairs(r.lines) do
      for _, a in ipairs(line.from) do
        local level = a.level
        local missing = counts[level] == nil
        if broken[level] or missing and r.state == 'held' then return level end
        if r.state == 'expired' and missing ~= (available[level] == nil) then return level end
      end
    end
    return nil
  end

  return of_reservation(function(id, r, version, transition)
    if is_repeat(r, 'confirmed', version) then return 'repeat', records[id] end
    if r.state ~= 'held' and r.state ~= 'expired' then return 'wrong_state', records[id] end
    if version ~= '' and version ~= int(r.version) then return 'version_conflict', records[id] end
    local level = unusable(r)
    if level then return 'corrupt', level end
    if r.state == 'expired' then
      local over, short = exceeded_limit(r), shortages(r)
      if (over or #short > 0) and not reclaimed then
        reclaim(stock_key, reservations_key, deadlines_key, limits_key, now)
        over, short = exceeded_limit(r), shortages(r)
      end
      if (over or #short > 0) and more_due then return 'more_due', '' end
      if over then return 'purchase_limit', over .. GS .. records[id] end
      if #short > 0 then return 'insufficient', table.concat(short, RS) .. GS .. records[id] end
    end
    commit(r)
    return 'done', step('confirm', id, r, 'confirmed', transition)
  end)
end

-- read
local closed, locations_version = read_stock(stock_key)
if closed then return { closed } end
local ready, others, names, bytes, read_to = {}, {}, {}, 0, first_id - 1
for i = first_id, first_id + n - 1 do
  if i > read_to then
    if bytes > BYTES_PER_CALL then
      n = i - first_id
      break
    end
    local some = bytes > 0 and bytes < SMALL * (i - first_id) and MANY or FEW
    read_to = math.min(i + some, first_id + n) - 1
    read_records(reservations_key, args, i, read_to)
  end
  local id = args[i]
  if not records[id] then
    local known = args[cursor + 3 * (i - first_id) + 2]
    records[id] = known ~= '' and known
  end
  local r = read_plain(id)
  ready[id] = r
  bytes = bytes + #(records[id] or '')
  if r then
    add_once(names, r.level)
  else
    others[#others + 1] = i
  end
end
local confirm = #others > 0 and new_confirm(others, names) or nil
read_fields(levels_key, names, 1, #names, load_counts)

-- decide
local function confirm_plain(id, r, version, transition)
  if version ~= '' and version ~= r.version then return 'version_conflict', r.text end
  if not counts[r.level] then return 'corrupt', r.level end
  add_counts(r.level, 0, r.units)
  return 'done', step_plain('confirm', id, r, 'confirmed', transition)
end

local reply = { 'ok', int(now), locations_version }
for i = 1, n do
  local id, version, transition = args[first_id + i - 1], args[cursor], args[cursor + 1]
  local r, status, payload = ready[id], nil, nil
  if r and r.text == records[id] then -- else an earlier request has confirmed or expired it
    status, payload = confirm_plain(id, r, version, transition)
  else
    confirm = confirm or new_confirm({}, {})
    status, payload = confirm(id, version, transition)
  end
  reply[#reply + 1], reply[#reply + 2] = status, payload
  cursor = cursor + 3
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
