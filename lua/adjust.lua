-- adjust applies operations on levels: counts, signed changes of on hand, and changes of policy. It
-- applies all changes of an operation or none. It turns absolute values into changes, so that two
-- counts at once can't both add.
--
-- Input
--   KEYS[1]  stock         hash    level -> available, units; epoch, gate, locations
--   KEYS[2]  levels        hash    level -> on hand, committed, safety stock, backorder limit;
--                                  locations, the list of all; removed and counted, entries of the
--                                  last removal and of the last count of any level
--   KEYS[3]  operations    hash    id -> fingerprint, time, nonce
--   KEYS[4]  events        stream
--   ARGV[1]  now_ms        Unix ms, or "" for the Redis clock
--   ARGV[2]  nonce         of the caller, kept with the entry
--   ARGV[3]  n             requests
--   ARGV[4]  k             levels that the requests name
--   ARGV[5]  quantity_max  the largest on hand
--   ARGV[6]  locations_max the most locations
--   ARGV[7]  the n ids, the k levels, then for each request: fingerprint, reason, actor, position
--            (the last entry that the ledger has seen, "" if no change has seen), changes, then for
--            each change: number of its level, and "on_hand delta if_on_hand safety_stock
--            backorder_limit seen taken", each empty if it is not asked for: seen is on hand in the
--            ledger, taken the moment of a count, Unix ms, or "kept" if a later one is in force
-- Output: {"fenced"}, {"loading"}, {"stopped"} (gate), {"refused"} (XADD failed), or
-- {"ok", now_ms, version of the location list, status, payload, …}: per request, the first of
--   {"conflict", ""}             the id was used for another operation
--   {"corrupt", level}           a stored value is not a whole number
--   {"repeat", at_ms nonce level …}  the same operation was made before: its time, the nonce of its
--                                entry, and its levels as they are
--   {"no_level", change}         a negative delta on a level that does not exist
--   {"version_conflict", change on_hand}  on hand is not if_on_hand
--   {"behind", change}           on hand is not the ledger's, or is equal by chance, as a level was
--                                counted or removed since: ask the ledger and send it again
--   {"insufficient", change on_hand}      on hand would fall below zero
--   {"exceeds", change on_hand}  on hand would exceed its limit
--   {"too_many_locations", change}        the location would be one too many
--   {"done", at_ms nonce level …}  applied; each level: on hand, committed, safety stock, backorder
--                                limit, available, "1" if it was made

--@ counts levels operations

-- bind
local stock_key, levels_key, operations_key, events_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local args = ARGV
local now, nonce, n, k = clock(args[1]), args[2], tonumber(args[3]), tonumber(args[4])
local quantity_max, locations_max = tonumber(args[5]), tonumber(args[6])
local first_id, first_level, first_request = 7, 7 + n, 7 + n + k

-- read
local closed, locations_version = read_stock(stock_key, args, first_level, first_level + k - 1)
if closed then return { closed } end
read_fields(operations_key, args, first_id, first_id + n - 1, load_operation)
read_fields(levels_key, args, first_level, first_level + k - 1, load_counts)
read_locations(levels_key)
local last_entries = redis.call('HMGET', levels_key, 'counted', 'removed')

-- decide
local has_counted = false -- this batch has counted a level

-- is_stale reports whether a level may have been counted or removed after a position.
local function is_stale(position)
  local epoch, sequence = string.match(position, '^(%d+)%-(%d+)$')
  if has_counted or epoch ~= EPOCH then return true end
  for _, entry in ipairs(last_entries) do
    local last_epoch, last = string.match(entry or '', '^(%d+)%-(%d+)$')
    if last_epoch == EPOCH and tonumber(last) > tonumber(sequence) then return true end
  end
  return false
end

