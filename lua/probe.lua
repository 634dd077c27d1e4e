-- probe reads whether ids are known, and what levels and purchase limits count, and changes
-- nothing. It stands in for a reserve that would only be refused. It does without the prelude,
-- which would cost more than the script itself.
--
-- Input
--   KEYS[1]  stock         hash    level -> available, units; epoch, gate, locations
--   KEYS[2]  reservations  hash    id -> record
--   KEYS[3]  limits        hash    limit, identity -> units
--   ARGV[1]  now_ms        Unix ms, "" for the Redis clock, or "-" if no request needs the time
--   ARGV[2]  n             requests
--   ARGV[3]  k             levels
--   ARGV[4]  c             counters of purchase limits
--   ARGV[5]  the n ids, the k levels, the c counters
-- Output: {"fenced"}, {"loading"}, {"stopped"}, {"backlog"} (gate), or
--   {"ok", records, stock, limits, now_ms}  texts, nil if missing: of each id; epoch, gate, version
--                                of the location list, and of each level; of each counter. The time
--                                is "-" if no request needs it

-- bind
local stock_key, reservations_key, limits_key = KEYS[1], KEYS[2], KEYS[3]
local args = ARGV
local now, n, k, counters = args[1], tonumber(args[2]), tonumber(args[3]), tonumber(args[4])
local first_id, first_level, first_counter = 5, 5 + n, 5 + n + k

-- read
local records = redis.call('HMGET', reservations_key, unpack(args, first_id, first_level - 1))
local stock = redis.call('HMGET', stock_key, 'epoch', 'gate', 'locations', unpack(args, first_level, first_counter - 1))
local limits = {}
if now == '' then
  local t = redis.call('TIME')
  now = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
end
if counters > 0 then limits = redis.call('HMGET', limits_key, unpack(args, first_counter, first_counter + counters - 1)) end

-- decide
local closed, gate = nil, stock[2]
if stock[1] ~= EPOCH then
  closed = 'fenced'
elseif gate and gate ~= 'open' then
  closed = gate
end

-- write

-- return
if closed then return { closed } end
return { 'ok', records, stock, limits, now }
