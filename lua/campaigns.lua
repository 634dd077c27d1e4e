-- campaigns checks and counts what a request takes of campaigns. It stands in reserve, and uses its
-- args, cursor and first_counter. It needs limits.

-- exceeded returns the number of the first limit that the request would exceed, and what it counts
-- already; or 0 if the text of a counter is no number.
local function exceeded(shape)
  local at = cursor + shape.first_limit
  for i = 1, shape.limits do
    local units = limit_units[args[first_counter + args[at] - 1]]
    if not units then return 0, 0 end
    if units + args[at + 1] > tonumber(args[at + 2]) then return i, units end
    at = at + 3
  end
  return nil
end

-- add_to_limits adds the request to the counters of its limits.
local function add_to_limits(shape)
  local at = cursor + shape.first_limit
  for _ = 1, shape.limits do
    add_to_limit(args[first_counter + args[at] - 1], tonumber(args[at + 1]))
    at = at + 3
  end
end