-- change_of reads a change, once for all levels that it is asked for.
local changes = {} -- text -> the change
local function change_of(text)
  local c = changes[text]
  if c then return c end
  local on_hand, delta, expected, safety, backorder, seen, taken =
    string.match(text, '^(%S*) (%S*) (%S*) (%S*) (%S*) (%S*) (%S*)$')
  local counted = on_hand ~= '' and '1' or ''
  c = {
    on_hand = tonumber(on_hand), delta = tonumber(delta), expected = tonumber(expected), safety = tonumber(safety),
    backorder = tonumber(backorder), seen = tonumber(seen), counted = on_hand ~= '',
    kept = taken == 'kept' and safety == '' and backorder == '',
    mark = on_hand ~= '' and taken ~= '' and '1' .. US .. taken or counted,
  }
  changes[text] = c
  return c
end

-- next_counts returns a refusal and its payload, or nil and the counts that a change leads to. If
-- the ledger's position is stale, its on hand may be equal by chance.
local function next_counts(i, level, change, stale)
  if is_broken(level) then return 'corrupt', level end
  local c = counts[level] or { 0, 0, 0, 0 }
  local delta, expected, seen = change.delta, change.expected, change.seen
  if delta and delta < 0 and not counts[level] then return 'no_level', int(i) end
  if expected and expected ~= c[1] then return 'version_conflict', int(i) .. US .. int(c[1]) end
  if seen and (seen ~= c[1] or stale) then return 'behind', int(i) end
  local after = change.on_hand or c[1] + (delta or 0)
  if after < 0 then return 'insufficient', int(i) .. US .. int(c[1]) end
  if after > quantity_max then return 'exceeds', int(i) .. US .. int(c[1]) end
  return nil, { after, change.safety or c[3], change.backorder or c[4] }
end

-- work_out returns a refusal and its payload, or nil and an operation's changes. It applies none.
local function work_out(count, at, position)
  local list, new_locations, added = {}, {}, 0
  local stale = is_stale(position)
  for i = 1, count do
    local level = args[first_level + tonumber(args[at]) - 1]
    local change = change_of(args[at + 1])
    local refusal, value = next_counts(i, level, change, stale)
    if refusal then return refusal, value end
    if not counts[level] and not change.kept then
      local location = level_location(level)
      if not is_location[location] and not new_locations[location] then
        new_locations[location] = true
        added = added + 1
        if #locations + added > locations_max then return 'too_many_locations', int(i) end
      end
    end
    list[#list + 1] = { level = level, counts = value, change = change }
    at = at + 2
  end
  return nil, list
end

-- UNCHANGED ends what the event says of a level that is not there and is not made.
local UNCHANGED = string.rep(US .. '0', 7) .. US .. 'kept'

local function adjust(id, start, fingerprint, reason, actor, position, changes)
  local at, count = start + 5, tonumber(changes)
  local before = find_operation(id, fingerprint)
  if before and not before.same then return 'conflict', '' end
  if before then
    local texts = { before.made }
    for i = 1, count do
      local level = args[first_level + tonumber(args[at]) - 1]
      if is_broken(level) then return 'corrupt', level end
      texts[i + 1] = level_text(level, false)
      at = at + 2
    end
    return 'repeat', table.concat(texts, RS)
  end
  local refusal, list = work_out(count, at, position)
  if refusal then return refusal, list end
  local texts, parts = { int(now) .. US .. nonce }, { 'adjust' .. US .. id .. US .. fingerprint .. US .. reason .. US .. actor }
  for _, entry in ipairs(list) do
    local level, c, change = entry.level, entry.counts, entry.change
    local made = not counts[level]
    has_counted = has_counted or change.counted
    if made and change.kept then
      parts[#parts + 1], made = level .. UNCHANGED, false
    else
      if made then add_location(level_location(level)) end
      parts[#parts + 1] = change_level(level, c[1], c[2], c[3]) .. US .. change.mark
    end
    texts[#texts + 1] = level_text(level, made)
  end
  events[#events + 1] = table.concat(parts, RS)
  set_operation(id, fingerprint, now, nonce)
  return 'done', table.concat(texts, RS)
end

--@ requests
local reply = answer_each(adjust, 5, 2)

-- write
if #events > 0 then
  local entry = append(events_key, nonce, now)
  if not entry then return { 'refused' } end
  reply[3] = write_levels(stock_key, levels_key, locations_version, has_counted and { 'counted', entry } or {})
  write_operations(operations_key)
end

-- return
return reply
