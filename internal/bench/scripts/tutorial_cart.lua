for i = 1, #KEYS do
  if tonumber(redis.call('GET', KEYS[i])) < tonumber(ARGV[i]) then return 0 end
end
for i = 1, #KEYS do redis.call('DECRBY', KEYS[i], ARGV[i]) end
return 1
