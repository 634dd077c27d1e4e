-- adopt starts an epoch on a promoted replica whose data the ledger has applied to the last entry.
-- The data stays as it is. The holds that fell due while Redis was away keep their units for a time.
--
-- Input
--   KEYS[1]  stock        hash    epoch, gate, unfinished, grace_until
--   KEYS[2]  events       stream
--   ARGV[1]  now_ms       Unix ms, or "" for the Redis clock
--   ARGV[2]  nonce        of the first entry
--   ARGV[3]  position     id of the entry that the ledger applied last
--   ARGV[4]  grace_until  Unix ms: until then expire_until does not move
-- Output
--   {"fenced"}                   another epoch, another last entry, a rebuild that was not finished, or
--                                the gate is not loading: nothing changed
--   {"ok", now_ms}               adopted and open

-- bind
local stock_key, events_key = KEYS[1], KEYS[2]
local now, nonce, position, til = clock(ARGV[1]), ARGV[2], ARGV[3], tonumber(ARGV[4])

-- read
local got = redis.call('HMGET', stock_key, 'epoch', 'gate', 'unfinished', 'grace_until')
local last = redis.call('XREVRANGE', events_key, '+', '-', 'COUNT', 1)[1]

-- decide
local continues = last and last[1] == position and got[1] == string.match(position, '^%d+')
if not continues or got[2] ~= 'loading' or got[3] then return { 'fenced' } end
til = math.max(til, whole(got[4] or '') or 0)

-- write
redis.call('XADD', events_key, EPOCH .. '-1', 'v', '1', 'n', nonce, 'e', int(now))
redis.call('HSET', stock_key, 'epoch', EPOCH, 'grace_until', int(til))
redis.call('HDEL', stock_key, 'gate')

-- return
return { 'ok', int(now) }
