-- compensate undoes steps of reservations that the ledger refused. A reservation becomes what the
-- ledger has. If the ledger has none with its creation nonce, all its units are given back, and its
-- record says that the id belongs to another reservation.
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
--   ARGV[4]  the n ids, then for each request: creation nonce, refused version, the ledger's record
--            or "", "1" if its deadline must not be added again or "", id and creation nonce of
--            the step's operation or "", changes, then for each change: level that a return, or an
--            unfulfill to another location, has added units to or taken some from, and the units
-- Output: {"fenced"}, {"loading"}, {"stopped"} (gate), {"refused"} (XADD failed), or
-- {"ok", now_ms, version of the location list, status, payload, …}: per request, the first of
--   {"gone", ""}                 there is no such reservation, or it has changed: nothing to undo
--   {"corrupt", level}           a stored value is not a whole number
--   {"done", record}             undone

--@ records limits attributes counts levels operations

-- bind
local stock_key, levels_key, reservations_key, operations_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local deadlines_key, limits_key, events_key = KEYS[5], KEYS[6], KEYS[7]
local args = ARGV
local now, nonce, n = clock(args[1]), args[2], tonumber(args[3])
local first_id, first_request = 4, 4 + n

-- read
local closed, locations_version = read_stock(stock_key)
if closed then return { closed } end
local names, list, ids, at = {}, {}, {}, first_request
for i = 1, n do
  local target, changes = args[at + 2], tonumber(args[at + 6])
  if i % IDS_PER_READ == 1 then
    read_records(reservations_key, args, first_id + i - 1, first_id + math.min(i + IDS_PER_READ - 2, n - 1))
  end
  if is_full(records[args[first_id + i - 1]]) then
    n = i - 1
    break
  end
  ids[i] = args[at + 4]
  for _, r in ipairs({ reservation(args[first_id + i - 1]) or false, target ~= '' and decode(target) or false }) do
    if r then
      list[#list + 1] = r
      add_levels(r, names)
    end
  end
  for j = 1, changes do names[#names + 1] = args[at + 5 + 2 * j] end
  at = at + 7 + 2 * changes
end
read_fields(operations_key, ids, 1, #ids, load_operation)
read_fields(stock_key, names, 1, #names, load_available)
read_fields(levels_key, names, 1, #names, load_counts)
read_limits(limits_key, list)

-- decide
-- count adds what a record takes to diffs, level -> available, on hand and committed; with sign -1
-- it adds what giving it back takes.
local function count(r, sign, diffs)
  for _, line in ipairs(r.lines) do
    for _, a in ipairs(line.from) do
      local level, gone = a.level, a.fulfilled
      if r.state == 'held' or r.state == 'confirmed' then gone = a.quantity end
      local committed = r.state == 'confirmed' and a.quantity - a.fulfilled or 0
      local d = diffs[level]
      if not d then
        d = { 0, 0, 0 }
        diffs[level] = d
      end
      d[1], d[2], d[3] = d[1] - sign * gone, d[2] - sign * a.fulfilled, d[3] + sign * committed
    end
  end
end

-- undo_changes takes units that a step added to levels away in diffs. A level that was removed since
-- took its units with it. Units that it took from a level are those that had left from there.
local function undo_changes(at, changes, diffs)
  for j = 1, changes do
    local level, units = args[at + 2 * j - 2], tonumber(args[at + 2 * j - 1])
    local d = diffs[level] or { 0, 0, 0 }
    if units < 0 or is_broken(level) or counts[level] then diffs[level] = { d[1] - units, d[2] - units, d[3] } end
  end
end

-- unusable returns a level that changes and is missing, or that would fall below zero; or nil. A
-- level that does not change may have been removed.
local function unusable(diffs)
  for level, d in pairs(diffs) do
    local changes = d[1] ~= 0 or d[2] ~= 0 or d[3] ~= 0
    if changes and (available[level] == nil or counts[level] == nil) then return level end
    if d[2] < 0 and counts[level][1] + d[2] < 0 then return level end
  end
  return nil
end

local undone = {} -- ids of the operations that are undone

-- forget_operation frees the id of a refused step's operation. It is free even if the step is gone:
-- the ledger has refused later steps of the reservation too, and the last of them was undone.
local function forget_operation(operation, creation_nonce)
  local text = operation ~= '' and operations[operation]
  if not text or split(text, US)[4] ~= creation_nonce then return end
  operations[operation] = false
  undone[#undone + 1] = operation
end

local function compensate(id, at, creation_nonce, version, target, unwatched, operation, operation_nonce, changes)
  local r = reservation(id)
  local gone = not r or r.creation_nonce ~= creation_nonce or r.transition == CONFLICT
  if gone or target ~= '' and int(r.version) ~= version then
    forget_operation(operation, operation_nonce)
    return 'gone', ''
  end
  local next = decode(target ~= '' and target or records[id])
  local state, transition = next.state, next.transition
  if target == '' then
    state, transition, next.body = 'released', CONFLICT, nil
    for _, line in ipairs(next.lines) do
      line.returned = '0'
      for _, a in ipairs(line.from) do a.fulfilled = 0 end
    end
  end
  next.state = state
  local diffs = {}
  count(r, -1, diffs)
  count(next, 1, diffs)
  undo_changes(at + 7, tonumber(changes), diffs)
  local level = unusable(diffs)
  if level then return 'corrupt', level end
  for name, d in pairs(diffs) do
    if available[name] and counts[name] then
      set_available(name, available[name] + d[1])
      add_counts(name, d[2], d[3])
    end
  end
  each_count(r, function(name, units) add_to_limit(name, -units) end)
  each_count(next, add_to_limit)
  forget_operation(operation, operation_nonce)
  next.state, next.version = r.state, r.version
  if state == 'held' and unwatched == '' then add_deadline(next.expires, id) end
  return 'done', step('compensate', id, next, state, transition)
end

--@ requests
local reply = answer_each(compensate, 7, 2)

-- write
if #events > 0 then
  if not append(events_key, nonce, now) then return { 'refused' } end
  write_stock(stock_key, {})
  write_counts(levels_key, {})
  write_records(reservations_key, {})
  write_deadlines(deadlines_key)
  write_limits(limits_key)
end
if #undone > 0 then redis.call('HDEL', operations_key, unpack(undone)) end

-- return
return reply
