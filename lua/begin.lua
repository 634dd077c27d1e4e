-- begin starts an epoch. It deletes the data of earlier epochs, closes the gate and writes the
-- first entry. A rebuild that was paused before then meets a higher epoch and is refused. Until open
-- removes the field unfinished, adopt refuses what is loaded.
--
-- Input
--   KEYS[1]  stock         hash
--   KEYS[2]  levels        hash
--   KEYS[3]  reservations  hash
--   KEYS[4]  operations    hash
--   KEYS[5]  deadlines     zset
--   KEYS[6]  limits        hash
--   KEYS[7]  events        stream
--   ARGV[1]  now_ms        Unix ms, or "" for the Redis clock
--   ARGV[2]  nonce         of the first entry
--   ARGV[3]  ledger        id of the ledger
-- Output
--   {"fenced"}                   this epoch or a higher one has begun: nothing changed
--   {"ok", now_ms}               begun, and the gate says loading

-- bind
local stock_key, levels_key, reservations_key = KEYS[1], KEYS[2], KEYS[3]
local operations_key, deadlines_key, limits_key, events_key = KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local now, nonce, ledger = clock(ARGV[1]), ARGV[2], ARGV[3]

-- read
local stored = redis.call('HGET', stock_key, 'epoch')

-- decide
if stored and (whole(stored) or 0) >= tonumber(EPOCH) then return { 'fenced' } end

-- write
redis.call('UNLINK', stock_key, levels_key, reservations_key, operations_key, deadlines_key, limits_key, events_key)
redis.call('XADD', events_key, EPOCH .. '-1', 'v', '1', 'n', nonce, 'e', int(now))
redis.call('HSET', stock_key, 'epoch', EPOCH, 'gate', 'loading', 'ledger', ledger, 'unfinished', '1')

-- return
return { 'ok', int(now) }
