-- audit appends what Redis has under some names to the stream. The reconciler compares it with the
-- ledger at exactly that entry. audit changes nothing else.
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
--   ARGV[3]  audit         its id, kept with the event
--   ARGV[4]  how           "again" for a second look at findings, "range" if the levels are all
--                          that the ledger has from the first to the last, else ""
--   ARGV[5]  levels        how many
--   ARGV[6]  reservations  how many
--   ARGV[7]  limits        how many
--   ARGV[8]  members       of deadlines, how many
--   ARGV[9]  the names of all of them
-- Output: {"fenced"}, {"loading"}, {"stopped"} (gate), {"refused"} (XADD failed), or
--   {"ok", now_ms, entry}        the id of the entry

--@ auditing

-- bind
local stock_key, levels_key, reservations_key = KEYS[1], KEYS[2], KEYS[3]
local deadlines_key, limits_key, events_key = KEYS[4], KEYS[5], KEYS[6]
local args = ARGV
local now, nonce, audit, how = clock(args[1]), args[2], args[3], args[4]
local sizes = { tonumber(args[5]), tonumber(args[6]), tonumber(args[7]), tonumber(args[8]) }
local first = { 9, 9 + sizes[1], 9 + sizes[1] + sizes[2], 9 + sizes[1] + sizes[2] + sizes[3] }

-- read
local closed = read_stock(stock_key)
if closed then return { closed } end
local texts, n = {}, 0
local function put(text)
  n = n + 1
  texts[n] = text
end

local stock_text, counts_text = {}, {}
read_fields(stock_key, args, first[1], first[2] - 1, function(name, text) stock_text[name] = text end)
read_fields(levels_key, args, first[1], first[2] - 1, function(name, text) counts_text[name] = text end)
for i = first[1], first[2] - 1 do
  put(args[i])
  put(stock_text[args[i]])
  put(counts_text[args[i]])
end

-- Of a held record: whether its deadline is watched. Decoding whole records would take most of the
-- time, so this matches their heads.
read_records(reservations_key, args, first[2], first[3] - 1)
local watched = {}
for i = first[2], first[3] - 1 do
  local text = records[args[i]]
  local expires = text and whole(string.match(text, '^1\31held\31%d+\31(%d+)\31') or '')
  put(args[i])
  put(text)
  put(expires and (is_watched(deadlines_key, expires, args[i], watched) and '1' or '0'))
end

read_fields(limits_key, args, first[3], first[4] - 1, function(name, text)
  put(name)
  put(text)
end)

-- Of a member of deadlines: its score, and those of its ids that have no record.
local ids, members = {}, {}
for i = first[4], first[4] + sizes[4] - 1 do
  local score = redis.call('ZSCORE', deadlines_key, args[i])
  members[#members + 1] = { args[i], score, score and split(args[i], US) or {} }
  for _, id in ipairs(members[#members][3]) do ids[#ids + 1] = id end
end
read_records(reservations_key, ids, 1, #ids)
for _, m in ipairs(members) do
  local unknown = {}
  for _, id in ipairs(m[3]) do
    if not records[id] then unknown[#unknown + 1] = id end
  end
  put(m[1])
  put(m[2])
  put(#unknown > 0 and table.concat(unknown, US))
end

-- decide
events[1] = table.concat({ 'audit', audit, how, int(sizes[1]), int(sizes[2]), int(sizes[3]), int(sizes[4]) }, US)

-- write
local entry = append(events_key, nonce, now, pack_texts(texts, n))
if not entry then return { 'refused' } end

-- return
return { 'ok', int(now), entry }
