-- repair makes Redis what an audit found that it should be. It repairs an item only if Redis still
-- has what the audit saw. It changes counters by a difference, so that changes since then stay.
--
-- A level keeps the entry of its last repair: what an audit saw before it is void. So a repair that
-- is sent twice, or that two audits want, is made once. A removed level loses that entry. So after
-- the last removal of any level, what an audit saw of a level before is void.
--
-- Input
--   KEYS[1]  stock         hash    level -> available, units; epoch, gate, locations
--   KEYS[2]  levels        hash    level -> on hand, committed, safety stock, backorder limit,
--                                  entry of its last repair; entries of the last repairs of limits;
--                                  removed, entry of the last removal
--   KEYS[3]  reservations  hash    id -> record
--   KEYS[4]  deadlines     zset    deadline, Unix ms -> ids
--   KEYS[5]  limits        hash    limit, identity -> units
--   KEYS[6]  events        stream
--   ARGV[1]  now_ms        Unix ms, or "" for the Redis clock
--   ARGV[2]  nonce         of the caller, kept with the entry
--   ARGV[3]  audit         its id, kept with the event
--   ARGV[4]  actor         who repairs, kept with the event
--   ARGV[5]  n             items
--   ARGV[6]  for each item: word, finding, name, and the arguments of the word. A text has "="
--            before it, a missing one is "-"
--              add    epoch and sequence of the audit's entry; what to add to available, on hand,
--                     committed, safety stock and backorder limit of a level
--              set    texts in stock and levels that were seen, and those to write
--              record text of a reservation that was seen, and the one to write
--              limit  epoch and sequence of the audit's entry; what to add
--              reset  text of a limit that was seen, and the one to write
--              watch  none: adds the deadline of a held reservation
--              forget member of deadlines and its score: drops an id that has no record
-- Output: {"fenced"}, {"loading"}, {"stopped"} (gate), {"refused"} (XADD failed), or
-- {"ok", now_ms, entry, status, …}, entry "" if nothing changed: per item, the first of
--   {"void"}                     Redis has something else by now: nothing changed
--   {"done"}                     repaired

--@ records limits counts auditing

-- bind
local stock_key, levels_key, reservations_key = KEYS[1], KEYS[2], KEYS[3]
local deadlines_key, limits_key, events_key = KEYS[4], KEYS[5], KEYS[6]
local args = ARGV
local now, nonce, audit, actor, n = clock(args[1]), args[2], args[3], args[4], tonumber(args[5])
local ARITY = { add = 7, set = 4, record = 2, limit = 3, reset = 2, watch = 0, forget = 2 }
local items, cursor = {}, 6
for i = 1, n do
  local item = { word = args[cursor], finding = args[cursor + 1], name = args[cursor + 2] }
  for j = 1, ARITY[item.word] do item[j] = args[cursor + 2 + j] end
  items[i] = item
  cursor = cursor + 3 + ARITY[item.word]
end

-- read
local closed = read_stock(stock_key)
if closed then return { closed } end
local levels, ids, limits, guards = {}, {}, {}, {}

-- guard returns the field of levels that has the entry of a limit's last repair.
local function guard(name) return RS .. string.gsub(name, US, RS) end

