if redis.call('EXISTS', KEYS[2]) == 1 then return {'replay'} end
local n = tonumber(redis.call('HGET', KEYS[1], ARGV[1]))
if not n or n < tonumber(ARGV[2]) then return {'insufficient', tostring(n)} end
redis.call('HINCRBY', KEYS[1], ARGV[1], -ARGV[2])
redis.call('HSET', KEYS[2], 'state', 'held', 'sku', ARGV[1], 'quantity', ARGV[2], 'expires', ARGV[4], 'order', ARGV[5])
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[3])
redis.call('XADD', KEYS[4], '*', 'id', ARGV[3], 'sku', ARGV[1], 'quantity', ARGV[2], 'state', 'held', 'order', ARGV[5])
return {'held', ARGV[4]}
