-- revert undoes in Redis operations on levels that the ledger has refused: what they added is taken
-- away again, and their ids are free.
--
-- Input
--   KEYS[1]  stock         hash    level -> available, units; epoch, gate, locations
--   KEYS[2]  levels        hash    level -> on hand, committed, safety stock, backorder limit
--   KEYS[3]  operations    hash    id -> fingerprint, time, nonce
--   KEYS[4]  events        stream
--   ARGV[1]  now_ms        Unix ms, or "" for the Redis clock
--   ARGV[2]  nonce         of the caller, kept with the entry
--   ARGV[3]  n             requests
--   ARGV[4]  the n ids, then for each request: birth, changes, then for each change: level, and what
--            was added to on hand, safety stock and backorder limit
-- Output: "ok", now_ms, version of the locations, then status and payload for each request; or the
-- one word "fenced", "loading", "stopped" (gate), "refused" (the stream did not take the entry)
--   {"gone", ""}                 no such operation, or it is another by now: nothing to undo
--   {"corrupt", level}           a stored value is missing, or would be below zero: the audit's
--   {"done", ""}                 undone

-- bind
local stock_key, levels_key, operations_key, events_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local args = ARGV
local now, nonce, n = clock(args[1]), args[2], tonumber(args[3])
local first_id, cursor = 4, 4 + n

-- read
local closed, locations = read_stock(stock_key, {}, 1, 0)
if closed and closed ~= 'backlog' then return { closed } end
local operations, names, at = {}, {}, cursor
fields(operations_key, args, first_id, first_id + n - 1, function(id, text) operations[id] = text end)
for _ = 1, n do
  for i = 1, tonumber(args[at + 1]) do names[#names + 1] = args[at + 4 * i - 2] end
  at = at + 2 + 4 * tonumber(args[at + 1])
end
fields(stock_key, names, 1, #names, take_available)
fields(levels_key, names, 1, #names, take_counts)

-- decide
local undone = {}
local function decide(id, birth, changes)
  local known = operations[id]
  if not known or split(known, US)[4] ~= birth then return 'gone', '' end
  local list = {}
  for i = 1, changes do
    local level = args[cursor + 4 * i - 2]
    local c, units = counts[level], available[level]
    local on_hand = tonumber(args[cursor + 4 * i - 1])
    local safety, backorder = tonumber(args[cursor + 4 * i]), tonumber(args[cursor + 4 * i + 1])
    if not c or not units or c[1] < on_hand or c[3] < safety or c[4] < backorder then return 'corrupt', level end
    list[i] = { level, on_hand, safety, backorder }
  end
  for _, d in ipairs(list) do
    local level, c = d[1], counts[d[1]]
    change(level, available[level] - d[2] + d[3] - d[4])
    recount(level, c[1] - d[2], c[2], c[3] - d[3], c[4] - d[4])
  end
  operations[id] = false
  undone[#undone + 1] = id
  events[#events + 1] = 'revert' .. US .. id .. US .. birth
  return 'done', ''
end

local reply = { 'ok', int(now), locations }
for i = 1, n do
  local changes = tonumber(args[cursor + 1])
  reply[#reply + 1], reply[#reply + 2] = decide(args[first_id + i - 1], args[cursor], changes)
  cursor = cursor + 2 + 4 * changes
end

-- write
if #events > 0 then
  if not append(events_key, nonce, now) then return { 'refused' } end
  write_stock(stock_key, {})
  write_counts(levels_key, {})
  redis.call('HDEL', operations_key, unpack(undone))
end

-- return
return reply
