-- load writes a chunk of a rebuild from the ledger. It is refused unless this rebuild is under way.
--
-- Input
--   KEYS[1]  stock         hash    level -> available, units; epoch, gate
--   KEYS[2]  levels        hash    level -> on hand, committed, safety stock, backorder limit
--   KEYS[3]  reservations  hash    id -> record
--   KEYS[4]  operations    hash    id -> fingerprint, time, nonce
--   KEYS[5]  limits        hash    limit, identity -> units
--   KEYS[6]  deadlines     zset    deadline, Unix ms -> ids
--   ARGV[1]  for each of the six keys the number of its texts, then the texts: name, value, …; for
--            deadlines: deadline, ids, …
-- Output
--   {"fenced"}                   another epoch, or the gate is not loading: nothing changed
--   {"ok"}                       written

-- bind
local stock_key, args = KEYS[1], ARGV
local keys = { stock_key, KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6] }

-- read
local got = redis.call('HMGET', stock_key, 'epoch', 'gate')

-- decide
if got[1] ~= EPOCH or got[2] ~= 'loading' then return { 'fenced' } end

-- write
local cursor = 7
for i = 1, 6 do
  local command, last = i == 6 and 'ZADD' or 'HSET', cursor + tonumber(args[i]) - 1
  while cursor <= last do
    local to = math.min(cursor + CHUNK - 1, last)
    redis.call(command, keys[i], unpack(args, cursor, to))
    cursor = to + 1
  end
end

-- return
return { 'ok' }
