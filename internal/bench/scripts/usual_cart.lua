if redis.call('EXISTS', KEYS[2]) == 1 then return {'replay'} end
for i = 4, #ARGV, 2 do
  local n = tonumber(redis.call('HGET', KEYS[1], ARGV[i]))
  if not n or n < tonumber(ARGV[i + 1]) then return {'insufficient', ARGV[i], tostring(n)} end
end
local lines = {}
for i = 4, #ARGV, 2 do
  redis.call('HINCRBY', KEYS[1], ARGV[i], -ARGV[i + 1])
  lines[#lines + 1] = ARGV[i] .. '=' .. ARGV[i + 1]
end
local text = table.concat(lines, ',')
redis.call('HSET', KEYS[2], 'state', 'held', 'lines', text, 'expires', ARGV[2], 'order', ARGV[3])
redis.call('ZADD', KEYS[3], ARGV[2], ARGV[1])
redis.call('XADD', KEYS[4], '*', 'id', ARGV[1], 'lines', text, 'state', 'held', 'order', ARGV[3])
return {'held', ARGV[2]}
