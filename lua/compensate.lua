-- compensate undoes in Redis what the ledger has refused of reservations: each is there again as the
-- ledger has it; or, where the ledger has none of that birth, all its units are given back and the id
-- is marked as another's.
--
-- Input
--   KEYS[1]  stock         hash    level -> available, units; epoch, gate, locations
--   KEYS[2]  levels        hash    level -> on hand, committed, safety stock, backorder limit
--   KEYS[3]  reservations  hash    id -> record
--   KEYS[4]  operations    hash    id -> fingerprint, time, nonce
--   KEYS[5]  deadlines     zset    deadline, Unix ms -> ids
--   KEYS[6]  limits        hash    limit, customer -> units
--   KEYS[7]  events        stream
--   ARGV[1]  now_ms        Unix ms, or "" for the Redis clock
--   ARGV[2]  nonce         of the caller, kept with the entry
--   ARGV[3]  n             requests
--   ARGV[4]  the n ids, then for each request: birth, version that was refused, record of the ledger or
--            "", "1" where its deadline is not to be watched again or "", of a return the id and birth of its
--            operation or "", changes, then for each change: level that it has put units to, and how many
-- Output: "ok", now_ms, version of the locations, then status and payload for each request; or the
-- one word "fenced", "loading", "stopped" (gate), "refused" (the stream did not take the entry)
--   {"gone", ""}                 no such reservation, or it is another by now: nothing to undo
--   {"corrupt", level}           a stored value is not a whole number
--   {"done", record}             undone

--@ records limits tags counts transitions operations

-- bind
local stock_key, levels_key, reservations_key, operations_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local deadlines_key, limits_key, events_key = KEYS[5], KEYS[6], KEYS[7]
local args = ARGV
local now, nonce, n = clock(args[1]), args[2], tonumber(args[3])
local first_id, cursor = 4, 4 + n

-- read
local closed, locations = read_stock(stock_key, {}, 1, 0)
if closed and closed ~= 'backlog' then return { closed } end
read_records(reservations_key, args, first_id, first_id + n - 1)
local stock_names, stock_listed, counts_names, counts_listed, list = {}, {}, {}, {}, {}
local starts, ids = {}, {}
for i = 1, n do
  local target, changes = args[cursor + 2], tonumber(args[cursor + 6])
  starts[i], ids[i] = cursor, args[cursor + 4]
  for _, r in ipairs({ reservation(args[first_id + i - 1]) or false, target ~= '' and decode(target) or false }) do
    if r then
      list[#list + 1] = r
      levels_of(r, stock_names, stock_listed)
      counts_of(r, counts_names, counts_listed)
    end
  end
  for j = 1, changes do
    stock_names[#stock_names + 1] = args[cursor + 5 + 2 * j]
    counts_names[#counts_names + 1] = args[cursor + 5 + 2 * j]
  end
  cursor = cursor + 7 + 2 * changes
end
fields(operations_key, ids, 1, n, take_operation)
fields(stock_key, stock_names, 1, #stock_names, take_available)
fields(levels_key, counts_names, 1, #counts_names, take_counts)
read_limits(limits_key, list)

-- decide
-- count adds to diffs what a record has of its levels, or with -1 takes it away: level -> available, on
-- hand and committed.
local function count(r, sign, diffs)
  local limited = {} -- line -> units that purchase limits count
  for i, line in ipairs(r.lines) do
    limited[i] = 0
    for _, a in ipairs(line.from) do
      local level, gone = line.sku .. US .. a.location, a.fulfilled
      if r.state == 'held' or r.state == 'confirmed' then gone = a.quantity end
      local committed = r.state == 'confirmed' and a.quantity - a.fulfilled or 0
      local d = diffs[level] or { 0, 0, 0 }
      diffs[level] = { d[1] - sign * gone, d[2] - sign * a.fulfilled, d[3] + sign * committed }
      limited[i] = limited[i] + gone
    end
  end
  return limited
end

-- take_back adds to diffs that units which a return has put to levels are taken away again. One that was
-- removed since took them with it.
local function take_back(at, changes, diffs)
  for j = 1, changes do
    local level, units = args[at + 2 * j - 2], tonumber(args[at + 2 * j - 1])
    local d = diffs[level] or { 0, 0, 0 }
    if is_broken(level) or counts[level] then diffs[level] = { d[1] - units, d[2] - units, d[3] } end
  end
end

-- unusable is a level that changes and is not there, or would be below zero; or nil. One that all units
-- have left, and that does not change, may have been removed.
local function unusable(diffs)
  for level, d in pairs(diffs) do
    local changes = d[1] ~= 0 or d[2] ~= 0 or d[3] ~= 0
    if changes and (available[level] == nil or counts[level] == nil) then return level end
    if d[2] < 0 and counts[level][1] + d[2] < 0 then return level end
  end
  return nil
end

local undone = {} -- operations of which nothing is left

-- free has the id of an operation be free again.
local function free(operation, birth)
  local text = operation ~= '' and operations[operation]
  if not text or split(text, US)[4] ~= birth then return end
  operations[operation] = false
  undone[#undone + 1] = operation
end

local function decide(id, at)
  local birth, version, target, unwatched = args[at], args[at + 1], args[at + 2], args[at + 3]
  local r = reservation(id)
  if not records[id] or not r or r.birth ~= birth or r.transition == CONFLICT then return 'gone', '' end
  if target ~= '' and int(r.version) ~= version then return 'gone', '' end
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
  local before, after = count(r, -1, diffs), count(next, 1, diffs)
  take_back(at + 7, tonumber(args[at + 6]), diffs)
  local level = unusable(diffs)
  if level then return 'corrupt', level end
  for name, d in pairs(diffs) do
    if available[name] and counts[name] then
      change(name, available[name] + d[1])
      shift(name, d[2], d[3])
    end
  end
  limits_of(r, before, function(name, units) count_limit(name, -units) end)
  limits_of(next, after, function(name, units) count_limit(name, units) end)
  free(args[at + 4], args[at + 5])
  next.state, next.version = r.state, r.version
  if state == 'held' and unwatched == '' then watch(next.expires, id) end
  return 'done', move('compensate', id, next, state, transition)
end

local reply = { 'ok', int(now), locations }
for i = 1, n do
  reply[#reply + 1], reply[#reply + 2] = decide(args[first_id + i - 1], starts[i])
end

-- write
if #events > 0 then
  if not append(events_key, nonce, now) then return { 'refused' } end
  write_stock(stock_key, {})
  write_counts(levels_key, {})
  write_records(reservations_key, {})
  write_deadlines(deadlines_key)
  write_limits(limits_key)
  if #undone > 0 then redis.call('HDEL', operations_key, unpack(undone)) end
end

-- return
return reply
