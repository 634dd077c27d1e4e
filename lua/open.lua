-- open ends a rebuild and opens the gate.
--
-- Input
--   KEYS[1]  stock         hash    epoch, gate, unfinished, locations, expire_until
--   KEYS[2]  levels        hash    locations, the list of all
--   ARGV[1]  locations     the list
--   ARGV[2]  version       of the list
--   ARGV[3]  expire_until  Unix ms
-- Output
--   {"fenced"}                   another epoch, or the gate is not loading: nothing changed
--   {"ok"}                       open

-- bind
local stock_key, levels_key, list, version, til = KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3]

-- read
local got = redis.call('HMGET', stock_key, 'epoch', 'gate')

-- decide
if got[1] ~= EPOCH or got[2] ~= 'loading' then return { 'fenced' } end

-- write
redis.call('HSET', levels_key, 'locations', list)
redis.call('HSET', stock_key, 'locations', version, 'expire_until', til)
redis.call('HDEL', stock_key, 'gate', 'unfinished')

-- return
return { 'ok' }
