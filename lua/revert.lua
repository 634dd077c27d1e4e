-- revert undoes in Redis operations on levels that the ledger has refused: what they added is taken
-- away again, what they removed is there again, and their ids are free.
--
-- Input
--   KEYS[1]  stock         hash    level -> available, units; epoch, gate, locations
--   KEYS[2]  levels        hash    level -> on hand, committed, safety stock, backorder limit
--   KEYS[3]  operations    hash    id -> fingerprint, time, nonce
--   KEYS[4]  events        stream
--   ARGV[1]  now_ms        Unix ms, or "" for the Redis clock
--   ARGV[2]  nonce         of the caller, kept with the entry
--   ARGV[3]  n             requests
--   ARGV[4]  the n ids, then for each request: birth, changes, then for each change: level, what was
--            added to on hand, safety stock and backorder limit, and "1" if the level was removed
-- Output: "ok", now_ms, version of the locations, then status and payload for each request; or the
-- one word "fenced", "loading", "stopped" (gate), "refused" (the stream did not take the entry)
--   {"gone", ""}                 no such operation, or it is another by now: nothing to undo
--   {"corrupt", level}           a stored value is missing, or would be below zero: the audit's
--   {"done", ""}                 undone

--@ counts operations

-- bind
local stock_key, levels_key, operations_key, events_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local args = ARGV
local now, nonce, n = clock(args[1]), args[2], tonumber(args[3])
local first_id, cursor = 4, 4 + n

-- read
local closed, locations = read_stock(stock_key, {}, 1, 0)
if closed and closed ~= 'backlog' then return { closed } end
local names, at = {}, cursor
fields(operations_key, args, first_id, first_id + n - 1, take_operation)
for _ = 1, n do
  for i = 1, tonumber(args[at + 1]) do names[#names + 1] = args[at + 5 * i - 3] end
  at = at + 2 + 5 * tonumber(args[at + 1])
end
fields(stock_key, names, 1, #names, take_available)
fields(levels_key, names, 1, #names, take_counts)

-- decide
local undone = {}

-- undoing works out what one change is undone to; nil where its level was removed since, with what the
-- change had added. It returns also whether that can't be.
local function undoing(at)
  local level, on_hand, safety, backorder = args[at], tonumber(args[at + 1]), tonumber(args[at + 2]), tonumber(args[at + 3])
  if is_broken(level) then return nil, true end
  if not counts[level] and args[at + 4] ~= '1' then return nil, false end
  local c = counts[level] or { 0, 0, 0, 0 }
  local next = { level, c[1] - on_hand, c[3] - safety, c[4] - backorder }
  return next, next[2] < 0 or next[3] < 0 or next[4] < 0
end

local function decide(id, birth, changes)
  local text = operations[id]
  if not text or split(text, US)[4] ~= birth then return 'gone', '' end
  local list = {}
  for i = 1, changes do
    local next, wrong = undoing(cursor + 5 * i - 3)
    if wrong then return 'corrupt', args[cursor + 5 * i - 3] end
    list[#list + 1] = next
  end
  for _, next in ipairs(list) do set_level(unpack(next)) end
  operations[id] = false
  undone[#undone + 1] = id
  events[#events + 1] = 'revert' .. US .. id .. US .. birth
  return 'done', ''
end

local reply = { 'ok', int(now), locations }
for i = 1, n do
  local changes = tonumber(args[cursor + 1])
  reply[#reply + 1], reply[#reply + 2] = decide(args[first_id + i - 1], args[cursor], changes)
  cursor = cursor + 2 + 5 * changes
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
