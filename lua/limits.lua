-- limits is put into scripts that count purchase limits.

-- The working copy of what purchase limits count: limit and customer -> units.
local taken, taken_touched, is_counted_limit = {}, {}, {}

local function take_taken(name, text)
  taken[name] = text and whole(text) or not text and 0 or nil -- nil: what is stored is no number
end

-- count_limit adds to what a limit counts. What is stored there and is no number stays: the audit's.
local function count_limit(name, units)
  if not taken[name] then return end
  taken[name] = taken[name] + units
  if not is_counted_limit[name] then
    is_counted_limit[name] = true
    taken_touched[#taken_touched + 1] = name
  end
end

-- write_limits writes the changed counters; one that is zero goes.
local function write_limits(key)
  local list, gone = {}, {}
  for _, name in ipairs(taken_touched) do
    if taken[name] == 0 then
      gone[#gone + 1] = name
    else
      list[#list + 1] = name
      list[#list + 1] = int(taken[name])
    end
  end
  for first = 1, #list, CHUNK do
    redis.call('HSET', key, unpack(list, first, math.min(first + CHUNK - 1, #list)))
  end
  for first = 1, #gone, CHUNK do
    redis.call('HDEL', key, unpack(gone, first, math.min(first + CHUNK - 1, #gone)))
  end
end
