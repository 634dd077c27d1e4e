-- repair makes Redis what an audit has found that it should be: each item of it only where Redis still has
-- what the audit saw. Counters are changed by a difference, so that what happened meanwhile stays.
--
-- The entry of a level's last repair is kept with it: what was seen before that is void. So a repair that
-- is repeated, or that two audits want, is made once. With a level that is removed goes what was kept: after
-- the last removal of any, what was seen of a level before is void, for it may have been made anew since.
--
-- Input
--   KEYS[1]  stock         hash    level -> available, units; epoch, gate, locations
--   KEYS[2]  levels        hash    level -> on hand, committed, safety stock, backorder limit, last
--                                  repair; of a limit its last repair; removed, entry of the last removal
--   KEYS[3]  reservations  hash    id -> record
--   KEYS[4]  deadlines     zset    deadline, Unix ms -> ids
--   KEYS[5]  limits        hash    limit, customer -> units
--   KEYS[6]  events        stream
--   ARGV[1]  now_ms        Unix ms, or "" for the Redis clock
--   ARGV[2]  nonce         of the caller, kept with the entry
--   ARGV[3]  audit         its id, kept with the event
--   ARGV[4]  actor         who repairs, kept with the event
--   ARGV[5]  n             items
--   ARGV[6]  the items: a word, the finding, a name, and what the word asks for. A text that there is
--            has "=" before it; a missing one is "-".
--              add    epoch, sequence of the audit's entry; what to add to available, on hand,
--                     committed, safety stock and backorder limit of a level
--              set    texts of stock and levels as they were seen, and as they are to be
--              record text of a reservation as it was seen, and as it is to be
--              limit  epoch, sequence of the audit's entry; what to add
--              reset  text of a limit as it was seen, and as it is to be
--              watch  nothing: the deadline of a held reservation is to be there
--              forget member of deadlines and its score: the id, which has no record, is not to stand there
-- Output: "ok", now_ms, entry ("" where nothing was changed), then a status for each item; or the one
-- word "fenced", "loading", "stopped" (gate), "refused" (the stream did not take the entry)
--   {"void"}                     Redis has something else by now: nothing was changed
--   {"done"}                     changed

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
local closed = read_stock(stock_key, {}, 1, 0)
if closed and closed ~= 'backlog' then return { closed } end
local levels, ids, limits, guards = {}, {}, {}, {}
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
fields(stock_key, levels, 1, #levels, function(name, text)
  stock_text[name] = text
  take_available(name, text)
end)
fields(levels_key, levels, 1, #levels, function(name, text)
  counts_text[name] = text
  take_counts(name, text)
end)
fields(limits_key, limits, 1, #limits, function(name, text)
  limit_text[name] = text
  take_taken(name, text)
end)
fields(levels_key, guards, 1, #guards, function(name, text) limit_repaired[name] = text end)
read_records(reservations_key, ids, 1, #ids)
local removed = #levels > 0 and redis.call('HGET', levels_key, 'removed')
local watched, scores = {}, {}
for _, item in ipairs(items) do
  local r = nil
  if item.word == 'watch' then
    r = reservation(item.name)
  elseif item.word == 'record' and string.sub(item[2], 1, 1) == '=' then
    r = decode(string.sub(item[2], 2))
  elseif item.word == 'forget' and not scores[item[1]] then
    scores[item[1]] = redis.call('ZSCORE', deadlines_key, item[1]) or ''
  end
  if r and r.state == 'held' then
    item.expires, item.watched = r.expires, is_watched(deadlines_key, r.expires, item.name, watched)
  end
end

-- decide
-- shown is a stored text as an item says it.
local function shown(text) return text and '=' .. text or '-' end

-- newer says whether a repair or removal was made after the audit's entry; of another epoch, everything was.
local function newer(epoch, sequence, made)
  if epoch ~= EPOCH then return true end
  return made and tonumber(string.match(made, '%-(%d+)$') or 0) >= tonumber(sequence)
end

local set_texts, records_set, limits_set, dropped = {}, {}, {}, {}
local decide = {}

function decide.add(item)
  local level, c = item.name, counts[item.name]
  if not c or not available[level] then return 'void' end
  if newer(item[1], item[2], c[5]) or newer(item[1], item[2], removed) then return 'void' end
  change(level, available[level] + tonumber(item[3]))
  recount(level, c[1] + tonumber(item[4]), c[2] + tonumber(item[5]), c[3] + tonumber(item[6]), c[4] + tonumber(item[7]))
  return 'done'
end

function decide.set(item)
  local level = item.name
  if shown(stock_text[level]) ~= item[1] or shown(counts_text[level]) ~= item[2] then return 'void' end
  set_texts[#set_texts + 1] = item
  return 'done'
end

function decide.record(item)
  if shown(records[item.name]) ~= item[1] then return 'void' end
  records_set[#records_set + 1] = item
  if item.expires and not item.watched then watch(item.expires, item.name) end
  return 'done'
end

function decide.limit(item)
  local name = item.name
  if not taken[name] or newer(item[1], item[2], limit_repaired[guard(name)]) then return 'void' end
  count_limit(name, tonumber(item[3]))
  limits_set[#limits_set + 1] = item
  return 'done'
end

function decide.reset(item)
  if shown(limit_text[item.name]) ~= item[1] then return 'void' end
  limits_set[#limits_set + 1] = item
  return 'done'
end

function decide.watch(item)
  if not item.expires or item.watched then return 'void' end
  watch(item.expires, item.name)
  return 'done'
end

-- A member goes as a whole. Those of its ids whose deadline it is are watched again.
function decide.forget(item)
  local member = item[1]
  if records[item.name] or scores[member] ~= item[2] then return 'void' end
  if not dropped[member] then
    dropped[member] = true
    for _, id in ipairs(split(member, US)) do
      local r = reservation(id)
      if r and r.state == 'held' and r.expires == tonumber(item[2]) then watch(r.expires, id) end
    end
  end
  return 'done'
end

local statuses, texts, m = {}, {}, 0
for i, item in ipairs(items) do
  statuses[i] = decide[item.word](item)
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
  entry = append(events_key, nonce, now, data_of(texts, m))
  if not entry then return { 'refused' } end
  for _, level in ipairs(counts_touched) do counts[level][5] = entry end
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
