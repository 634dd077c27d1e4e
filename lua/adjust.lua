-- adjust applies operations on levels: counts, signed changes of on hand, and changes of policy.
-- An operation's changes are applied all or none. Absolute values become changes in here, so that
-- two counts at once can't both add.
--
-- Input
--   KEYS[1]  stock         hash    level -> available, units; epoch, gate, locations
--   KEYS[2]  levels        hash    level -> on hand, committed, safety stock, backorder limit;
--                                  locations, the list of all; removed and counted, entries of the
--                                  last removal and of the last count that changed any level
--   KEYS[3]  operations    hash    id -> fingerprint, time, nonce
--   KEYS[4]  events        stream
--   ARGV[1]  now_ms        Unix ms, or "" for the Redis clock
--   ARGV[2]  nonce         of the caller, kept with the entry
--   ARGV[3]  n             requests
--   ARGV[4]  k             levels that the requests name
--   ARGV[5]  quantity_max  the largest on hand
--   ARGV[6]  locations_max the most locations
--   ARGV[7]  the n ids, the k levels, then for each request: fingerprint, reason, actor, place (entry up to
--            which the ledger has seen, "" where it is not asked), changes, then
--            for each change: number of its level, on_hand, delta, if_on_hand, safety_stock,
--            backorder_limit, seen (on hand as the ledger has it), "" where it is not asked for
-- Output: "ok", now_ms, version of the locations, then status and payload for each request; or the
-- one word "fenced", "loading", "stopped" (gate), "refused" (the stream did not take the entry)
--   {"conflict", ""}             the id was used for another operation
--   {"repeat", at_ms birth level …}  the same operation: when it was applied, the nonce of the entry
--                                that made it, and its levels as they are
--   {"corrupt", level}           a stored value is not a whole number
--   {"no_level", change}         a negative delta on a level that does not exist
--   {"version_conflict", change on_hand}  on hand is not if_on_hand
--   {"behind", change}           on hand is not what the ledger has, or may be so by chance, for some level
--                                was counted or removed since: ask that again, and send it anew
--   {"insufficient", change on_hand}      on hand would fall below zero
--   {"exceeds", change on_hand}  on hand would exceed its limit
--   {"too_many_locations", change}        the location would be one too many
--   {"done", at_ms birth level …}  applied; each level: on hand, committed, safety stock, backorder
--                                limit, available, "1" if it was made

--@ counts operations

-- bind
local stock_key, levels_key, operations_key, events_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local args = ARGV
local now, nonce, n, k = clock(args[1]), args[2], tonumber(args[3]), tonumber(args[4])
local quantity_max, locations_max = tonumber(args[5]), tonumber(args[6])
local first_id, first_level, cursor = 7, 7 + n, 7 + n + k

-- read
local closed, locations = read_stock(stock_key, args, first_level, first_level + k - 1)
if closed and closed ~= 'backlog' then return { closed } end
fields(operations_key, args, first_id, first_id + n - 1, take_operation)
fields(levels_key, args, first_level, first_level + k - 1, take_counts)
read_places(levels_key)
local last_entries = redis.call('HMGET', levels_key, 'counted', 'removed')

-- decide
local has_counted = false -- in this batch a count has changed something

-- counted_since says whether on hand may have changed behind a place other than by what comes and leaves.
local function counted_since(place)
  local epoch, sequence = string.match(place, '^(%d+)%-(%d+)$')
  if has_counted or epoch ~= EPOCH then return true end
  for _, entry in ipairs(last_entries) do
    local last = entry and string.match(entry, '%-(%d+)$')
    if last and tonumber(last) > tonumber(sequence) then return true end
  end
  return false
end

-- next_counts works out one change; it returns a refusal and its payload, or nil and what the level
-- counts next. stale says that what the ledger has said of on hand may be so by chance.
local function next_counts(i, level, at, stale)
  if is_broken(level) then return 'corrupt', level end
  local c = counts[level] or { 0, 0, 0, 0 }
  local on_hand, delta, expected = tonumber(args[at + 1]), tonumber(args[at + 2]), tonumber(args[at + 3])
  if delta and delta < 0 and not counts[level] then return 'no_level', int(i) end
  if expected and expected ~= c[1] then return 'version_conflict', int(i) .. US .. int(c[1]) end
  local seen = tonumber(args[at + 6])
  if seen and (seen ~= c[1] or stale) then return 'behind', int(i) end
  local after = on_hand or c[1] + (delta or 0)
  if after < 0 then return 'insufficient', int(i) .. US .. int(c[1]) end
  if after > quantity_max then return 'exceeds', int(i) .. US .. int(c[1]) end
  return nil, { after, tonumber(args[at + 4]) or c[3], tonumber(args[at + 5]) or c[4] }
end

-- work_out works out an operation's changes without applying any.
local function work_out(count, at, place)
  local list, new_places, added = {}, {}, 0
  local stale = counted_since(place)
  for i = 1, count do
    local level = args[first_level + tonumber(args[at]) - 1]
    local refusal, value = next_counts(i, level, at, stale)
    if refusal then return refusal, value end
    if not counts[level] then
      local p = place_of(level)
      if not is_place[p] and not new_places[p] then
        new_places[p] = true
        added = added + 1
        if places + added > locations_max then return 'too_many_locations', int(i) end
      end
    end
    list[#list + 1] = { level = level, counts = value, counted = args[at + 1] ~= '' and '1' or '' }
    at = at + 7
  end
  return nil, list
end

local function decide(id, fingerprint, reason, actor, place, count)
  local at = cursor + 5
  local before = known(id, fingerprint)
  if before and not before.same then return 'conflict', '' end
  if before then
    local texts = { before.made }
    for i = 1, count do
      local level = args[first_level + tonumber(args[at]) - 1]
      if is_broken(level) then return 'corrupt', level end
      texts[i + 1] = level_text(level, false)
      at = at + 7
    end
    return 'repeat', table.concat(texts, RS)
  end
  local refusal, list = work_out(count, at, place)
  if refusal then return refusal, list end
  local texts, parts = { int(now) .. US .. nonce }, { 'adjust' .. US .. id .. US .. fingerprint .. US .. reason .. US .. actor }
  for _, entry in ipairs(list) do
    local made, c = not counts[entry.level], entry.counts
    local before = made and 0 or counts[entry.level][1]
    has_counted = has_counted or entry.counted ~= '' and before ~= c[1]
    if made then add_place(place_of(entry.level)) end
    parts[#parts + 1] = set_level(entry.level, c[1], c[2], c[3]) .. US .. entry.counted
    texts[#texts + 1] = level_text(entry.level, made)
  end
  events[#events + 1] = table.concat(parts, RS)
  operate(id, fingerprint, now, nonce)
  return 'done', table.concat(texts, RS)
end

local reply = { 'ok', int(now), locations }
for i = 1, n do
  local count = tonumber(args[cursor + 4])
  local status, payload = decide(args[first_id + i - 1], args[cursor], args[cursor + 1], args[cursor + 2], args[cursor + 3], count)
  reply[#reply + 1], reply[#reply + 2] = status, payload
  cursor = cursor + 5 + 7 * count
end

-- write
if #events > 0 then
  local entry = append(events_key, nonce, now)
  if not entry then return { 'refused' } end
  local stock_list, levels_list
  stock_list, levels_list, reply[3] = placed(locations)
  if has_counted then
    levels_list[#levels_list + 1] = 'counted'
    levels_list[#levels_list + 1] = entry
  end
  write_stock(stock_key, stock_list)
  write_counts(levels_key, levels_list)
  write_operations(operations_key)
end

-- return
return reply
