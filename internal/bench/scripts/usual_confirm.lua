local state = redis.call('HGET', KEYS[1], 'state')
if state == 'confirmed' then return {'replay'} end
if state ~= 'held' then return {'wrong_state', tostring(state)} end
redis.call('HSET', KEYS[1], 'state', 'confirmed')
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('XADD', KEYS[3], '*', 'id', ARGV[1], 'state', 'confirmed')
return {'confirmed'}
