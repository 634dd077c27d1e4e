-- revert undoes operations on levels that the ledger refused. It takes away what they added,
-- restores the levels that they removed, and frees their ids.
--
-- Input
--   KEYS[1]  stock         hash    level -> available, units; epoch, gate, locations
--   KEYS[2]  levels        hash    level -> on hand, committed, safety stock, backorder limit
--   KEYS[3]  operations    hash    id -> fingerprint, time, nonce
--   KEYS[4]  events        stream
--   ARGV[1]  now_ms        Unix ms, or "" for the Redis clock
--   ARGV[2]  nonce         of the caller, kept with the entry
--   ARGV[3]  n             requests
--   ARGV[4]  the n ids, then for each request: creation nonce, changes, then for each change:
--            level, what it added to on hand, safety stock and backorder limit, "1" if it removed it
-- Output: {"fenced"}, {"loading"}, {"stopped"} (gate), {"refused"} (XADD failed), or
-- {"ok", now_ms, version of the location list, status, payload, …}: per request, the first of
--   {"gone", ""}                 there is no such operation, or another has its id: nothing to undo
--   {"corrupt", level}           a stored value is missing, or would fall below zero: for the audit
--   {"done", ""}                 undone

--@ counts levels operations

-- bind
local stock_key, levels_key, operations_key, events_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local args = ARGV
local now, nonce, n = clock(args[1]), args[2], tonumber(args[3])
local first_id, first_request = 4, 4 + n

-- read
local closed, locations_version = read_stock(stock_key)
if closed then return { closed } end
local names, at = {}, first_request
read_fields(operations_key, args, first_id, first_id + n - 1, load_operation)
for _ = 1, n do
  for i = 1, tonumber(args[at + 1]) do names[#names + 1] = args[at + 5 * i - 3] end
  at = at + 2 + 5 * tonumber(args[at + 1])
end
read_fields(stock_key, names, 1, #names, load_available)
read_fields(levels_key, names, 1, #names, load_counts)

-- decide
local undone = {}

-- undo works out one change. It returns set_level's arguments, or nil if the level was removed
-- since, with what the change had added; and whether the change can't be undone.
local function undo(at)
  local level, on_hand, safety, backorder = args[at], tonumber(args[at + 1]), tonumber(args[at + 2]), tonumber(args[at + 3])
  if is_broken(level) then return nil, true end
  if not counts[level] and args[at + 4] ~= '1' then return nil, false end
  local c = counts[level] or { 0, 0, 0, 0 }
  local next = { level, c[1] - on_hand, c[3] - safety, c[4] - backorder }
  return next, next[2] < 0 or next[3] < 0 or next[4] < 0
end

local function revert(id, at, creation_nonce, changes)
  local text = operations[id]
  if not text or split(text, US)[4] ~= creation_nonce then return 'gone', '' end
  local list = {}
  for i = 1, tonumber(changes) do
    local next, wrong = undo(at + 5 * i - 3)
    if wrong then return 'corrupt', args[at + 5 * i - 3] end
    list[#list + 1] = next
  end
  for _, next in ipairs(list) do set_level(unpack(next)) end
  operations[id] = false
  undone[#undone + 1] = id
  events[#events + 1] = 'revert' .. US .. id .. US .. creation_nonce
  return 'done', ''
end

--@ requests
local reply = answer_each(revert, 2, 5)

-- write
if #events > 0 then
  if not append(events_key, nonce, now) then return { 'refused' } end
  write_stock(stock_key, {})
  write_counts(levels_key, {})
  redis.call('HDEL', operations_key, unpack(undone))
end

-- return
return reply