for _, item in ipairs(items) do
  if item.word == 'add' or item.word == 'set' then
    levels[#levels + 1] = item.name
  elseif item.word == 'record' or item.word == 'watch' or item.word == 'forget' then
    ids[#ids + 1] = item.name
  else
    limits[#limits + 1] = item.name
    guards[#guards + 1] = guard(item.name)
  end
  if item.word == 'forget' then
    for _, id in ipairs(split(item[1], US)) do ids[#ids + 1] = id end
  end
end
local stock_text, counts_text, limit_text, limit_repaired = {}, {}, {}, {}
read_fields(stock_key, levels, 1, #levels, function(name, text)
  stock_text[name] = text
  load_available(name, text)
end)
read_fields(levels_key, levels, 1, #levels, function(name, text)
  counts_text[name] = text
  load_counts(name, text)
end)
read_fields(limits_key, limits, 1, #limits, function(name, text)
  limit_text[name] = text
  load_limit(name, text)
end)
read_fields(levels_key, guards, 1, #guards, function(name, text) limit_repaired[name] = text end)
read_records(reservations_key, ids, 1, #ids)
local removed = #levels > 0 and redis.call('HGET', levels_key, 'removed')
local watched, scores = {}, {}
for _, item in ipairs(items) do
  local text = item.word == 'watch' and records[item.name] or item.word == 'record' and string.sub(item[2], 2) or ''
  local state, _, expires = head_of(text)
  if item.word == 'forget' and not scores[item[1]] then
    scores[item[1]] = redis.call('ZSCORE', deadlines_key, item[1]) or ''
  end
  if state == 'held' then
    item.expires = tonumber(expires)
    item.watched = is_watched(deadlines_key, item.expires, item.name, watched)
  end
end

-- decide
-- quoted returns a stored text as an item has it.
local function quoted(text) return text and '=' .. text or '-' end

-- is_void reports whether what an audit saw is void: its entry is of another epoch, or not after
-- the last repair or removal.
local function is_void(epoch, sequence, last)
  if epoch ~= EPOCH then return true end
  local last_epoch, last_sequence = string.match(last or '', '^(%d+)%-(%d+)$')
  return last_epoch == EPOCH and tonumber(last_sequence) >= tonumber(sequence)
end

local set_texts, records_set, limits_set, dropped = {}, {}, {}, {}
local repair = {} -- word -> the function that repairs an item

function repair.add(item)
  local level, c = item.name, counts[item.name]
  if not c or not available[level] then return 'void' end
  if is_void(item[1], item[2], c[5]) or is_void(item[1], item[2], removed) then return 'void' end
  set_available(level, available[level] + tonumber(item[3]))
  set_counts(level, c[1] + tonumber(item[4]), c[2] + tonumber(item[5]), c[3] + tonumber(item[6]), c[4] + tonumber(item[7]))
  return 'done'
end

function repair.set(item)
  local level = item.name
  if quoted(stock_text[level]) ~= item[1] or quoted(counts_text[level]) ~= item[2] then return 'void' end
  set_texts[#set_texts + 1] = item
  return 'done'
end

function repair.record(item)
  if quoted(records[item.name]) ~= item[1] then return 'void' end
  records_set[#records_set + 1] = item
  if item.expires and not item.watched then add_deadline(item.expires, item.name) end
  return 'done'
end

function repair.limit(item)
  local name = item.name
  if not limit_units[name] or is_void(item[1], item[2], limit_repaired[guard(name)]) then return 'void' end
  add_to_limit(name, tonumber(item[3]))
  limits_set[#limits_set + 1] = item
  return 'done'
end

function repair.reset(item)
  if quoted(limit_text[item.name]) ~= item[1] then return 'void' end
  limits_set[#limits_set + 1] = item
  return 'done'
end

function repair.watch(item)
  if not item.expires or item.watched then return 'void' end
  add_deadline(item.expires, item.name)
  return 'done'
end

-- A member is dropped as a whole. The deadlines of its held ids are added again.
function repair.forget(item)
  local member = item[1]
  if records[item.name] or scores[member] ~= item[2] then return 'void' end
  if not dropped[member] then
    dropped[member] = true
    for _, id in ipairs(split(member, US)) do
      local state, _, expires = head_of(records[id] or '')
      if state == 'held' and tonumber(expires) == tonumber(item[2]) then add_deadline(tonumber(expires), id) end
    end
  end
  return 'done'
end

local statuses, texts, m = {}, {}, 0
for i, item in ipairs(items) do
  statuses[i] = repair[item.word](item)
  if statuses[i] == 'done' then
    texts[m + 1], texts[m + 2], texts[m + 3] = item.word, item.finding, item.name
    m = m + 3
    if item.word == 'add' then
      for j = 3, 7 do texts[m + j - 2] = item[j] end
      m = m + 5
    end
  end
end
local entry = ''

-- write
if m > 0 then
  events[1] = table.concat({ 'repair', audit, actor }, US)
  entry = append(events_key, nonce, now, pack_texts(texts, m))
  if not entry then return { 'refused' } end
  for _, level in ipairs(touched_counts) do counts[level][5] = entry end
  write_stock(stock_key, {})
  write_counts(levels_key, {})
  local function put(key, name, text, suffix)
    if text == '-' then
      redis.call('HDEL', key, name)
    else
      redis.call('HSET', key, name, string.sub(text, 2) .. (suffix or ''))
    end
  end
  for _, item in ipairs(set_texts) do
    put(stock_key, item.name, item[3])
    put(levels_key, item.name, item[4], US .. entry)
  end
  for _, item in ipairs(records_set) do put(reservations_key, item.name, item[2]) end
  write_limits(limits_key)
  for _, item in ipairs(limits_set) do
    if item.word == 'reset' then put(limits_key, item.name, item[2]) end
    redis.call('HSET', levels_key, guard(item.name), entry)
  end
  for member in pairs(dropped) do redis.call('ZREM', deadlines_key, member) end
  write_deadlines(deadlines_key)
end

-- return
local reply = { 'ok', int(now), entry }
for i = 1, n do reply[3 + i] = statuses[i] end
return reply
