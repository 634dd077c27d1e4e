-- retake checks whether an expired reservation can have its units again. It needs attributes.

-- shortages lists the lines that are short, each after what earlier lines take. A line that may be
-- backordered takes its units after the plain ones: it is short only of those whose level is gone.
local function shortages(r)
  local short, rest = {}, {}
  for i, line in ipairs(r.lines) do
    local there, need = 0, 0
    for _, a in ipairs(line.from) do
      local level = a.level
      local left_there = rest[level] or available[level] or 0
      local units = math.min(a.quantity, math.max(0, left_there))
      if attributes(line).backorder then
        units = available[level] and a.quantity or 0
      else
        rest[level] = left_there - units
      end
      there, need = there + units, need + a.quantity
    end
    if there < need then short[#short + 1] = int(i) .. US .. int(there) end
  end
  return short
end

-- exceeded_limit returns the first purchase limit that would be exceeded, or nil: its id, identity,
-- most units, and the units that it counts.
local function exceeded_limit(r)
  local units, over = {}, nil
  each_limit(r, nil, function(name, more, most)
    units[name] = (units[name] or 0) + more
    if not over and limit_units[name] and limit_units[name] + units[name] > most then
      over = name .. US .. int(most) .. US .. int(limit_units[name])
    end
  end)
  return over
end
