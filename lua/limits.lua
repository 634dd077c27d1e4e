-- limits counts the units that purchase limits restrict.

-- The working copy: limit US identity -> units. The identity of a total is "".
local limit_units, touched_limits = {}, {}

local function load_limit(name, text)
  limit_units[name] = text and whole(text) or not text and 0 or nil -- nil: the text is no number
end

-- add_to_limit adds to a counter. If the stored text is no number it stays, for the audit to
-- report.
local function add_to_limit(name, units)
  if not limit_units[name] then return end
  limit_units[name] = limit_units[name] + units
  add_once(touched_limits, name)
end

-- write_limits writes the changed counters, and deletes those that are zero.
local function write_limits(key)
  local list, zero = {}, {}
  for _, name in ipairs(touched_limits) do
    if limit_units[name] == 0 then
      zero[#zero + 1] = name
    else
      list[#list + 1] = name
      list[#list + 1] = int(limit_units[name])
    end
  end
  write_fields(key, list)
  for first = 1, #zero, CHUNK do
    redis.call('HDEL', key, unpack(zero, first, math.min(first + CHUNK - 1, #zero)))
  end
end
